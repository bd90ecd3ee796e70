import System
import Wire

/// Tells the technician what happens: one line an event, on standard error; or, where that is systemd's journal, an
/// entry of it with its values as fields.
///
/// Before another service manager each line begins with its severity in angle brackets (sd-daemon(3)); on a terminal it
/// does not. Events are gathered and written once in each turn of the loop, which never waits for their reader.
public final class Journal {
  private let descriptor: Int32
  private let hasSeverity: Bool
  /// nil where lines are written.
  private let system: SystemJournal?
  private var lines = Bytes()
  /// What strangers can cause as often as they like, and how many lines of it this second has seen.
  private var floods: [(example: JournalEvent, kind: UInt64?, lines: Int)] = []
  private var now: Int64 = 0
  /// Lines that nobody took.
  private var unread = 0

  /// A journal on `descriptor`. `hasSeverity` says whether lines begin with `<N>`; by default, where it is no terminal.
  public init(descriptor: Int32 = 2, hasSeverity: Bool? = nil) {
    self.descriptor = descriptor
    self.hasSeverity = hasSeverity ?? !Process.isTerminal(descriptor)
    system = SystemJournal.receives(descriptor) ? SystemJournal() : nil
  }

  /// Notes an event that happened at `now`, in seconds of a clock that only grows; without it, at the time last told.
  public func record(_ event: JournalEvent, now: Int64? = nil) {
    turn(now: now ?? self.now)
    if event.floods, !admits(event) { return }
    append(event)
  }

  /// Lets so many lines of a kind through in a second and counts the rest.
  private func admits(_ event: JournalEvent) -> Bool {
    let kind = event.kind
    for index in floods.indices where floods[index].kind == kind {
      floods[index].lines += 1
      return floods[index].lines <= Limits.journalLines
    }
    floods.append((event, kind, 1))
    return true
  }

  /// Whether ``flush(now:)`` should be called within a second.
  var isWaiting: Bool { !lines.isEmpty || floods.contains { $0.lines > Limits.journalLines } }

  /// Writes what was noted, as far as somebody takes it: mail comes first, whoever reads the journal.
  public func flush(now: Int64) {
    turn(now: now)
    write()
    if unread > 0, lines.isEmpty {
      append(.leftOut(lines: unread, like: Bytes("any, since nobody took them")))
      unread = 0
      write()
    }
  }

  /// Writes what was noted, and waits a moment until it is read: nothing comes after.
  public func finish(now: Int64) {
    flush(now: now)
    system?.finish(microseconds: Int64(Limits.journalSeconds) * 1_000_000)
  }

  private func write() {
    if let system {
      system.take(&lines)
      unread += system.takeFailures()
      return
    }
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

  /// Begins a new second if `now` is one, and tells what was left out of the last.
  private func turn(now: Int64) {
    guard now != self.now else { return }
    self.now = now
    guard !floods.isEmpty else { return }
    let last = floods
    floods = []
    for flood in last where flood.lines > Limits.journalLines {
      append(.leftOut(lines: flood.lines - Limits.journalLines, like: flood.example.kindName))
    }
  }

  private func append(_ event: JournalEvent) {
    // A burst within one turn is written in pieces rather than held.
    if lines.count >= Journal.most / 4 { write() }
    guard lines.count < Journal.most else {
      unread += 1
      return
    }
    if system != nil { return event.appendEntry(to: &lines) }
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
