import System
import Testing
import Wire

@testable import Spool

@Suite("The spool's promises")
struct PromiseTests {
  @Test("S1: stored is answered after a flush that succeeded, and not before")
  func storedMeansFlushed() throws {
    let office = try Office()
    let content = Office.content("one")
    let before = office.disk.flushes
    _ = try office.deliver(content, to: ["anna"]).get()
    #expect(office.disk.flushes > before)
    // Nothing but what was flushed is left, and the message is there.
    var none = NoLuck()
    let after = try Office(office.disk.afterCrash(&none))
    #expect(try after.read("anna").map(\.content) == [content])
  }

  @Test("S1: a deletion is answered after a flush that succeeded")
  func deletedMeansFlushed() throws {
    let office = try Office()
    _ = try office.deliver(Office.content("one"), to: ["anna"]).get()
    #expect(try office.delete([1], of: office.spool.open(Bytes("anna"))) == nil)
    var none = NoLuck()
    #expect(try Office(office.disk.afterCrash(&none)).read("anna").isEmpty)
  }

  @Test("S3: a failed flush is told to the sender and the journal, and never retried into silence")
  func failedFlush() throws {
    let office = try Office()
    _ = try office.deliver(Office.content("before"), to: ["anna"]).get()
    var failures = 1
    office.disk.fault = { call, _ in
      if call == .flush, failures > 0 {
        failures -= 1
        return .io
      }
      return nil
    }
    #expect(office.deliver(Office.content("lost"), to: ["anna"]) == .failure(.failed(.io)))
    #expect(office.journal.contains { $0.contains("flushing segment") })
    let next = try office.deliver(Office.content("after"), to: ["anna"]).get()
    let bodies = [Office.content("before"), Office.content("after")]
    #expect(try office.read("anna").map(\.content) == bodies)
    // The segment was closed: the next message is in another, and what failed stays away for good.
    #expect(office.disk.paths.contains("/spool/log/0000000002.log"))
    var luck = AllLuck()
    let later = try Office(office.disk.afterCrash(&luck))
    #expect(try later.read("anna").map(\.content) == bodies)
    #expect(try later.read("anna").last?.uid == next)
  }

  @Test("S3: a failed write leaves nothing behind that could be taken for mail")
  func failedWrite() throws {
    let office = try Office()
    _ = try office.deliver(Office.content("before"), to: ["anna"]).get()
    var failures = 1
    office.disk.fault = { call, _ in
      if call == .write, failures > 0 {
        failures -= 1
        return .io
      }
      return nil
    }
    #expect(office.deliver(Office.content("lost"), to: ["anna"]) == .failure(.failed(.io)))
    _ = try office.deliver(Office.content("after"), to: ["anna"]).get()
    var luck = AllLuck()
    let later = try Office(office.disk.afterCrash(&luck))
    #expect(try later.read("anna").map(\.content) == [Office.content("before"), Office.content("after")])
  }

  @Test("Short writes and interrupted calls change nothing")
  func shortWrites() throws {
    let disk = MemoryDisk()
    disk.writesShort = true
    disk.interrupts = true
    let office = try Office(disk)
    let contents = (0..<20).map { Office.content("message \($0)") }
    for content in contents { _ = try office.deliver(content, to: ["anna", "bert"]).get() }
    let large = Bytes(repeating: 0x61, count: 200_000) + Bytes("\r\n.\r\n")
    _ = try office.deliver(large, to: ["anna"], piece: 50_000).get()
    #expect(try office.read("anna").map(\.content) == contents + [large])
    try office.restart()
    #expect(try office.read("bert").map(\.content) == contents)
  }

  @Test("S4: a full disk refuses mail, changes nothing for readers, and deleting makes room")
  func fullDisk() throws {
    let disk = MemoryDisk()
    disk.capacity = 3_000_000
    let office = try Office(disk, options: SpoolOptions(keepDeleted: 86400, keepFreePercent: 10))
    let content = Bytes(repeating: 0x61, count: 20_000) + Bytes("\r\n.\r\n")
    var stored = 0
    var refusals = 0
    for _ in 0..<200 {
      _ = office.spool.tick(now: office.now)
      office.now += 1
      guard office.spool.hasRoom else {
        refusals += 1
        continue
      }
      switch office.deliver(content, to: ["anna"]) {
      case .success: stored += 1
      case .failure(let error):
        #expect(error == .full)
        refusals += 1
      }
    }
    #expect(stored > 50 && refusals > 20)
    #expect(office.journal.contains { $0.hasPrefix("disk low") })
    let snapshot = try office.spool.open(Bytes("anna"))
    #expect(snapshot.count == stored)
    #expect(try Office.read(snapshot).allSatisfy { $0.content == content })
    // The reader deletes; retention gives way to the need for room.
    #expect(try office.delete(Array(1...(stored - 5)), of: snapshot) == nil)
    _ = try Office.read(snapshot)
  }

