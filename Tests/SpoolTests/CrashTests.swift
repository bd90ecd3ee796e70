import System
import Testing
import Wire

@testable import Spool

/// A reproducible source of chance (SplitMix64).
struct Chance: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}

/// What senders and readers were told, to be held against what a machine that starts again finds.
private struct Books {
  static let names: [StaticString] = ["anna", "bert", "carl"]
  /// Acknowledged messages by maildrop: number and content.
  var kept: [[UInt64: Bytes]] = [[:], [:], [:]]
  /// Acknowledged deletions.
  var deleted: [Set<UInt64>] = [[], [], []]
  /// Deletions and restorations that were asked for and not answered: either way is right.
  var open: [Set<UInt64>] = [[], [], []]
  /// Messages that were sent and not acknowledged: there once, or not at all.
  var unanswered: [[Bytes]] = [[], [], []]

  func check(_ office: Office, _ what: String) throws {
    for (index, name) in Books.names.enumerated() {
      let found = try office.read(name)
      let byNumber = Dictionary(found.map { ($0.uid, $0.content) }) { first, _ in
        Issue.record("\(what): a number twice in \(name)")
        return first
      }
      var strangers: [Bytes] = []
      for (number, content) in byNumber {
        if let known = kept[index][number] ?? nil {
          #expect(known == content, "\(what): message \(number) of \(name) has changed")
        } else {
          strangers.append(content)
        }
        #expect(!deleted[index].contains(number), "\(what): message \(number) of \(name) is back")
      }
      for number in kept[index].keys
      where !deleted[index].contains(number) && !open[index].contains(number) {
        #expect(byNumber[number] != nil, "\(what): message \(number) of \(name) is lost")
      }
      var left = unanswered[index]
      for content in strangers {
        if let at = left.firstIndex(of: content) {
          left.remove(at: at)
        } else {
          Issue.record("\(what): something in \(name) that nobody sent, in part, or twice")
        }
      }
    }
  }
}

@Suite("S2: a crash at any instant loses nothing promised, shows nothing half, doubles nothing")
struct CrashTests {
  /// Chains of six crashes each; `RESTANTE_CRASHES=` asks for more than a run of all tests can wait for.
  static var seeds: Int { Process.environment("RESTANTE_CRASHES").flatMap { Int($0.text) } ?? 12 }

  /// Sends, deletes, restores, sweeps and restarts by chance until the power goes, and keeps books.
  private func live(_ office: Office, _ books: inout Books, _ chance: inout Chance, steps: Int, serial: inout Int) {
    for _ in 0..<steps where office.disk.callsLeft > 0 {
      office.now += Int64.random(in: 0...400, using: &chance)
      switch Int.random(in: 0..<20, using: &chance) {
      case 0..<11:
        serial += 1
        let chosen = (0..<3).filter { _ in Bool.random(using: &chance) }
        let to = chosen.isEmpty ? [0] : chosen
        let isLarge = Int.random(in: 0..<8, using: &chance) == 0
        let filler = Bytes(repeating: 0x78, count: isLarge ? 90_000 : Int.random(in: 0...3000, using: &chance))
        var content = Bytes(Array("Subject: \(serial)\r\n\r\n".utf8))
        content += filler
        content += "\r\n.\r\n"
        switch office.deliver(content, to: to.map { Books.names[$0] }, piece: isLarge ? 30_000 : .max) {
        case .success(let number): for index in to { books.kept[index][number] = content }
        case .failure: for index in to { books.unanswered[index].append(content) }
        }
      case 11..<16:
        let index = Int.random(in: 0..<3, using: &chance)
        guard let snapshot = try? office.spool.open(Bytes(Books.names[index])), snapshot.count > 0,
          let uids = try? Office.numbers(snapshot)
        else { continue }
        let chosen = (1...snapshot.count).filter { _ in Int.random(in: 0..<3, using: &chance) == 0 }
        guard !chosen.isEmpty else { continue }
        let touched = Set(chosen.map { uids[$0 - 1] })
        var isDone = false
        do { isDone = try office.delete(chosen, of: snapshot) == nil } catch {}
        if isDone {
          books.deleted[index].formUnion(touched)
        } else {
          books.open[index].formUnion(touched)
        }
      case 16:
        let index = Int.random(in: 0..<3, using: &chance)
        guard let number = books.deleted[index].randomElement(using: &chance) else { continue }
        // Whether it can still be restored depends on the sweeper.
        _ = office.restore([number], of: Books.names[index])
        books.deleted[index].remove(number)
        books.open[index].insert(number)
      case 17..<19:
        office.now += 700
        office.sweep()
      default:
        try? office.restart()
      }
    }
  }

  @Test("whatever the disk made of what had not been flushed", arguments: 0..<CrashTests.seeds)
  func crash(_ seed: Int) throws {
    var chance = Chance(state: UInt64(seed) &* 7919 &+ 1)
    var disk = MemoryDisk()
    var books = Books()
    var serial = 0
    let options = SpoolOptions(keepDeleted: Int64([0, 500, 100_000].randomElement(using: &chance)!))
    var now: Int64 = 1_800_000_000
    // Several lives in a row: each begins with what the last crash left.
    for life in 0..<6 {
      disk.callsLeft = Int.random(in: 0...(life % 2 == 0 ? 400 : 2500), using: &chance)
      if let office = try? Office(disk, options: options, now: now) {
        live(office, &books, &chance, steps: 120, serial: &serial)
        now = office.now
        disk.callsLeft = 0
        office.close()
      }
      disk = disk.afterCrash(&chance)
      let survivor = try Office(disk, options: options, now: now)
      try books.check(survivor, "seed \(seed), life \(life)")
      // The log alone says the same as log, indexes and checkpoint.
      survivor.close()
      disk.delete("/spool/checkpoint")
      let rebuilt = try Office(disk, options: options, now: now)
      try books.check(rebuilt, "seed \(seed), life \(life), rebuilt")
      #expect(!rebuilt.journal.contains { $0.contains("damaged at") }, "seed \(seed), life \(life)")
      rebuilt.close()
      // What was not answered has been decided now.
      try books.settle(rebuilt)
    }
  }
}

extension Books {
  /// Takes over what the machine has made of the unanswered.
  fileprivate mutating func settle(_ office: Office) throws {
    for (index, name) in Books.names.enumerated() {
      let found = try office.read(name)
      for message in found { kept[index][message.uid] = message.content }
      deleted[index] = Set(kept[index].keys).subtracting(found.map(\.uid))
      unanswered[index] = []
      open[index] = []
    }
  }
}

extension Office {
  /// The sequence numbers a snapshot shows, in order.
  static func numbers(_ snapshot: Snapshot) throws -> [UInt64] {
    var numbers: [UInt64] = []
    try snapshot.visit(from: 1) {
      numbers.append($2)
      return true
    }
    return numbers
  }
}
