import System
import Testing
import Wire

@testable import Server

@Suite("Those who keep us waiting", .serialized)
struct PatienceOverSocketsTests {
  @Test("a silent sender hears 421 4.4.2; one that goes on talking stays")
  func silentSender() throws {
    let server = try RunningServer()
    let silent = try Client(server.smtp)
    try silent.greet()
    let busy = try Client(server.smtp)
    try busy.greet()
    try server.pass(seconds: Limits.smtpIdle - 5)
    #expect(try busy.ask("NOOP\r\n").hasPrefix("250 "))
    try server.pass(seconds: 10)
    #expect(try silent.read(until: nil).hasPrefix("421 4.4.2 "))
    #expect(try busy.ask("NOOP\r\n").hasPrefix("250 "))
    #expect(server.journal.contains("session cut off: no complete command in time service=SMTP peer=127.0.0.1"))
  }

  @Test("an octet now and then is no command")
  func slowOctets() throws {
    let server = try RunningServer()
    let slow = try Client(server.smtp)
    try slow.greet()
    for _ in 0..<4 {
      slow.send("N")
      try server.pass(seconds: Limits.smtpIdle / 4 + 1)
    }
    #expect(try slow.read(until: nil).hasPrefix("421 4.4.2 "))
  }

  @Test("a message that comes an octet at a time is cut, one that keeps the pace is not")
  func slowMessage() throws {
    let server = try RunningServer()
    let steady = try Client(server.smtp)
    try steady.greet()
    let slow = try Client(server.smtp)
    try slow.greet()
    for client in [steady, slow] {
      #expect(try client.ask("MAIL FROM:<>\r\n").hasPrefix("250 "))
      #expect(try client.ask("RCPT TO:<anna@office.example>\r\n").hasPrefix("250 "))
      #expect(try client.ask("DATA\r\n").hasPrefix("354 "))
    }
    let line = String(repeating: "x", count: 70) + "\r\n"
    for _ in 0..<5 {
      steady.send(String(repeating: line, count: 1000))
      // It is cut at some point, and then what it sends may be refused.
      _ = slow.send(Bytes("x".utf8))
      try server.pass(seconds: Limits.paceSeconds / 2 + 1)
    }
    #expect(try slow.read(until: nil).hasPrefix("421 4.4.2 "))
    #expect(try steady.ask(".\r\n").hasPrefix("250 2.6.0 "))
    #expect(server.journal.contains("session cut off: the message came too slowly"))
  }

  @Test("a reader has a minute to log in, whatever it says meanwhile, and ten afterwards")
  func login() throws {
    let server = try RunningServer()
    let talker = try Client(server.pop3)
    try talker.read(until: "\r\n")
    let reader = try Client(server.pop3)
    try reader.logIn()
    for _ in 0..<3 {
      #expect(try talker.ask("CAPA\r\n", until: "\r\n.\r\n").hasPrefix("+OK "))
      try server.pass(seconds: Limits.pop3Login / 3 + 1)
    }
    #expect(try talker.read(until: nil).isEmpty)
    try server.pass(seconds: Limits.pop3Idle - Limits.pop3Login - 10)
    #expect(try reader.ask("NOOP\r\n").hasPrefix("+OK "))
    try server.pass(seconds: Limits.pop3Idle - 1)
    #expect(try reader.ask("NOOP\r\n").hasPrefix("+OK "))
    try server.pass(seconds: Limits.pop3Idle + 1)
    #expect(try reader.read(until: nil).isEmpty)
    #expect(server.journal.contains("session cut off: no login in time"))
  }

  @Test("a reader that takes nothing of what it asked for is cut, and has deleted nothing")
  func stalledReader() throws {
    let server = try RunningServer()
    let sender = try Client(server.smtp)
    try sender.greet()
    let line = String(repeating: "x", count: 70) + "\r\n"
    #expect(try sender.deliver(String(repeating: line, count: 200_000) + ".\r\n").hasPrefix("250 2.6.0 "))
    let reader = try Client(server.pop3)
    try reader.logIn()
    #expect(try reader.ask("DELE 1\r\nRSET\r\n", until: "\r\n").hasPrefix("+OK "))
    reader.send("RETR 1\r\nDELE 1\r\nQUIT\r\n")
    // The first look only finds out how far it is; and what the sockets have room for is still to be sent.
    let cut = "session cut off: what was sent is not taken"
    for _ in 0..<20 where !server.journal.contains(cut) { try server.pass(seconds: Limits.paceSeconds + 1) }
    #expect(server.journal.contains(cut))
    let again = try Client(server.pop3)
    try again.logIn()
    #expect(try again.ask("STAT\r\n").hasPrefix("+OK 1 "))
  }
}