  @Test("S4: an index that finds no room costs no reader anything, now, after a start, or after a crash")
  func fullDiskIndex() throws {
    let office = try Office()
    for number in 0..<3 { _ = try office.deliver(Office.content("\(number)"), to: ["anna"]).get() }
    office.disk.fault = { call, path in
      call == .write && path.map { String(decoding: $0.bytes, as: UTF8.self).contains("/index/") } ?? false
        ? .noSpace : nil
    }
    for number in 3..<200 { _ = try office.deliver(Office.content("\(number)"), to: ["anna", "bert"]).get() }
    #expect(try office.delete([150], of: office.spool.open(Bytes("anna"))) == nil)
    #expect(try office.read("anna").count == 199 && office.read("bert").count == 197)
    var luck = AllLuck()
    let crashed = try Office(office.disk.afterCrash(&luck))
    #expect(try crashed.read("anna").count == 199 && crashed.read("bert").count == 197)
    office.disk.fault = nil
    _ = try office.deliver(Office.content("after"), to: ["anna"]).get()
    #expect(try office.read("anna").count == 200)
    office.close()
    let again = try Office(office.disk)
    #expect(try again.read("anna").count == 200 && again.read("bert").count == 197)
  }

  @Test("S4: deleted mail goes before its time when the disk is low, oldest first, and mail is taken again")
  func roomByDeleting() throws {
    let disk = MemoryDisk()
    disk.capacity = 1 << 30
    let office = try Office(disk, options: SpoolOptions(keepDeleted: 7 * 86400, keepFreePercent: 10))
    let content = Bytes(repeating: 0x61, count: 20_000) + Bytes("\r\n.\r\n")
    for _ in 0..<20 { _ = try office.deliver(content, to: ["anna"]).get() }
    for number in [1, 2, 3] {
      #expect(try office.delete([number], of: office.spool.open(Bytes("anna"))) == nil)
      office.now += 86400
    }
    disk.reportedAvailable = 1 << 20
    office.sweep()
    #expect(!office.spool.hasRoom)
    office.now += 1
    let left = office.spool.usage(Bytes("anna"))
    #expect(left.messages == 17)
    #expect(left.deletedMessages < 3)
    for _ in 0..<20 {
      office.now += 1
      office.sweep()
    }
    #expect(office.spool.usage(Bytes("anna")).deletedMessages == 0)
    #expect(try office.read("anna").count == 17)
    disk.reportedAvailable = nil
    office.now += 1
    office.sweep()
    #expect(office.spool.hasRoom)
    #expect(office.journal.contains { $0.hasPrefix("disk well again") })
    _ = try office.deliver(content, to: ["anna"]).get()
  }

  @Test("S5: a torn tail of every length is cut, reported, and costs no acknowledged message")
  func tornTails() throws {
    let office = try Office()
    let first = Office.content("acknowledged")
    _ = try office.deliver(first, to: ["anna"]).get()
    let path: StaticString = "/spool/log/0000000001.log"
    func used(_ bytes: Bytes) -> Bytes { Bytes(bytes[...bytes.lastIndex { $0 != 0 }!]) }
    let base = used(office.disk.contents(path)!)
    _ = try office.deliver(Office.content("torn"), to: ["anna"]).get()
    let full = used(office.disk.contents(path)!)
    for length in base.count..<full.count {
      var none = NoLuck()
      let disk = office.disk.afterCrash(&none)
      disk.set(path, Bytes(full[..<length]) + Bytes(repeating: 0, count: length % 3 * 100))
      let after = try Office(disk)
      #expect(try after.read("anna").map(\.content) == [first])
      #expect(after.journal.contains { $0.contains("not complete") } == (length > base.count))
      _ = try after.deliver(Office.content("next"), to: ["anna"]).get()
      try after.restart()
      #expect(try after.read("anna").map(\.content) == [first, Office.content("next")])
      after.close()
    }
  }

  @Test("S5: replaying the log twice is the same as once")
  func replayTwice() throws {
    let office = try Office()
    for number in 0..<10 { _ = try office.deliver(Office.content("\(number)"), to: ["anna"]).get() }
    #expect(try office.delete([2, 3, 7], of: office.spool.open(Bytes("anna"))) == nil)
    let before = try office.read("anna").map(\.uid)
    for _ in 0..<3 {
      office.disk.delete("/spool/checkpoint")
      try office.restart()
      #expect(try office.read("anna").map(\.uid) == before)
    }
  }

