import Synchronization
import System
import Wire

/// What the demonstration shows, on a thread beside the server: a message goes in by SMTP and comes out by POP3, both
/// over the loopback interface; then how to do the same with a mail program.
final class DemoTour: Sendable {
  private let smtp: SocketAddress
  private let pop3: SocketAddress
  private let password: Bytes
  private let secure: Bytes
  private let journal: Int32
  private let endsAtOnce: Bool
  private let result = Atomic<Bool>(false)

  /// - Parameter secure: how the same goes with TLS.
  init(
    smtp: SocketAddress, pop3: SocketAddress, password: Bytes, secure: Bytes, journal: Int32, endsAtOnce: Bool
  ) {
    self.smtp = smtp
    self.pop3 = pop3
    self.password = password
    self.secure = secure
    self.journal = journal
    self.endsAtOnce = endsAtOnce
  }

  /// Whether the message came back as it was sent.
  var succeeded: Bool { result.load(ordering: .acquiring) }
  /// Whether the server shall end.
  var isOver: Bool { endsAtOnce || !succeeded }

  func run() {
    do throws(Failure) {
      let message = DemoTour.message()
      try send(message)
      try fetch(message)
      result.store(true, ordering: .releasing)
    } catch {
      Complaint.write(error.text)
      return
    }
    tellSettings()
    if !endsAtOnce { try? Streams.redirect(journal, to: 2) }
  }

  private static func message() -> Bytes {
    var message = Bytes("From: Restante <postmaster@demo.example>\r\nTo: Anna <anna@demo.example>\r\nDate: ")
    let now = Clock.now
    InternetDate(seconds: now, localOffset: Clock.localOffset(at: now)).append(to: &message)
    message += "\r\nSubject: Kept until called for\r\n\r\nYour mail is kept at the office until you call for it.\r\n"
    message += ".. and a line that begins with a dot arrives as it was.\r\n"
    return message
  }

  // MARK: the dialogues

  private func send(_ message: Bytes) throws(Failure) {
    say("\nA message comes in by SMTP (port ", smtp, "):\n")
    let dialogue = try DemoDialogue(smtp)
    try dialogue.expect("2")
    try dialogue.ask("EHLO client.example", "2")
    try dialogue.ask("MAIL FROM:<postmaster@demo.example>", "2")
    try dialogue.ask("RCPT TO:<anna@demo.example>", "2")
    try dialogue.ask("DATA", "3")
    var stuffer = DotStuffer(bareNewline: .reject)
    var content = Bytes()
    stuffer.append(message.span, to: &content)
    stuffer.finish(&content)
    try dialogue.send(content)
    try dialogue.expect("2")
    try dialogue.ask("QUIT", "2")
  }

  private func fetch(_ message: Bytes) throws(Failure) {
    say("\nIts owner calls for it by POP3 (port ", pop3, "):\n")
    let dialogue = try DemoDialogue(pop3)
    try dialogue.expect("+OK")
    try dialogue.ask("USER anna", "+OK")
    try dialogue.ask(Bytes("PASS ") + password, "+OK")
    try dialogue.ask("STAT", "+OK")
    try dialogue.ask("UIDL", "+OK")
    _ = try dialogue.block()
    try dialogue.ask("RETR 1", "+OK")
    let stored = try dialogue.block()
    var reader = WireReader(lineEnd: .crlf)
    var got = Bytes()
    reader.read(stored.span, into: &got)
    guard got.count > message.count, Bytes(got[(got.count - message.count)...]) == message else {
      throw Failure(.software, "the message that came back is not the one that was sent")
    }
    // It stays there, for the reader's own mail program to find.
    try dialogue.ask("QUIT", "+OK")
  }

  // MARK: the settings

  private func say(_ before: StaticString, _ address: SocketAddress, _ after: StaticString) {
    var text = Bytes(before)
    text.append(decimal: Int(address.port))
    text += after
    Process.write(text, to: 1)
  }

  private func tellSettings() {
    var text = Bytes("\nBoth are as they should be. ")
    if endsAtOnce {
      text += "Without --once the server would go on now.\n"
      Process.write(text, to: 1)
      return
    }
    text += "The server goes on; to try it with a mail program\non this machine:\n\n"
    text += "  incoming    POP3, server 127.0.0.1, port "
    text.append(decimal: Int(pop3.port))
    text += "\n  user name   anna\n  password    "
    text += password
    text += "\n  security    none (on this machine only: passwords do not leave it)\n"
    text += "  outgoing    SMTP, server 127.0.0.1, port "
    text.append(decimal: Int(smtp.port))
    text += ", no login\n  address     anna@demo.example (other domains are refused: it never relays)\n"
    text += secure
    text += "\nor from another terminal:\n\n  swaks --server 127.0.0.1 --port "
    text.append(decimal: Int(smtp.port))
    text += " --to anna@demo.example\n  curl pop3://127.0.0.1:"
    text.append(decimal: Int(pop3.port))
    text += "/1 --user anna:"
    text += password
    text += "\n\nCtrl-C ends it and removes everything. What happens meanwhile:\n\n"
    Process.write(text, to: 1)
  }
}
