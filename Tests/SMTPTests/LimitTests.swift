import SMTP
import Testing
import Wire

@Suite("Limits")
struct LimitTests {
  static let start = ContentTests.start

  static func last(_ office: Office) -> String { office.lines.last ?? "" }

  @Test(
    "A message of the largest size is taken, one octet more is not, stuffing not counted", arguments: [false, true])
  func size(isChunked: Bool) {
    let full = Bytes(".") + Bytes(repeating: 0x61, count: 4997) + Bytes("\r\n")
    for (content, isTaken) in [(full, true), (Bytes("a") + full, false)] {
      var wire = Bytes(Self.start)
      if isChunked {
        wire += Bytes("BDAT 2000\r\n") + content[..<2000] + Bytes("BDAT \(content.count - 2000) LAST\r\n")
        wire += content[2000...]
      } else {
        wire += Bytes("DATA\r\n") + (content.first == 0x2E ? Bytes(".") : Bytes()) + content + Bytes(".\r\n")
      }
      for pieces in [[wire], wire.map { [$0] }] {
        var office = Office()
        for piece in pieces { office.hear(piece) }
        #expect(Self.last(office).hasPrefix(isTaken ? "250 2.6.0" : "552 5.3.4"))
        #expect(office.deliveries.count == (isTaken ? 1 : 0))
        #expect(office.events.last == (isTaken ? "deliver" : "discard"))
        office.hear(Bytes("NOOP\r\n"))
        #expect(Self.last(office).hasPrefix("250 2.0.0"))
      }
    }
  }

  @Test("What is too large is no longer collected, and answered at its end alone")
  func largeIsNotCollected() {
    var office = Office()
    office.hear(Bytes(Self.start + "DATA\r\n"))
    for _ in 0..<1000 { office.hear(Bytes(String(repeating: "a", count: 98) + "\r\n")) }
    #expect(office.mostDraft < 5500)
    #expect(Self.last(office).hasPrefix("354"))
    #expect(office.events.last == "discard")
    office.hear(Bytes(".\r\nNOOP\r\n"))
    #expect(office.lines.suffix(2).map { $0.prefix(9) } == ["552 5.3.4", "250 2.0.0"])
  }

  @Test("A chunk that says it is too large is not collected at all, but read to its end")
  func largeChunk() {
    var office = Office()
    office.hear(Bytes(Self.start + "BDAT 5001 LAST\r\n"))
    #expect(office.events.last == "discard" && Self.last(office).hasPrefix("250 2.1.5"))
    office.hear(Bytes(String(repeating: "QUIT\r\n", count: 833) + "QUITNOOP\r\n"))
    // Three octets of the last QUIT were the chunk's; the rest is no command.
    #expect(office.lines.suffix(2).map { $0.prefix(9) } == ["552 5.3.4", "500 5.5.2"])
    #expect(office.events.last == "discard")
  }

  @Test("The declared size is told when it can be taken")
  func declared() {
    var office = Office()
    office.hear(Bytes("EHLO c\r\nMAIL FROM:<> SIZE=5000\r\nRSET\r\nMAIL FROM:<> SIZE=5001\r\nMAIL FROM:<>\r\n"))
    #expect(office.events == ["mail 5000", "discard", "mail -"])
    #expect(office.lines.filter { $0.hasPrefix("552 5.3.4") }.count == 1)
  }

  @Test("Recipients past the limit are put off, and those before it get the message")
  func recipients() {
    let settings = Settings(hostName: Bytes("m"), maximumMessageSize: 5000, recipients: 100)
    var dialogue = Dialogue("S: 220*\nC: HELO c\nS: 250*\nC: MAIL FROM:<>\nS: 250*")
    for number in 0..<100 {
      dialogue.client += Bytes("RCPT TO:<anna+\(number)@office.example>\r\n")
      dialogue.expected.append("250 2.1.5*")
    }
    for _ in 0..<3 {
      dialogue.client += Bytes("RCPT TO:<anna@office.example>\r\n")
      dialogue.expected.append("452 4.5.3*")
    }
    dialogue.client += Bytes("DATA\r\n.\r\n")
    dialogue.expected += ["354*", "250 2.6.0*"]
    let office = dialogue.hold { Office(settings) }
    #expect(office.deliveries.first?.recipients.count == 100)
  }

