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
  private var now: Int64 = 0
  /// Lines that nobody took.
  private var unread = 0

  /// A journal on `descriptor`. `hasSeverity` says whether lines begin with `<N>`; by default, where it is no terminal.
  public init(descriptor: Int32 = 2, hasSeverity: Bool? = nil) {
    self.descriptor = descriptor
    self.hasSeverity = hasSeverity ?? !Process.isTerminal(descriptor)
  }

  /// Notes an event that happened at `now`, in seconds of a clock that only grows; without it, at the time last told.
  public func record(_ event: JournalEvent, now: Int64? = nil) {
    turn(now: now ?? self.now)
    if let kind = event.floods, !throttle.admits(kind) { return }
    append(event)
  }

  /// Whether ``flush(now:)`` should be called within a second.
  var isWaiting: Bool { throttle.hasLeftOut || !lines.isEmpty }

  /// Writes what was noted, as far as somebody takes it: mail comes first, whoever reads the journal.
  public func flush(now: Int64) {
    turn(now: now)
    write()
    if unread > 0, lines.isEmpty {
      append(.leftOut(lines: unread, of: "any, since nobody took them"))
      unread = 0
      write()
    }
  }

  private func write() {
    var done = 0
    while done < lines.count {
      do throws(Errno) {
        done += try Streams.writeNow(lines.span.extracting(done...), to: descriptor)
      } catch {
        if error == .interrupted { continue }
        // Nobody will ever take it, so there is nobody to tell.
        if error != .again { done = lines.count }
        break
      }
    }
    if done == lines.count {
      lines.removeAll(keepingCapacity: lines.count <= 4096)
    } else {
      lines.removeFirst(done)
    }
  }

  private func turn(now: Int64) {
    self.now = now
    var left: [(lines: Int, kind: StaticString)] = []
    throttle.turn(now: now) { left.append(($0, $1)) }
    for kind in left { append(.leftOut(lines: kind.lines, of: kind.kind)) }
  }

  private func append(_ event: JournalEvent) {
    // A burst within one turn is written in pieces rather than held.
    if lines.count >= Journal.most / 4 { write() }
    guard lines.count < Journal.most else {
      unread += 1
      return
    }
    if hasSeverity {
      lines += "<"
      lines.append(decimal: event.severity)
      lines += ">"
    }
    event.describe(into: &lines)
    lines.append(ASCII.lf)
  }

  /// Octets held for somebody who does not take them. Beyond it lines are counted instead.
  private static let most = 64 * 1024
}
