import System
import Wire

/// Tells the technician what happens: one line an event, on standard error.
///
/// Before a service manager each line begins with its severity in angle brackets (sd-daemon(3)); on a terminal it does
/// not. Lines are gathered and written once in each turn of the loop.
public final class Journal {
  private let descriptor: Int32
  private let hasSeverity: Bool
  private var lines = Bytes()
  private var throttle = JournalThrottle()

  /// A journal on `descriptor`. `hasSeverity` says whether lines begin with `<N>`; by default, where it is no terminal.
  public init(descriptor: Int32 = 2, hasSeverity: Bool? = nil) {
    self.descriptor = descriptor
    self.hasSeverity = hasSeverity ?? !Process.isTerminal(descriptor)
  }

  /// Notes an event that happened at `now`, in seconds of a clock that only grows.
  public func record(_ event: JournalEvent, now: Int64) {
    turn(now: now)
    if let kind = event.floods, !throttle.admits(kind) { return }
    append(event)
  }

  /// Whether ``flush(now:)`` should be called within a second.
  var isWaiting: Bool { throttle.hasLeftOut }

  /// Writes what was noted.
  public func flush(now: Int64) {
    turn(now: now)
    guard !lines.isEmpty else { return }
    Process.write(lines, to: descriptor)
    lines.removeAll(keepingCapacity: lines.count <= 4096)
  }

  private func turn(now: Int64) {
    var left: [(lines: Int, kind: StaticString)] = []
    throttle.turn(now: now) { left.append(($0, $1)) }
    for kind in left { append(.leftOut(lines: kind.lines, of: kind.kind)) }
  }

  private func append(_ event: JournalEvent) {
    if hasSeverity {
      lines += "<"
      lines.append(decimal: event.severity)
      lines += ">"
    }
    event.describe(into: &lines)
    lines.append(ASCII.lf)
    // A burst within one turn is written in pieces rather than held.
    if lines.count >= 16 * 1024 {
      Process.write(lines, to: descriptor)
      lines.removeAll(keepingCapacity: true)
    }
  }
}