  @Test("S5: indexes and checkpoint are caches: lost or damaged, they are rebuilt from the log")
  func lostCaches() throws {
    let office = try Office()
    for number in 0..<30 {
      _ = try office.deliver(Office.content("\(number)"), to: number % 3 == 0 ? ["anna", "bert"] : ["anna"]).get()
    }
    let large = Bytes(repeating: 0x62, count: 150_000) + Bytes("\r\n.\r\n")
    _ = try office.deliver(large, to: ["anna"], piece: 40_000).get()
    #expect(try office.delete([1, 5, 6], of: office.spool.open(Bytes("anna"))) == nil)
    #expect(office.restore([5], of: "anna") == nil)
    let anna = try office.read("anna")
    let bert = try office.read("bert")
    func check(_ what: String) throws {
      try office.restart()
      #expect(try office.read("anna").map(\.uid) == anna.map(\.uid), "\(what)")
      #expect(try office.read("anna").map(\.content) == anna.map(\.content), "\(what)")
      #expect(try office.read("bert").map(\.content) == bert.map(\.content), "\(what)")
      _ = office.journal
    }
    try check("nothing lost")
    office.close()
    office.disk.delete("/spool/index/anna")
    try check("index lost")
    #expect(office.journal.contains { $0.contains("index of maildrop anna") })
    for position in [3, 130, 150, 200, 500] {
      office.close()
      var index = office.disk.contents("/spool/index/anna")!
      index[position] ^= 0x10
      office.disk.set("/spool/index/anna", index)
      try check("index damaged at \(position)")
      #expect(office.journal.contains { $0.contains("index of maildrop anna") })
      #expect(!office.journal.contains { $0.contains("index of maildrop bert") })
    }
    office.close()
    office.disk.set("/spool/checkpoint", Bytes("nonsense"))
    try check("checkpoint damaged")
    #expect(office.journal.contains { $0.contains("checkpoint") })
    office.close()
    office.disk.delete("/spool/checkpoint")
    office.disk.delete("/spool/index/anna")
    office.disk.delete("/spool/index/bert")
    try check("all lost")
    office.close()
    office.disk.delete("/spool/id")
    try check("one of the two identities lost")
  }

  @Test("A damaged record is named, and every other message is still served")
  func damagedRecord() throws {
    for victim in 0..<10 {
      let office = try Office()
      var offsets: [Int] = []
      let path: StaticString = "/spool/log/0000000001.log"
      for number in 0..<10 {
        let bytes = office.disk.contents(path) ?? []
        offsets.append((bytes.lastIndex { $0 != 0 } ?? -1) + 1)
        _ = try office.deliver(Office.content("message \(number)"), to: ["anna"]).get()
      }
      office.close()
      var bytes = office.disk.contents(path)!
      // The first of them is behind the segment's own first record.
      let at = victim == 0 ? bytes.firstIndex(of: ASCII.lf)! + 1 : offsets[victim]
      bytes[at + 2] ^= 0x40
      office.disk.set(path, bytes)
      office.disk.delete("/spool/checkpoint")
      try office.restart()
      let left = try office.read("anna").map(\.content)
      let expected = (0..<10).filter { $0 != victim }.map { Office.content("message \($0)") }
      #expect(left == expected)
      #expect(office.journal.contains { $0.contains("damaged at offset") } == (victim < 9))
      office.close()
    }
  }

  @Test("No identity, but a log: nothing is touched")
  func lostIdentity() throws {
    let office = try Office()
    _ = try office.deliver(Office.content("one"), to: ["anna"]).get()
    office.close()
    let log = office.disk.contents("/spool/log/0000000001.log")
    office.disk.delete("/spool/id")
    office.disk.delete("/spool/log/id")
    #expect(throws: SpoolError.damaged) { _ = try Office(office.disk) }
    #expect(office.disk.contents("/spool/log/0000000001.log") == log)
  }

  @Test("S6: sessions on one maildrop see what was there when they began, and never wait for each other")
  func snapshots() throws {
    let office = try Office(options: SpoolOptions(keepDeleted: 0))
    for number in 0..<5 { _ = try office.deliver(Office.content("\(number)"), to: ["anna"]).get() }
    let first = try office.spool.open(Bytes("anna"))
    let second = try office.spool.open(Bytes("anna"))
    #expect(try office.delete([1, 3], of: first) == nil)
    _ = try office.deliver(Office.content("new"), to: ["anna"]).get()
    office.now += 10_000
    office.sweep()
    #expect(try Office.read(second).map(\.content) == (0..<5).map { Office.content("\($0)") })
    // Deleting what another has deleted already is no error.
    #expect(try office.delete([1, 2], of: second) == nil)
    let third = try office.read("anna").map(\.content)
    #expect(third == [Office.content("3"), Office.content("4"), Office.content("new")])
  }

