import Server
import Spool
import System
import Wire

/// The spool, opened by this process because no server runs.
final class DirectSpool {
  private let spool: Spool
  private var poll: Poll
  /// Answers that are still to come.
  private var pending = 0
  /// Messages that are on the disk.
  private(set) var stored = 0
  /// The first thing that went wrong.
  private var error: SpoolError?

  /// Messages under way at one time; each is at most as large as may be held in memory.
  private static let together = 16

  init(_ site: Site) throws(Failure) {
    do throws(SpoolError) {
      spool = try Spool(
        site.spool, files: site.files, options: Server.options(site.configuration, site.files), now: Clock.now
      ) { event in
        // What a technician must know; that it was opened and closed is no news.
        let event = event.event
        if event.severity <= 5 {
          var text = Bytes()
          event.describe(into: &text)
          Complaint.write(text)
        }
      }
    } catch {
      throw Failure(Bytes("cannot open the spool"), error)
    }
    do throws(Errno) {
      poll = try Poll()
      try poll.add(spool.wakeUp, .read, token: 0)
    } catch {
      throw Failure("cannot wait for the spool in", site.spool, error)
    }
  }

  func close() { spool.close() }

  /// Begins to store a message. Some may be under way together, so that one flush serves them all; `settle` waits.
  func deliver(_ parcel: Parcel, to name: Bytes, octets: Int, time: Int64) throws(Failure) {
    guard spool.hasRoom else { throw Failure(Bytes("cannot store a message"), SpoolError.full) }
    let draft = spool.begin(tag: 1)
    do throws(Failure) {
      var chunk = Bytes()
      var position: Int64 = 0
      while try parcel.read(&chunk, &position) {
        draft.content += chunk
        guard spool.shouldOffload(draft) else { continue }
        spool.offload(draft)
        pending += 1
        try wait(atMost: 0)
        try check("cannot store a message")
      }
    } catch {
      spool.abandon(draft)
      throw error
    }
    spool.commit(draft, recipients: [name], octets: octets, utf8: false, now: time)
    pending += 1
    try wait(atMost: DirectSpool.together - 1)
    try check("cannot store a message")
  }

  /// Waits until all messages are stored.
  func settle() throws(Failure) {
    try wait(atMost: 0)
    try check("cannot store a message")
  }

  func delete(_ sequences: [UInt64], of name: Bytes) throws(Failure) {
    spool.delete(sequences: sequences, of: name, tag: 1, now: Clock.now)
    pending += 1
    try wait(atMost: 0)
    try check("cannot delete mail")
  }

  func discard(_ sequences: [UInt64], of name: Bytes) throws(Failure) {
    spool.discard(sequences: sequences, of: name, tag: 1, now: Clock.now)
    pending += 1
    try wait(atMost: 0)
    try check("cannot delete mail")
  }

  func restore(_ sequences: [UInt64], of name: Bytes) throws(Failure) {
    spool.restore(sequences: sequences, of: name, tag: 1, now: Clock.now)
    pending += 1
    try wait(atMost: 0)
    try check("cannot restore mail")
  }

  private func check(_ doing: StaticString) throws(Failure) {
    if let error { throw Failure(Bytes(doing), error) }
  }

  private func take(_ completion: Completion) {
    pending -= 1
    switch completion {
    case .stored: stored += 1
    case .refused(_, let error): self.error = self.error ?? error
    case .offloaded(_, let error), .updated(_, let error): self.error = self.error ?? error
    }
  }

  /// Waits until no more than `most` answers are to come.
  private func wait(atMost most: Int) throws(Failure) {
    while true {
      spool.collect { take($0) }
      if pending <= most { return }
      do throws(Errno) { try poll.wait(milliseconds: -1) { _, _ in } } catch {
        throw Failure(.io, Bytes("cannot wait for the spool: ") + error.text)
      }
    }
  }
}
