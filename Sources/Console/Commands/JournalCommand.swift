import System
import Wire

/// `journal`: what the server told systemd's journal.
struct JournalCommand {
  let invocation: Invocation
  let output: Output

  private static let usualLines = Bytes("40")

  func run() throws(Failure) -> ExitCode {
    var words = Tool.words("journalctl --no-pager --no-hostname -q")
    let export = invocation.value(.export)
    if let lines = invocation.value(.lines) ?? (export == nil ? JournalCommand.usualLines : nil) {
      guard lines.span.decimal != nil else { throw Failure(.usage, "--lines takes a number, such as 100") }
      words += [Bytes("-n"), lines]
    }
    if invocation.has(.follow) { words.append(Bytes("-f")) }
    if let who = invocation.operands.first {
      words += try JournalCommand.matches(who)
    } else {
      // What it tells, what systemd tells of it, and how updates went.
      words += Tool.words(
        "_SYSTEMD_UNIT=restante.service + UNIT=restante.service + SYSLOG_IDENTIFIER=restante-update")
    }
    guard let export else { return try run(words, output: 1) }
    return try write(words, to: Path(export))
  }

  private func write(_ words: [Bytes], to file: Path) throws(Failure) -> ExitCode {
    let target: Descriptor
    do throws(Errno) {
      target = try Files().open(file, [.write, .create, .exclusive])
    } catch {
      throw Outlet.failure(file, error)
    }
    let code = try run(words, output: target.number)
    do throws(Errno) { try Files().flush(target.number) } catch { throw Outlet.failure(file, error) }
    output.line(Bytes("the journal is in ") + file.bytes)
    return code
  }

  private func run(_ words: [Bytes], output: Int32) throws(Failure) -> ExitCode {
    guard let code = try Tool.run(words, output: output) else {
      throw Failure(
        .unavailable,
        "there is no journal on this machine (journalctl); what the server tells is on its standard error")
    }
    return code == 0 ? .ok : .io
  }

  /// The events of a maildrop, or of an address of the network, or of mail.
  private static func matches(_ who: Bytes) throws(Failure) -> [Bytes] {
    if let address = SocketAddress(who, port: 0) { return [Bytes("RESTANTE_PEER=") + address.text] }
    if who.contains(0x40) { return [Bytes("RESTANTE_RECIPIENT=") + who, Bytes("+"), Bytes("RESTANTE_FROM=") + who] }
    return [Bytes("RESTANTE_MAILDROP=") + (try Site.name(who))]
  }
}
