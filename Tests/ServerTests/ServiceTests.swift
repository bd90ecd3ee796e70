import System
import Testing
import Wire

@testable import Server

@Suite("The server at work", .serialized)
struct ServiceTests {
  @Test("a message goes in by SMTP and comes out by POP3, octet by octet")
  func through() throws {
    let server = try RunningServer()
    let sender = try Client(server.smtp)
    try sender.greet()
    let body = "Subject: dots\r\n\r\n..one\r\n..\r\nlast\r\n.\r\n"
    #expect(try sender.deliver(body, to: "sales@office.example").hasPrefix("250 2.6.0 "))
    for name in ["anna", "bert"] {
      let reader = try Client(server.pop3)
      try reader.logIn(name)
      #expect(try reader.ask("STAT\r\n").hasPrefix("+OK 1 "))
      let message = try reader.ask("RETR 1\r\n", until: "\r\n.\r\n")
      #expect(message.hasSuffix("\r\n" + body))
      #expect(message.contains("\r\nReceived: "))
      #expect(try reader.ask("TOP 1 1\r\n", until: "\r\n.\r\n").hasSuffix("\r\nSubject: dots\r\n\r\n..one\r\n.\r\n"))
      #expect(try reader.ask("TOP 1 0\r\n", until: "\r\n.\r\n").hasSuffix("\r\nSubject: dots\r\n\r\n.\r\n"))
      #expect(try reader.ask("TOP 1 99\r\n", until: "\r\n.\r\n").hasSuffix("\r\n" + body))
      #expect(try reader.ask("DELE 1\r\n").hasPrefix("+OK "))
      #expect(try reader.ask("QUIT\r\n", until: nil).hasPrefix("+OK "))
    }
    let again = try Client(server.pop3)
    try again.logIn()
    #expect(try again.ask("STAT\r\n") == "+OK 0 0\r\n")
    #expect(server.journal.contains("delivered 1: from=<x@y.example> to=anna,bert "))
    #expect(server.journal.contains("fetched: anna top="))
    #expect(!server.journal.contains("pencil"))
  }

  @Test("everything at once and then nothing more: every command is answered, and the session ends")
  func pipelined() throws {
    let server = try RunningServer()
    let sender = try Client(server.smtp)
    let message = "MAIL FROM:<>\r\nRCPT TO:<anna@office.example>\r\nBDAT 9 LAST\r\nA: b\r\n\r\nc"
    sender.send("EHLO x\r\n" + String(repeating: message, count: 50) + "QUIT\r\n")
    sender.finish()
    let answers = try sender.read(until: nil)
    #expect(answers.split(separator: "\r\n").filter { $0.hasPrefix("250 2.6.0") }.count == 50)
    #expect(answers.hasSuffix("\r\n") && answers.contains("\r\n221 "))
    let reader = try Client(server.pop3)
    reader.send("USER anna\r\nPASS pencil\r\n" + String(repeating: "RETR 1\r\nTOP 2 0\r\n", count: 500) + "QUIT\r\n")
    reader.finish()
    let mail = try reader.read(until: nil)
    #expect(mail.components(of: "\r\n.\r\n") == 1000)
    #expect(mail.contains("\r\nA: b\r\n\r\nc\r\n.\r\n+OK "))
  }

  @Test("a message larger than any buffer comes out as it went in, also to a reader that takes its time")
  func large() throws {
    let server = try RunningServer()
    let sender = try Client(server.smtp)
    try sender.greet()
    // More than the kernel holds for one that does not read.
    var content = Bytes("Subject: large\r\n\r\n")
    while content.count < 6_000_000 { content += Bytes("..\(content.count) and more to fill the line\r\n".utf8) }
    content += Bytes(".\r\n".utf8)
    #expect(try sender.ask("MAIL FROM:<x@y.example>\r\n").hasPrefix("250 "))
    #expect(try sender.ask("RCPT TO:<anna@office.example>\r\n").hasPrefix("250 "))
    #expect(try sender.ask("DATA\r\n").hasPrefix("354 "))
    #expect(sender.send(content))
    #expect(try sender.read(until: "\r\n").hasPrefix("250 2.6.0 "))
    let reader = try Client(server.pop3)
    try reader.logIn()
    reader.send("RETR 1\r\nNOOP\r\n")
    // Meanwhile others are served.
    let other = try Client(server.pop3)
    try other.logIn()
    #expect(try other.ask("STAT\r\n").hasPrefix("+OK 1 "))
    let came = try reader.octets(until: "\r\n.\r\n+OK Here.\r\n")
    #expect(came.dropLast(11).suffix(content.count).elementsEqual(content))
    let top = try reader.ask("TOP 1 90000\r\n", until: "\r\n.\r\n")
    #expect(top.utf8.count > 3_000_000 && top.utf8.count < 6_000_000)
  }

  @Test("mail that cannot be taken is refused with the reason, and the journal has it")
  func refusals() throws {
    let server = try RunningServer()
    let sender = try Client(server.smtp)
    try sender.greet()
    #expect(try sender.ask("MAIL FROM:<x@y.example>\r\n").hasPrefix("250 "))
    #expect(try sender.ask("RCPT TO:<nobody@office.example>\r\n").hasPrefix("550 5.1.1 "))
    #expect(try sender.ask("RCPT TO:<anna@elsewhere.example>\r\n").hasPrefix("550 5.7.1 "))
    #expect(try sender.ask("RSET\r\n").hasPrefix("250 "))
    #expect(try sender.ask("MAIL FROM:<x@y.example> SIZE=99999999999\r\n").hasPrefix("552 5.3.4 "))
    #expect(try sender.deliver("bare\nline\r\n.\r\n").hasPrefix("550 5.6.0 "))
    let journal = server.journal
    #expect(journal.contains("<6>refused recipient <nobody@office.example>: nobody here has this name from=<x@y."))
    #expect(journal.contains("<6>refused recipient <anna@elsewhere.example>: not our domain"))
    #expect(journal.contains("<5>refused message: 550 5.6.0 "))
  }

