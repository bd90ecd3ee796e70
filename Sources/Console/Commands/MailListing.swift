import Spool
import System
import Wire

/// Which messages of a maildrop a command is about.
enum Selection {
  /// Those that wait.
  case live
  /// Those that were deleted and can be restored.
  case deleted
  case both

  init(_ invocation: Invocation) {
    self = invocation.has(.all) ? .both : invocation.has(.deleted) ? .deleted : .live
  }

  func contains(_ entry: Entry) -> Bool {
    switch entry.state {
    case .live: self != .deleted
    case .deleted: self != .live
    case .purged, .reclaimed: false
    }
  }
}

/// `mail list`.
struct MailListing {
  let site: Site
  let invocation: Invocation
  let output: Output

  /// Octets of a message that are looked at for its header.
  private static let looked = 8 * 1024

  func run() throws(Failure) -> ExitCode {
    let name = try site.maildrop(invocation.operands[0])
    let reader = try site.reader(name)
    let selection = Selection(invocation)
    let entries = reader?.entries.filter(selection.contains) ?? []
    guard let reader, !entries.isEmpty else {
      nothing(name, selection, reader)
      return .ok
    }
    // What is piped into another program is not cut to a terminal's width.
    let columns = Process.isTerminal(1) ? max(60, Terminal.width(1) ?? 80) : Int.max
    let showsDeleted = selection != .live
    let left = 32 + (showsDeleted ? 18 : 0)
    let from = columns == .max ? 32 : (columns - left) * 2 / 5
    let printable = Printable.locale
    var line = Bytes("   SEQ  RECEIVED           SIZE  ")
    if showsDeleted { line += "DELETED           " }
    line += "FROM"
    line.pad(to: left + from + 2)
    line += "SUBJECT"
    output.line(line)
    var octets: Int64 = 0
    for entry in entries {
      octets += Int64(entry.octets)
      let (sender, subject) = MailListing.header(entry, reader)
      line.removeAll(keepingCapacity: true)
      var number = Bytes()
      number.append(decimal: entry.sequence)
      line.append(right: 6, number)
      line += "  "
      MailListing.append(time: entry.time, to: &line)
      number.removeAll(keepingCapacity: true)
      number.append(rounded: Int64(entry.octets))
      line.append(right: 7, number)
      line += "  "
      if showsDeleted {
        if entry.state == .deleted {
          MailListing.append(time: entry.deletedAt, to: &line)
          line += "  "
        } else {
          line += "-                 "
        }
      }
      let shown = columns < .max && sender.count > from ? MailListing.name(in: sender) : sender
      printable.append(shown, columns: columns == .max ? .max : from, fill: from, to: &line)
      line += " "
      printable.append(subject, columns: columns == .max ? .max : columns - left - from - 2, to: &line)
      output.line(line)
    }
    line = Bytes(" total  ")
    line.append(decimal: entries.count)
    line += entries.count == 1 ? " message, " : " messages, "
    line.append(rounded: octets)
    output.line(line)
    return .ok
  }

  private func nothing(_ name: Bytes, _ selection: Selection, _ reader: MaildropReader?) {
    var text = Bytes("no message ")
    text += selection == .deleted ? "of " : "waits for "
    text += name
    if selection == .deleted { text += " can be restored" }
    let deleted = reader?.entries.count(where: Selection.deleted.contains) ?? 0
    if selection == .live, deleted > 0 {
      text += "; "
      text.append(decimal: deleted)
      text += " that were deleted can be restored (--deleted shows them)"
    }
    output.line(text)
  }

  /// A message that came while the clock was not set has no useful time.
  private static func append(time: UInt32, to line: inout Bytes) {
    if Int64(time) < SpoolOptions.clockUnset {
      line += "(clock not set) "
    } else {
      Moment.append(Int64(time), to: &line)
    }
  }

  /// Where there is no room for all, the name before the address says most.
  private static func name(in sender: Bytes) -> Bytes {
    guard var end = sender.firstIndex(of: 0x3C) else { return sender }
    while end > 0, sender[end - 1] == ASCII.space || sender[end - 1] == 0x22 { end -= 1 }
    let start = sender.first == 0x22 ? 1 : 0
    return end > start ? Bytes(sender[start..<end]) : sender
  }

  /// What the message says of its sender and subject, decoded.
  static func header(_ entry: Entry, _ reader: MaildropReader) -> (from: Bytes, subject: Bytes) {
    var beginning = Bytes()
    do throws(SpoolError) {
      _ = try reader.open(entry).read(into: &beginning, count: looked, at: 0)
    } catch {
      return (Bytes("(cannot be read)"), Bytes("(cannot be read: see `restante check`)"))
    }
    return (
      EncodedWords.decode(HeaderField.value("from", in: beginning.span) ?? Bytes()),
      EncodedWords.decode(HeaderField.value("subject", in: beginning.span) ?? Bytes())
    )
  }
}
