import Spool
import System
import Wire

/// `mail show`.
struct MailShow {
  let site: Site
  let invocation: Invocation
  let output: Output

  func run() throws(Failure) -> ExitCode {
    let name = try site.maildrop(invocation.operands[0])
    let word = invocation.operands[1]
    guard let sequence = word.span.decimal else {
      var text = Bytes()
      text.append(quoted: word.span)
      text += " is no message number; `restante mail list` shows them"
      throw Failure(.usage, text)
    }
    guard let reader = try site.reader(name), let entry = reader.entries.first(where: { $0.sequence == sequence })
    else { throw MailShow.missing(sequence, name) }
    if entry.state == .purged || entry.state == .reclaimed { throw MailShow.purged(sequence, name) }
    var content = try MessageContent(entry, reader, name)
    var wire = WireReader(lineEnd: invocation.has(.raw) ? .crlf : .lf)
    var screen = !invocation.has(.raw) && Process.isTerminal(1) ? ScreenText(Printable.locale) : nil
    var chunk = Bytes()
    var text = Bytes()
    while try content.next(&chunk) {
      text.removeAll(keepingCapacity: true)
      wire.read(chunk.span, into: &text)
      if screen != nil { screen?.filter(&text) }
      output.write(text)
    }
    return .ok
  }

  static func missing(_ sequence: UInt64, _ name: Bytes) -> Failure {
    var text = Bytes("there is no message ")
    text.append(decimal: sequence)
    text += " in the maildrop of "
    text += name
    text += "; `restante mail list "
    text += name
    text += " --all` shows what there is"
    return Failure(.data, text)
  }

  static func purged(_ sequence: UInt64, _ name: Bytes) -> Failure {
    var text = Bytes("message ")
    text.append(decimal: sequence)
    text += " of "
    text += name
    text += " is gone for good: it was deleted longer ago than KeepDeleted= says, or the disk needed the room"
    return Failure(.data, text)
  }
}
