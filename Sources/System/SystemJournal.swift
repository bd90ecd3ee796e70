import CLinux
import Wire

/// systemd's journal, spoken to in its own way, by a thread of its own: sd_journal_sendv(3) waits while the journal
/// hangs, and mail must not.
public final class SystemJournal: @unchecked Sendable {
  private let lock = Lock()
  private let condition = Condition()
  /// Entries: lines `NAME=value`, and an empty one at the end of each.
  private var waiting = Bytes()
  private var isSending = false
  private var hasThread = false
  private var failures = 0

  /// Octets taken for a journal that hangs.
  private static let most = 64 * 1024

  public init() {}

  /// Whether what is written to `descriptor` comes to the journal anyway, as lines.
  public static func receives(_ descriptor: Int32) -> Bool { cl_journal_is(descriptor) != 0 }

  /// Takes all `entries`, or none while too many wait.
  public func take(_ entries: inout Bytes) {
    lock.locked {
      guard !entries.isEmpty, waiting.count + entries.count <= SystemJournal.most || waiting.isEmpty else { return }
      if !hasThread {
        do throws(Errno) {
          try Thread.start(stack: 64 * 1024) { [self] in work() }
          hasThread = true
        } catch {
          return
        }
      }
      waiting += entries
      entries.removeAll(keepingCapacity: entries.count <= 4096)
      condition.signal()
    }
  }

  /// Entries that could not be sent since this was last asked.
  public func takeFailures() -> Int {
    lock.locked {
      defer { failures = 0 }
      return failures
    }
  }

  /// Waits until everything taken is sent, `microseconds` at most.
  public func finish(microseconds: Int64) {
    let end = Clock.monotonicMicroseconds + microseconds
    lock.locked {
      while isSending || !waiting.isEmpty {
        guard hasThread, condition.wait(lock, microseconds: max(0, end - Clock.monotonicMicroseconds)) else { break }
      }
    }
  }

  private func work() {
    var entries = Bytes()
    while true {
      let failed = send(entries.span)
      entries.removeAll(keepingCapacity: entries.count <= 4096)
      lock.locked {
        failures += failed
        isSending = false
        condition.signal()
        while waiting.isEmpty { condition.wait(lock) }
        swap(&waiting, &entries)
        isSending = true
      }
    }
  }

  /// Returns how many of the entries could not be sent.
  private func send(_ entries: Span<UInt8>) -> Int {
    var failed = 0
    var start = 0
    var at = 0
    while let end = entries.firstIndex(of: ASCII.lf, from: at) {
      if end == at {
        let result = unsafe entries.extracting(start..<end).withUnsafeBytes {
          unsafe cl_journal_send($0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        if result < 0 { failed += 1 }
        start = end + 1
      }
      at = end + 1
    }
    return failed
  }
}