  @Test("Messages past the session's limit end it")
  func transactions() {
    let settings = Settings(hostName: Bytes("m"), maximumMessageSize: 5000, transactions: 2)
    let office = Dialogue(
      """
      S: 220*
      C: HELO c
      S: 250*
      C: MAIL FROM:<>
      S: 250*
      C: RSET
      S: 250*
      C: MAIL FROM:<>
      S: 250*
      C: RSET
      S: 250*
      C: MAIL FROM:<>
      S: 421 4.7.0 m *
      """
    ).hold { Office(settings) }
    #expect(office.isClosed)
  }

  @Test("A message that has passed through more than a hundred servers is cut, one that passed a hundred is not")
  func loops() {
    for (hops, code) in [(100, "250 2.6.0"), (101, "554 5.4.6")] {
      for command in ["DATA\r\n", "BDAT \(hops * 14 + 3) LAST\r\n"] {
        let wire = Bytes(
          Self.start + command + String(repeating: "Received: by\r\n", count: hops)
            + (command == "DATA\r\n" ? ".\r\n" : "\r\n."))
        var office = Office()
        office.hear(wire)
        #expect(Self.last(office).hasPrefix(code), "\(office.sent.text)")
        var bytewise = Office()
        for octet in wire { bytewise.hear([octet]) }
        #expect(bytewise.sent == office.sent)
      }
    }
  }

  @Test("Replies to a flood of pipelined commands never pile up past the limit and one reply")
  func flood() {
    let commands = String(repeating: "RCPT TO:<anna@office.example>\r\n", count: 6000)
    var office = Office()
    office.hear(Bytes("HELO c\r\nMAIL FROM:<>\r\n" + commands))
    #expect(office.mostReplies < Limits.smtpReplies + 512)
    #expect(office.lines.count == 3 + 6000)
    office.checkReplies()
  }

  @Test(
    "Commands that bring no message end the session after a hundred; a delivery begins the count anew",
    arguments: ["NOOP", "RSET", "HELP", "VRFY x", "HELO c", "EHLO c"])
  func idleCommands(command: String) {
    let flood = String(repeating: command + "\r\n", count: Limits.smtpIdleCommands)
    var office = Office()
    office.hear(Bytes(flood))
    #expect(!office.isClosed)
    office.hear(Bytes(command + "\r\n"))
    #expect(office.isClosed && Self.last(office).hasPrefix("421 4.7.0"))

    var sender = Office()
    for _ in 0..<5 {
      sender.hear(Bytes(String(repeating: command + "\r\n", count: Limits.smtpIdleCommands - 2)))
      if sender.deliveries.isEmpty { sender.hear(Bytes("HELO c\r\n")) }
      sender.hear(Bytes("MAIL FROM:<>\r\nRCPT TO:<anna@office.example>\r\n"))
      sender.hear(Bytes("BDAT 3 LAST\r\nx\r\n"))
    }
    #expect(!sender.isClosed && sender.deliveries.count == 5)
  }

  @Test("A line without an end is answered once, and ends the session when it becomes a flood")
  func endlessLine() {
    var office = Office()
    for _ in 0..<63 { office.hear(Bytes(repeating: 0x61, count: 1024)) }
    #expect(office.lines.count == 2 && Self.last(office).hasPrefix("500 5.5.2") && !office.isClosed)
    for _ in 0..<10 { office.hear(Bytes(repeating: 0x61, count: 1024)) }
    #expect(office.lines.count == 3 && Self.last(office).hasPrefix("421 4.7.0") && office.isClosed)
  }

  @Test("The text about long lines names the limit there is")
  func longLineText() {
    var office = Office()
    office.hear(Bytes(repeating: 0x61, count: Limits.smtpCommandLine))
    #expect(Self.last(office).contains(" \(Limits.smtpCommandLine) "))
  }

  @Test("An idle session is small")
  func footprint() { #expect(MemoryLayout<Session>.size < 300, "\(MemoryLayout<Session>.size) octets") }

  @Test("A delivery forgives the errors before it")
  func forgiven() {
    var office = Office()
    office.hear(Bytes(String(repeating: "XYZZY\r\n", count: 20)))
    office.hear(Bytes(Self.start + "DATA\r\n.\r\n"))
    office.hear(Bytes(String(repeating: "XYZZY\r\n", count: 20)))
    #expect(!office.isClosed)
    office.hear(Bytes("XYZZY\r\n"))
    #expect(office.isClosed && Self.last(office).hasPrefix("421"))
  }
}