  @Test("S7: an index that cannot be read is an error, never an empty maildrop")
  func unreadableIndex() throws {
    let office = try Office()
    for number in 0..<5 { _ = try office.deliver(Office.content("\(number)"), to: ["anna"]).get() }
    let snapshot = try office.spool.open(Bytes("anna"))
    office.disk.fault = { call, _ in call == .read ? .io : nil }
    #expect(throws: SpoolError.failed(.io)) { try snapshot.visit(from: 1) { _, _, _ in true } }
    #expect(throws: SpoolError.failed(.io)) { _ = try snapshot.open(1) }
    #expect(snapshot.count == 5)
  }

  @Test("An index that could not be written heals by itself, and loses nothing")
  func healing() throws {
    let office = try Office()
    for number in 0..<5 { _ = try office.deliver(Office.content("\(number)"), to: ["anna"]).get() }
    #expect(try office.delete([2], of: office.spool.open(Bytes("anna"))) == nil)
    office.disk.fault = { call, path in
      call == .write && path.map { $0.bytes.starts(with: Bytes("/spool/index/")) } == true ? .io : nil
    }
    _ = try office.deliver(Office.content("5"), to: ["anna"]).get()
    #expect(throws: SpoolError.damaged) { _ = try office.spool.open(Bytes("anna")) }
    #expect(office.journal.contains { $0.contains("cannot be written") })
    office.disk.fault = nil
    office.now += 61
    office.sweep()
    #expect(try office.read("anna").map(\.content) == [0, 2, 3, 4, 5].map { Office.content("\($0)") })
    _ = try office.deliver(Office.content("6"), to: ["anna"]).get()
    try office.restart()
    #expect(try office.read("anna").map(\.content) == [0, 2, 3, 4, 5, 6].map { Office.content("\($0)") })
  }

  @Test("S9: deleted mail can be restored until its time has passed, with the UIDL it had")
  func restoring() throws {
    let office = try Office(options: SpoolOptions(keepDeleted: 1000))
    for number in 0..<5 { _ = try office.deliver(Office.content("\(number)"), to: ["anna"]).get() }
    let before = try office.read("anna")
    #expect(try office.delete([2, 4], of: office.spool.open(Bytes("anna"))) == nil)
    try office.restart()
    #expect(office.spool.usage(Bytes("anna")).deletedMessages == 2)
    #expect(office.restore([before[1].uid], of: "anna") == nil)
    #expect(try office.read("anna").map(\.uid) == [0, 1, 2, 4].map { before[$0].uid })
    office.now += 1001
    office.sweep()
    #expect(office.spool.usage(Bytes("anna")).deletedMessages == 0)
    #expect(office.restore([before[3].uid], of: "anna") == nil)
    #expect(try office.read("anna").map(\.uid) == [0, 1, 2, 4].map { before[$0].uid })
  }

  @Test("A message to ten maildrops is stored once, and goes when the last has let it go")
  func sharedMessage() throws {
    let office = try Office(options: SpoolOptions(keepDeleted: 0))
    let large = Bytes(repeating: 0x63, count: 300_000) + Bytes("\r\n.\r\n")
    _ = try office.deliver(large, to: ["anna", "bert", "carl"], piece: 64_000).get()
    #expect(office.disk.paths.filter { $0.hasSuffix(".msg") }.count == 1)
    for name: StaticString in ["anna", "bert"] {
      #expect(try office.delete([1], of: office.spool.open(Bytes(name))) == nil)
      office.now += 1000
      office.sweep()
      #expect(try office.read("carl").map(\.content) == [large])
    }
    #expect(try office.delete([1], of: office.spool.open(Bytes("carl"))) == nil)
    // Its record stands in the segment that is still written to.
    try office.fillSegment()
    office.now += 1000
    office.sweep()
    #expect(office.disk.paths.filter { $0.hasSuffix(".msg") }.isEmpty)
  }

