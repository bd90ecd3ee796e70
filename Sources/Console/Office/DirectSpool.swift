import Server
import Spool
import System
import Wire

/// The spool, opened by this process because no server runs.
final class DirectSpool {
  private let spool: Spool
  private var poll: Poll
  private var answer: Completion?

  init(_ site: Site) throws(Failure) {
    do throws(SpoolError) {
      spool = try Spool(
        site.spool, files: site.files, options: Server.options(site.configuration, site.files), now: Clock.now
      ) { event in
        // What a technician must know; that it was opened and closed is no news.
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

  /// Stores a message and waits until it is on the disk.
  func deliver(_ parcel: Parcel, to name: Bytes, octets: Int, time: Int64) throws(Failure) -> UInt64 {
    guard spool.hasRoom else { throw Failure(Bytes("cannot store a message"), SpoolError.full) }
    let draft = spool.begin(tag: 1)
    do throws(Failure) {
      var chunk = Bytes()
      var position: Int64 = 0
      while try parcel.read(&chunk, &position) {
        draft.content += chunk
        guard spool.shouldOffload(draft) else { continue }
        spool.offload(draft)
        if case .offloaded(_, let error?) = try wait() { throw Failure(Bytes("cannot store a message"), error) }
      }
    } catch {
      spool.abandon(draft)
      throw error
    }
    spool.commit(draft, recipients: [name], octets: octets, utf8: false, now: time)
    switch try wait() {
    case .stored(_, let sequence): return sequence
    case .refused(_, let error): throw Failure(Bytes("cannot store a message"), error)
    default: throw Failure(.software, "the spool gave an answer that was not asked for")
    }
  }

  func delete(_ sequences: [UInt64], of name: Bytes) throws(Failure) {
    spool.delete(sequences: sequences, of: name, tag: 1, now: Clock.now)
    try waitForUpdate("cannot delete mail")
  }

  func restore(_ sequences: [UInt64], of name: Bytes) throws(Failure) {
    spool.restore(sequences: sequences, of: name, tag: 1, now: Clock.now)
    try waitForUpdate("cannot restore mail")
  }

  private func waitForUpdate(_ doing: StaticString) throws(Failure) {
    if case .updated(_, let error?) = try wait() { throw Failure(Bytes(doing), error) }
  }

  private func wait() throws(Failure) -> Completion {
    while true {
      answer = nil
      spool.collect { answer = $0 }
      if let answer { return answer }
      do throws(Errno) { try poll.wait(milliseconds: -1) { _, _ in } } catch {
        throw Failure(.io, Bytes("cannot wait for the spool: ") + error.text)
      }
    }
  }
}
