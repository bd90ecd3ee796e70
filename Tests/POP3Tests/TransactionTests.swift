import POP3
import Testing
import Wire

@Suite("TRANSACTION state")
struct TransactionTests {
  @Test("STAT, LIST and UIDL tell what is there")
  func listings() {
    Dialogue.loggedIn(
      """
      C: STAT
      S: +OK 3 90
      C: LIST
      S: +OK 3 messages (90 octets)
      S: 1 38
      S: 2 35
      S: 3 17
      S: .
      C: LIST 2
      S: +OK 2 35
      C: UIDL
      S: +OK 3 *
      S: 1 5eed-f1
      S: 2 5eed-1e2
      S: 3 5eed-2d3
      S: .
      C: UIDL 3
      S: +OK 3 5eed-2d3
      C: NOOP
      S: +OK *
      """
    ).hold()
  }

  @Test("An empty maildrop is told as one")
  func empty() {
    Dialogue.loggedIn(
      """
      C: STAT
      S: +OK 0 0
      C: LIST
      S: +OK 0 messages (0 octets)
      S: .
      C: UIDL
      S: +OK *
      S: .
      C: RETR 1
      S: -ERR *the maildrop is empty.
      C: DELE 1
      S: -ERR *
      C: QUIT
      S: +OK *
      CLOSE
      """
    ).hold { Caller(MemoryMaildrop([])) }
  }

  @Test("RETR sends the message as it is stored, TOP its header and so many lines")
  func messages() {
    Dialogue.loggedIn(
      """
      C: RETR 2
      S: +OK 35 octets
      S: Subject: dots
      S:\u{20}
      S: ..leading
      S: ..
      S: end
      S: .
      C: TOP 1 0
      S: +OK *
      S: Subject: one
      S:\u{20}
      S: .
      C: TOP 1 2
      S: +OK *
      S: Subject: one
      S:\u{20}
      S: first
      S: second
      S: .
      C: TOP 2 2
      S: +OK *
      S: Subject: dots
      S:\u{20}
      S: ..leading
      S: ..
      S: .
      C: TOP 1 99999999999999999999999999
      S: +OK *
      S: Subject: one
      S:\u{20}
      S: first
      S: second
      S: third
      S: .
      C: TOP 3 10
      S: +OK *
      S: Subject: none
      S:\u{20}
      S: .
      """
    ).hold()
  }

  @Test("Numbers may have leading zeros and spaces around them, for their meaning is plain")
  func lenient() {
    Dialogue.loggedIn("C: LIST 002\nS: +OK 2 35\nC: LIST  2\u{20}\nS: +OK 2 35\nC: stat\u{20}\nS: +OK 3 90").hold()
  }

  @Test("Numbers that are none, or of no message, are refused, and nothing happens")
  func badNumbers() {
    for command in ["LIST", "UIDL", "RETR", "DELE"] {
      let caller = Dialogue.loggedIn(
        """
        C: \(command) 0
        S: -ERR There is no message 0; the last one is 3.*
        C: \(command) 4
        S: -ERR There is no message 4; *
        C: \(command) 99999999999999999999999999999999999
        S: -ERR There is no message *
        C: \(command) -1
        S: -ERR *number*
        C: \(command) 1x
        S: -ERR *number*
        C: \(command) ü
        S: -ERR *number*
        C: \(command) 1 2
        S: -ERR *more after it*
        C: \(command) 1 1 1
        S: -ERR *more after it*
        C: QUIT
        S: +OK *
        CLOSE
        """
      ).hold()
      #expect(caller.deleted == nil)
    }
    Dialogue.loggedIn(
      """
      C: RETR
      S: -ERR *
      C: DELE
      S: -ERR *
      C: TOP
      S: -ERR *
      C: TOP 1
      S: -ERR *
      C: TOP 1 -1
      S: -ERR *
      C: TOP 1 2 3
      S: -ERR *
      C: TOP 0 1
      S: -ERR *
      C: TOP 9 1
      S: -ERR *
      """
    ).hold()
  }

  @Test("Arguments where none belong are refused")
  func noArguments() {
    Dialogue.loggedIn(
      ["STAT 1", "NOOP x", "RSET 1", "QUIT 1", "CAPA x"].map { "C: \($0)\nS: -ERR *" }.joined(separator: "\n")
    )
    .hold()
  }

  @Test("Marked messages are out of STAT, LIST, UIDL, RETR and TOP, and keep their numbers")
  func marks() {
    let caller = Dialogue.loggedIn(
      """
      C: DELE 2
      S: +OK Message 2 *
      C: DELE 2
      S: -ERR Message 2 is marked*
      C: RETR 2
      S: -ERR Message 2 is marked*
      C: TOP 2 1
      S: -ERR Message 2 is marked*
      C: LIST 2
      S: -ERR Message 2 is marked*
      C: UIDL 2
      S: -ERR Message 2 is marked*
      C: STAT
      S: +OK 2 55
      C: LIST
      S: +OK 2 messages (55 octets)
      S: 1 38
      S: 3 17
      S: .
      C: UIDL
      S: +OK *
      S: 1 5eed-f1
      S: 3 5eed-2d3
      S: .
      C: DELE 1
      S: +OK *
      C: QUIT
      S: +OK 2 messages deleted.*
      CLOSE
      """
    ).hold()
    #expect(caller.deleted == [1, 2])
  }

  @Test("RSET takes all marks back")
  func reset() {
    let caller = Dialogue.loggedIn(
      """
      C: DELE 1
      S: +OK *
      C: DELE 3
      S: +OK *
      C: RSET
      S: +OK *
      C: STAT
      S: +OK 3 90
      C: QUIT
      S: +OK *
      CLOSE
      """
    ).hold()
    #expect(caller.deleted == nil)
  }

  @Test("Nothing is deleted but by QUIT: not by vanishing, not by time, not by a shutdown, not by too many errors")
  func onlyQuitDeletes() {
    let mark = "C: DELE 1\nS: +OK *\n"
    #expect(Dialogue.loggedIn(mark).hold().deleted == nil)
    let floods = String(repeating: "C: XYZZY\nS: -ERR *\n", count: Int(Limits.pop3Errors))
    #expect(Dialogue.loggedIn(mark + floods + "CLOSE").hold().deleted == nil)
    var caller = Dialogue.loggedIn(mark).hold()
    caller.shutDown()
    #expect(caller.deleted == nil && caller.sent.text.contains("\r\n-ERR [SYS/TEMP] The server is being restarted"))
    var reply = Bytes()
    caller = Dialogue.loggedIn(mark).hold()
    caller.session.timedOut(reply: &reply)
    #expect(reply.isEmpty && caller.deleted == nil)
    let (consumed, effect) = caller.session.receive(Bytes("QUIT\r\n").span, reply: &reply)
    guard case .close = effect else { return #expect(Bool(false), "a session that timed out goes on") }
    #expect(consumed == 6 && reply.isEmpty)
  }

  @Test("Pipelined commands are all answered, in order, with replies sent before they pile up")
  func pipelining() {
    var caller = Caller()
    caller.hear("USER anna\r\nPASS se cret\r\n".utf8)
    let before = caller.sent.count
    caller.hear(String(repeating: "STAT\r\n", count: 10_000).utf8)
    #expect(caller.sent.count - before == 10_000 * "+OK 3 90\r\n".utf8.count)
    #expect(caller.longestReply <= Limits.pop3Replies + 512)
  }
}