  @Test("a maildrop takes what its quota allows: refused at RCPT if the size is told, after the content if not")
  func quota() throws {
    let server = try RunningServer()
    let sender = try Client(server.smtp)
    try sender.greet()
    #expect(try sender.ask("MAIL FROM:<x@y.example> SIZE=20000\r\n").hasPrefix("250 "))
    #expect(try sender.ask("RCPT TO:<small@office.example>\r\n").hasPrefix("452 4.2.2 "))
    #expect(try sender.ask("RCPT TO:<anna@office.example>\r\n").hasPrefix("250 "))
    #expect(try sender.ask("RSET\r\n").hasPrefix("250 "))
    let long = String(repeating: "0123456789\r\n", count: 1000) + ".\r\n"
    #expect(try sender.deliver(long, to: "small@office.example").hasPrefix("452 4.2.2 "))
    #expect(try sender.deliver("short\r\n.\r\n", to: "small@office.example").hasPrefix("250 2.6.0 "))
    #expect(try sender.deliver(long, to: "anna@office.example").hasPrefix("250 2.6.0 "))
  }

  @Test("a wrong password and an unknown name are answered alike; a right one still works")
  func passwords() throws {
    let server = try RunningServer()
    let reader = try Client(server.pop3)
    #expect(try reader.read(until: "\r\n").hasPrefix("+OK "))
    var answers: [String] = []
    for (name, password) in [("anna", "wrong"), ("nobody", "wrong"), ("nobody", "pencil"), ("anna", "pencil ")] {
      #expect(try reader.ask("USER \(name)\r\n").hasPrefix("+OK "))
      answers.append(try reader.ask("PASS \(password)\r\n"))
    }
    #expect(answers.allSatisfy { $0 == answers[0] && $0.hasPrefix("-ERR [AUTH] ") })
    #expect(try reader.ask("USER Anna@Office.Example\r\n").hasPrefix("+OK "))
    #expect(try reader.ask("PASS pencil\r\n").hasPrefix("+OK "))
    #expect(!server.journal.contains("nobody"), "a password may have been typed where the name goes")
    #expect(server.journal.contains("<4>login refused: anna: wrong password service=POP3 peer=127.0.0.1"))
  }

  @Test("beyond a limit a connection hears why before it is closed, and its place is free when another goes")
  func limits() throws {
    let server = try RunningServer {
      $0.smtp.maximumConnectionsPerAddress = 2
      $0.pop3.maximumConnections = 1
    }
    let first = try Client(server.smtp)
    try first.greet()
    let second = try Client(server.smtp)
    try second.greet()
    let third = try Client(server.smtp)
    #expect(try third.read(until: nil).hasPrefix("421 4.7.0 "))
    let reader = try Client(server.pop3)
    try reader.logIn()
    let other = try Client(server.pop3)
    #expect(try other.read(until: nil).hasPrefix("-ERR [SYS/TEMP] "))
    #expect(try reader.ask("QUIT\r\n", until: nil).hasPrefix("+OK "))
    let again = try Client(server.pop3)
    try again.logIn()
    #expect(server.journal.contains("MaximumConnectionsPerAddress=2 is reached service=SMTP peer=127.0.0.1"))
    #expect(server.journal.contains("MaximumConnections=1 is reached service=POP3 peer=127.0.0.1"))
  }

  @Test("a peer that breaks off anywhere leaves nothing behind")
  func brokenOff() throws {
    let server = try RunningServer()
    let dialogue = "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<anna@office.example>\r\nDATA\r\nA: b\r\n\r\nc\r\n."
    for length in stride(from: 0, through: dialogue.utf8.count, by: 3) {
      let client = try Client(server.smtp)
      client.send(String(dialogue.prefix(length)))
      if length % 2 == 0 { client.finish() }
    }
    let reader = try Client(server.pop3)
    try reader.logIn()
    #expect(try reader.ask("STAT\r\n") == "+OK 0 0\r\n")
    let control = try Client(at: server.directory.appending("control"))
    var status = ""
    repeat { status = try control.ask("STATUS\n", until: "\r\n.\r\n") } while !status.contains("connections.smtp=0\r\n")
  }

  @Test("a new account counts at once, and a removed one is gone")
  func accounts() throws {
    let server = try RunningServer()
    let sender = try Client(server.smtp)
    try sender.greet()
    #expect(try sender.ask("MAIL FROM:<>\r\n").hasPrefix("250 "))
    #expect(try sender.ask("RCPT TO:<carl@office.example>\r\n").hasPrefix("550 5.1.1 "))
    try server.write("carl" + RunningServer.account + "\n", to: server.directory.appending("accounts"))
    #expect(try sender.ask("RCPT TO:<carl@office.example>\r\n").hasPrefix("250 "))
    let reader = try Client(server.pop3)
    try reader.logIn("carl")
    let other = try Client(server.pop3)
    try other.read(until: "\r\n")
    #expect(try other.ask("USER anna\r\n").hasPrefix("+OK "))
    #expect(try other.ask("PASS pencil\r\n").hasPrefix("-ERR [AUTH] "))
  }
}

extension String {
  /// How often `part` is in it.
  fileprivate func components(of part: String) -> Int {
    let (all, part) = (Bytes(utf8), Bytes(part.utf8))
    var count = 0
    var at = 0
    while at + part.count <= all.count {
      if all[at] == part[0], all[at..<(at + part.count)].elementsEqual(part) {
        count += 1
        at += part.count
      } else {
        at += 1
      }
    }
    return count
  }
}
