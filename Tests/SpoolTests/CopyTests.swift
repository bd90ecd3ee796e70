import System
import Testing
import Wire

@testable import Spool

@Suite("A copy of the spool")
struct CopyTests {
  /// A disk with nothing but a copy of another one's spool.
  private func restored(_ copy: SpoolCopy) throws -> MemoryDisk {
    let disk = MemoryDisk()
    for path in ["/spool", "/spool/log", "/spool/index"] as [StaticString] { try disk.ensureDirectory(Path(path)) }
    for part in copy.parts {
      var octets = Bytes()
      copy.read(part) { octets += $0 }
      #expect(Int64(octets.count) == part.size)
      try disk.replace(Office.root.appending(part.name), with: octets)
    }
    return disk
  }

  private func same(_ a: [(uid: UInt64, content: Bytes)], _ b: [(uid: UInt64, content: Bytes)]) -> Bool {
    a.map(\.uid) == b.map(\.uid) && a.map(\.content) == b.map(\.content)
  }

  /// Six messages in two segments, one of them large; the second and the fifth are deleted. And one for carl behind them.
  private func office() throws -> Office {
    let office = try Office(options: SpoolOptions(keepDeleted: 60))
    for number in 1...6 {
      let content = Office.content(String(repeating: "\(number)", count: number == 5 ? 100_000 : 3000))
      #expect(throws: Never.self) { try office.deliver(content, to: ["anna", "bert"], piece: 10_000).get() }
      if number == 3 { office.spool.committer.submit(.endSegment) }
    }
    for name in ["anna", "bert"] as [StaticString] {
      #expect(try office.delete([2, 5], of: office.spool.open(Bytes(name))) == nil)
    }
    office.spool.committer.submit(.endSegment)
    #expect(throws: Never.self) { try office.deliver(Office.content("elsewhere"), to: ["carl"]).get() }
    return office
  }

  @Test("has every message with its number, and numbers go on behind the last one")
  func whole() throws {
    let office = try office()
    let copy = try SpoolCopy(Office.root, files: office.disk, position: office.spool.position)
    #expect(copy.messages == 7 && copy.damages == 0)
    let other = try Office(try restored(copy))
    #expect(same(try other.read("anna"), try office.read("anna")))
    #expect(other.restore([2, 5], of: "anna") == nil)
    #expect(try other.read("anna").map(\.uid) == [1, 2, 3, 4, 5, 6])
    let last = try #require(office.spool.position).sequence
    #expect(try other.deliver(Office.content("new"), to: ["anna"]).get() > last)
    #expect(other.spool.uidPrefix == office.spool.uidPrefix)
  }

  @Test("has what a sweep has left, and not what it has given back")
  func swept() throws {
    let office = try office()
    office.now += 1000
    office.sweep()
    let copy = try SpoolCopy(Office.root, files: office.disk, position: office.spool.position)
    #expect(copy.messages == 5)
    #expect(copy.parts.allSatisfy { $0.size < 20_000 })
    let other = try Office(try restored(copy))
    #expect(same(try other.read("bert"), try office.read("bert")))
    #expect(other.restore([2, 5], of: "bert") == nil)
    #expect(try other.read("bert").map(\.uid) == [1, 3, 4, 6])
  }

  @Test("lets no number be used again, even when nothing is left of the log")
  func empty() throws {
    let office = try office()
    for name in ["anna", "bert", "carl"] as [StaticString] {
      let snapshot = try office.spool.open(Bytes(name))
      #expect(try office.delete(Array(1...snapshot.count), of: snapshot) == nil)
    }
    let last = try #require(office.spool.position).sequence
    office.disk.reportedAvailable = 1000
    office.now += 1000
    office.sweep()
    let copy = try SpoolCopy(Office.root, files: office.disk, position: office.spool.position)
    #expect(copy.messages == 0)
    let other = try Office(try restored(copy))
    #expect(try other.deliver(Office.content("new"), to: ["anna"]).get() > last)
  }

  @Test("is of one moment: nothing is given back while the log is held")
  func held() throws {
    let office = try office()
    office.spool.hold()
    let position = try #require(office.spool.position)
    let copy = try SpoolCopy(Office.root, files: office.disk, position: position)
    office.now += 1000
    office.sweep()
    _ = office.deliver(Office.content("later"), to: ["anna"])
    #expect(try office.delete([1], of: office.spool.open(Bytes("anna"))) == nil)
    let other = try Office(try restored(copy))
    #expect(try other.read("anna").map(\.uid) == [1, 3, 4, 6])
    #expect(copy.damages == 0)
    office.spool.letGo()
    office.sweep()
    #expect(try SpoolCopy(Office.root, files: office.disk, position: office.spool.position).messages == 6)
  }

  @Test("cannot bring back what was discarded")
  func discarded() throws {
    let office = try office()
    var isDone = false
    office.spool.discard(sequences: [2, 3], of: Bytes("anna"), tag: 77, now: office.now)
    while !isDone { office.collect { if case .updated(77, nil) = $0 { isDone = true } } }
    let copy = try SpoolCopy(Office.root, files: office.disk, position: office.spool.position)
    let other = try Office(try restored(copy))
    #expect(other.restore([2, 3, 5], of: "anna") == nil)
    #expect(try other.read("anna").map(\.uid) == [1, 4, 5, 6])
    #expect(try other.read("bert").map(\.uid) == [1, 3, 4, 6])
  }

  @Test("without a daemon ends where a start would cut a torn tail")
  func torn() throws {
    let office = try office()
    _ = office.deliver(Office.content("the last one"), to: ["anna"])
    let expected = try office.read("anna")
    office.spool.close()
    let number = try #require(try SpoolFiles(Office.root).numbers(office.disk).segments.last)
    let path = SpoolFiles(Office.root).segment(number)
    var octets = try office.disk.contents(path, limit: 1 << 20)
    while octets.last == 0 { octets.removeLast() }
    // The last octets of the last message never came to the disk.
    octets.removeLast(5)
    let disk = MemoryDisk()
    for name in ["id", "log/id"] as [StaticString] {
      let path = Office.root.appending(name)
      for directory in ["/spool", "/spool/log", "/spool/index"] as [StaticString] {
        try disk.ensureDirectory(Path(directory))
      }
      try disk.replace(path, with: try office.disk.contents(path, limit: 4096))
    }
    for segment in try SpoolFiles(Office.root).numbers(office.disk).segments {
      let path = SpoolFiles(Office.root).segment(segment)
      try disk.replace(path, with: segment == number ? octets : try office.disk.contents(path, limit: 1 << 20))
    }
    for large in try SpoolFiles(Office.root).numbers(office.disk).large {
      let path = SpoolFiles(Office.root).large(large)
      try disk.replace(path, with: try office.disk.contents(path, limit: 1 << 20))
    }
    let copy = try SpoolCopy(Office.root, files: disk, position: nil)
    let other = try Office(try restored(copy))
    #expect(try other.read("anna").map(\.uid) == expected.dropLast().map(\.uid))
  }
}
