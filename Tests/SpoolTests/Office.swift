import System
import Testing
import Wire

@testable import Spool

/// A spool on a disk of memory, asked for one thing after the other.
final class Office {
  let disk: MemoryDisk
  private(set) var spool: Spool
  private(set) var events: [SpoolEvent] {
    get { log.events }
    set { log.events = newValue }
  }
  var now: Int64 = 1_800_000_000
  private let log = EventLog()
  private var nextTag: UInt64 = 1
  static let root = Path("/spool")

  final class EventLog { var events: [SpoolEvent] = [] }

  init(_ disk: MemoryDisk = MemoryDisk(), options: SpoolOptions = SpoolOptions(), now: Int64 = 1_800_000_000) throws {
    self.disk = disk
    self.now = now
    let log = self.log
    spool = try Spool(Office.root, files: disk, options: options, now: now) { log.events.append($0) }
  }

  /// Waits for the committer to have said something, and hands it to `body`.
  func collect(_ body: (Completion) -> Void) {
    var poll = try! Poll()
    try! poll.add(spool.wakeUp, .read, token: 0)
    try! poll.wait(milliseconds: 10_000) { _, _ in }
    spool.collect(body)
  }

  /// Content in wire format with `body` in it.
  static func content(_ body: String) -> Bytes { Bytes(Array("Subject: \(body)\r\n\r\n\(body)\r\n.\r\n".utf8)) }

  /// Delivers one message and waits for the answer.
  func deliver(
    _ content: Bytes, to names: [StaticString], piece: Int = .max, utf8: Bool = false
  ) -> Result<UInt64, SpoolError> {
    let draft = spool.begin(tag: 0)
    var at = 0
    while content.count - at > piece {
      draft.content += content[at..<(at + piece)]
      at += piece
      if spool.shouldOffload(draft) {
        spool.offload(draft)
        var failure: SpoolError?
        var answered = false
        while !answered {
          collect {
            if case .offloaded(_, let error) = $0 {
              failure = error
              answered = true
            }
          }
        }
        if let failure { return .failure(failure) }
      }
    }
    draft.content += content[at...]
    spool.commit(draft, recipients: names.map { Bytes($0) }, octets: content.count - 3, utf8: utf8, now: now)
    var answer: Result<UInt64, SpoolError>?
    while answer == nil {
      collect {
        switch $0 {
        case .stored(_, let sequence): answer = .success(sequence)
        case .refused(_, let error): answer = .failure(error)
        default: break
        }
      }
    }
    return answer!
  }

  /// Waits for what was asked with `tag`.
  private func wait(_ tag: UInt64) -> SpoolError? {
    var answer: SpoolError??
    while answer == nil {
      collect { if case .updated(tag, let error) = $0 { answer = .some(error) } }
    }
    return answer!
  }

  func delete(_ numbers: [Int], of snapshot: Snapshot) throws -> SpoolError? {
    nextTag += 1
    try spool.delete(numbers, of: snapshot, tag: nextTag, now: now)
    return wait(nextTag)
  }

  func restore(_ sequences: [UInt64], of name: StaticString) -> SpoolError? {
    nextTag += 1
    spool.restore(sequences: sequences, of: Bytes(name), tag: nextTag, now: now)
    return wait(nextTag)
  }

  /// Lets time do its work until there is nothing left to do.
  func sweep() {
    for _ in 0..<10_000 {
      let more = spool.tick(now: now)
      if !more {
        if !spool.isSweeping { return }
        collect { _ in }
      }
    }
    Issue.record("the sweeper does not come to an end")
  }

  /// Every message of a maildrop: sequence number and content.
  func read(_ name: StaticString) throws -> [(uid: UInt64, content: Bytes)] {
    try Office.read(try spool.open(Bytes(name)))
  }

  static func read(_ snapshot: Snapshot) throws -> [(uid: UInt64, content: Bytes)] {
    var found: [(uid: UInt64, content: Bytes)] = []
    var uids: [UInt64] = []
    if snapshot.count > 0 {
      try snapshot.visit(from: 1) {
        uids.append($2)
        return true
      }
    }
    for (index, uid) in uids.enumerated() {
      let message = try snapshot.open(index + 1)
      var content = Bytes()
      try message.read(into: &content, count: Int(message.count), at: 0)
      found.append((uid, content))
    }
    return found
  }

  /// Ends in good order and starts again on the same disk.
  func restart(options: SpoolOptions? = nil) throws {
    let options = options ?? spool.options
    spool.close()
    log.events = []
    let log = self.log
    spool = try Spool(Office.root, files: disk, options: options, now: now) { log.events.append($0) }
  }

  func close() { spool.close() }

  /// The events as a technician reads them.
  var journal: [String] {
    events.map { event in
      var text = Bytes()
      event.event.describe(into: &text)
      return text.text
    }
  }
}
