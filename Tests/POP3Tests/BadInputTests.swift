import Testing
import Wire

@testable import POP3

@Suite("Bad input")
struct BadInputTests {
  /// Offers `octets` whole and octet by octet, and returns what was sent.
  private func answer(to octets: Bytes, loggedIn: Bool = false) -> (sent: String, isClosed: Bool) {
    let callers = [octets.count, 1].map { size in
      var caller = Caller()
      if loggedIn { caller.hear("USER anna\r\nPASS se cret\r\n".utf8) }
      let before = caller.sent.count
      var start = 0
      while start < octets.count {
        caller.hear(octets[start..<min(start + size, octets.count)])
        start += size
      }
      return (sent: Bytes(caller.sent[before...]).text, isClosed: caller.isClosed)
    }
    #expect(callers[0].sent == callers[1].sent && callers[0].isClosed == callers[1].isClosed)
    return callers[0]
  }

  @Test("Unknown and empty commands are refused, in both states")
  func unknown() {
    let script =
      "C: XYZZY\nS: -ERR *\nC: \nS: -ERR *\nC:  USER anna\nS: -ERR *\nC: RETRIEVE 1\nS: -ERR *\nC: ÄÖ\nS: -ERR *"
    Dialogue(script).hold()
    Dialogue.loggedIn(script).hold()
  }

  @Test("A NUL or a bare CR in a command is refused")
  func controlCharacters() {
    for octet: UInt8 in [0, 13] {
      let (sent, isClosed) = answer(to: Bytes("USER an") + [octet] + Bytes("na\r\nQUIT\r\n"))
      #expect(sent == "-ERR \(Text.notText.english)\r\n+OK Goodbye.\r\n" && isClosed)
      #expect(answer(to: Bytes("DELE 1") + [octet] + Bytes("\r\n"), loggedIn: true).sent.hasPrefix("-ERR "))
    }
  }

  @Test("Any other octet anywhere gets one line in answer")
  func everyOctet() {
    for octet in UInt8.min...UInt8.max where octet != 10 && octet != 0x16 {
      for prefix in ["", "USER ", "RETR ", "TOP 1 "] {
        for loggedIn in [false, true] {
          let (sent, isClosed) = answer(to: Bytes(prefix.utf8) + [octet] + Bytes("\r\n"), loggedIn: loggedIn)
          let isMessage = loggedIn && sent.hasPrefix("+OK") && sent.hasSuffix("\r\n.\r\n")
          #expect(isMessage || sent.split(separator: "\r\n").count == 1)
          #expect(!isClosed)
        }
      }
    }
  }

  @Test("LF alone ends a line, for people who type")
  func bareLF() {
    #expect(answer(to: Bytes("USER anna\nPASS se cret\nSTAT\n")).sent.hasSuffix("+OK 3 90\r\n"))
  }

  @Test("A line as long as the limit is taken, a longer one refused once, and the next is carried out")
  func lineLength() {
    for excess in [-1, 0, 1, 2, 100, 3000] {
      let line = "PASS " + String(repeating: "x", count: Limits.pop3CommandLine - 7 + excess)
      let (sent, isClosed) = answer(to: Bytes("USER anna\r\n\(line)\r\nQUIT\r\n".utf8))
      let expected = excess > 0 ? Text.tooLong.english : Text.refused.english
      #expect(sent == "+OK Now the password, please.\r\n-ERR \(expected)\r\n+OK Goodbye.\r\n" && isClosed)
    }
  }

  @Test("A line that does not end is refused at the limit, and ends the session when it becomes a flood")
  func endlessLine() {
    for loggedIn in [false, true] {
      let (sent, isClosed) = answer(to: Bytes(repeating: 0x41, count: 3000), loggedIn: loggedIn)
      #expect(sent == "-ERR \(Text.tooLong.english)\r\n" && !isClosed)
      let flood = answer(to: Bytes(repeating: 0x41, count: 100_000), loggedIn: loggedIn)
      #expect(flood.sent == "-ERR \(Text.tooLong.english)\r\n-ERR \(Text.tooMany.english)\r\n" && flood.isClosed)
    }
  }

  @Test("Too many commands in error end the session")
  func tooMany() {
    let errors = Int(Limits.pop3Errors)
    let (sent, isClosed) = answer(to: Bytes(String(repeating: "XYZZY\r\n", count: errors - 1).utf8))
    #expect(sent.split(separator: "\r\n").count == errors - 1 && !isClosed)
    let over = answer(to: Bytes(String(repeating: "XYZZY\r\n", count: errors + 5).utf8))
    #expect(over.sent.split(separator: "\r\n").count == errors && over.isClosed)
    #expect(over.sent.hasSuffix("-ERR \(Text.tooMany.english)\r\n"))
  }

  @Test("Being mistaken about messages is no error that ends the session: the deletions would be lost")
  func mistakes() {
    let caller = Dialogue.loggedIn(
      "C: DELE 1\nS: +OK *\n" + String(repeating: "C: DELE 1\nS: -ERR *\nC: RETR 9\nS: -ERR *\n", count: 50)
        + "C: QUIT\nS: +OK *\nCLOSE"
    ).hold()
    #expect(caller.deleted == [1])
  }

  @Test("A web browser and a TLS client get one line and the end")
  func otherProtocols() {
    for request in [
      "GET / HTTP/1.1\r\nHost: mail\r\n\r\n", "POST /x HTTP/1.0\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /\(String(repeating: "x", count: 5000)) HTTP/1.1\r\n\r\n",
    ] {
      let (sent, isClosed) = answer(to: Bytes(request.utf8))
      #expect(sent == "-ERR \(Text.http.english)\r\n" && isClosed)
    }
    let hello = answer(to: [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x0A, 0x16])
    #expect(hello.sent == "-ERR \(Text.tls.english)\r\n" && hello.isClosed)
    #expect(answer(to: Bytes("EHLO scanner\r\n")).sent == "-ERR \(Text.smtp.english)\r\n")
    // After login there is no doubt who is speaking.
    #expect(answer(to: [0x16, 0x03, 0x01, 0x0D, 0x0A], loggedIn: true) == ("-ERR \(Text.unknown.english)\r\n", false))
  }

  @Test("While an answer is awaited nothing is consumed")
  func waiting() {
    var session = Session<MemoryMaildrop>(settings: Settings(hostName: Bytes("m")), secure: true)
    var reply = Bytes()
    let input = Bytes("USER anna\r\nPASS x\r\nQUIT\r\n")
    let (consumed, effect) = session.receive(input.span, reply: &reply)
    guard case .authenticate = effect else { return #expect(Bool(false), "no password to check") }
    #expect(consumed == input.count - 6)
    let again = session.receive(Bytes("QUIT\r\n").span, reply: &reply)
    guard case .more = again.effect else { return #expect(Bool(false), "it went on") }
    #expect(again.consumed == 0)
  }
}