  @Test("ExpireAfter deletes what is older, and only that")
  func expiry() throws {
    let office = try Office(options: SpoolOptions(expireAfter: 86400))
    _ = try office.deliver(Office.content("old"), to: ["anna"]).get()
    office.now += 80_000
    _ = try office.deliver(Office.content("young"), to: ["anna"]).get()
    office.now += 7000
    office.sweep()
    #expect(try office.read("anna").map(\.content) == [Office.content("young")])
    #expect(office.spool.usage(Bytes("anna")).deletedMessages == 1)
    #expect(office.journal.contains { $0.contains("older than ExpireAfter") })
  }

  @Test("A clock in 1970 deletes nothing, and what came then is not taken for old once it is set")
  func clockUnset() throws {
    let office = try Office(options: SpoolOptions(keepDeleted: 86400, expireAfter: 864_000), now: 100)
    for number in 0..<3 { _ = try office.deliver(Office.content("\(number)"), to: ["anna"]).get() }
    #expect(try office.delete([1], of: office.spool.open(Bytes("anna"))) == nil)
    office.now = 1_800_000_000
    office.sweep()
    #expect(office.spool.usage(Bytes("anna")) == Usage(messages: 2, octets: 34, deletedMessages: 1, deletedOctets: 17))
    office.now += 90_000
    office.sweep()
    #expect(office.spool.usage(Bytes("anna")).deletedMessages == 0)
    #expect(try office.read("anna").count == 2)
  }

  @Test("An upload that ended in the middle leaves no file behind")
  func unfinishedUpload() throws {
    let office = try Office()
    let draft = office.spool.begin(tag: 1)
    draft.content = Bytes(repeating: 0x61, count: 70_000)
    #expect(office.spool.shouldOffload(draft))
    office.spool.offload(draft)
    office.collect { _ in }
    #expect(office.disk.paths.filter { $0.hasSuffix(".msg") }.count == 1)
    var luck = AllLuck()
    let after = try Office(office.disk.afterCrash(&luck))
    #expect(after.disk.paths.filter { $0.hasSuffix(".msg") }.isEmpty)
    office.spool.abandon(draft)
    office.close()
    #expect(office.disk.paths.filter { $0.hasSuffix(".msg") }.isEmpty)
  }

  @Test("S1: a message of which any part could not be written is refused at its end", arguments: 0..<4)
  func missingPart(part: Int) throws {
    let office = try Office()
    let draft = office.spool.begin(tag: 1)
    for index in 0..<4 {
      draft.content += Bytes(repeating: 0x61, count: 70_000)
      #expect(office.spool.shouldOffload(draft))
      office.disk.fault = index == part ? { call, _ in call == .write ? .io : nil } : nil
      office.spool.offload(draft)
      office.collect { if case .offloaded(_, let error) = $0 { #expect((error != nil) == (index == part)) } }
    }
    office.disk.fault = nil
    draft.content += Bytes("the end\r\n.\r\n")
    office.spool.commit(draft, recipients: [Bytes("anna")], octets: 280_009, utf8: false, now: office.now)
    var refused: SpoolError?
    while refused == nil {
      office.collect {
        if case .refused(_, let error) = $0 { refused = error }
        if case .stored = $0 { refused = .gone }
      }
    }
    #expect(refused == .failed(.io))
    #expect(office.disk.paths.filter { $0.hasSuffix(".msg") }.isEmpty)
    #expect(try office.read("anna").isEmpty)
  }

  @Test("S8: what drafts hold in memory together is bounded")
  func memoryBound() throws {
    let office = try Office()
    var drafts: [Draft] = []
    var held = 0
    for tag in 0..<200 {
      let draft = office.spool.begin(tag: UInt64(tag))
      draft.content = Bytes(repeating: 0x61, count: 60_000)
      if office.spool.shouldOffload(draft) { break }
      held += draft.content.count
      drafts.append(draft)
    }
    #expect(held <= Limits.messagesInMemory)
    #expect(drafts.count < 40)
    for draft in drafts { office.spool.abandon(draft) }
    let again = office.spool.begin(tag: 0)
    again.content = Bytes(repeating: 0x61, count: 5000)
    #expect(!office.spool.shouldOffload(again))
  }
}

extension Office {
  /// Delivers to somebody else until the log has gone on to a new segment.
  func fillSegment() throws {
    let filler = Bytes(repeating: 0x7A, count: 60_000) + Bytes("\r\n.\r\n")
    for _ in 0..<(Int(Limits.segment) / 60_000 + 2) { _ = try deliver(filler, to: ["zoe"]).get() }
  }
}

/// Nothing that was not flushed survives.
struct NoLuck: RandomNumberGenerator {
  mutating func next() -> UInt64 { 0 }
}

/// Everything that was written survives.
struct AllLuck: RandomNumberGenerator {
  mutating func next() -> UInt64 { .max }
}
