import POP3
import Testing
import Wire

@Suite("AUTHORIZATION state")
struct AuthorizationTests {
  @Test("The greeting names the host, and holds no angle brackets that would offer APOP")
  func greeting() {
    var caller = Caller(settings: Settings(hostName: Bytes("mail.<office>.example")))
    caller.greet()
    #expect(caller.sent.text == "+OK mail.office.example POP3 ready\r\n")
  }

  @Test("A password may hold spaces, at its ends too")
  func passwordWithSpaces() {
    let caller = Dialogue(
      """
      C: USER anna
      S: +OK *
      C: PASS  two  words\u{20}
      S: -ERR [AUTH] *
      C: USER anna
      S: +OK *
      C: PASS se cret
      S: +OK *3 messages (* octets)*
      """
    ).hold()
    #expect(caller.logins == ["anna| two  words ", "anna|se cret"])
  }

  @Test("Keywords are taken in any case, user names as they are")
  func anyCase() {
    let caller = Dialogue("C: user Anna\nS: +OK *\nC: pAsS X\nS: -ERR [AUTH] *\nC: quit\nS: +OK *\nCLOSE").hold()
    #expect(caller.logins == ["Anna|X"])
  }

  @Test("A later USER replaces the one before; a wrong password asks for the name again")
  func order() {
    let caller = Dialogue(
      """
      C: PASS early
      S: -ERR *user name first*
      C: USER bert
      S: +OK *
      C: USER anna
      S: +OK *
      C: PASS wrong
      S: -ERR [AUTH] *
      C: PASS se cret
      S: -ERR *user name first*
      """
    ).hold()
    #expect(caller.logins == ["anna|wrong"])
  }

  @Test("A name or password that is missing or cannot be is refused")
  func malformed() {
    Dialogue(
      """
      C: USER
      S: -ERR *
      C: USER\u{20}
      S: -ERR *
      C: USER anna bert
      S: -ERR *
      C: USER an\u{1}na
      S: -ERR *
      C: USER anna
      S: +OK *
      C: PASS
      S: -ERR *
      C: PASS se cret
      S: +OK *
      """
    ).hold()
  }

  @Test("A user name in UTF-8 is looked up; one that is not well-formed is refused")
  func utf8Names() {
    var caller = Caller()
    caller.hear("USER änna\r\nPASS grün\r\n".utf8)
    #expect(caller.logins == ["änna|grün"])
    caller = Caller()
    caller.hear(Bytes("USER \u{E4}nna\r\n".unicodeScalars.map { UInt8($0.value) }))
    #expect(caller.sent.text.hasPrefix("-ERR This cannot be a user name"))
    caller = Caller()
    caller.hear(Bytes("USER anna\r\nPASS gr") + [0xFC, 0x6E] + Bytes("\r\n"))
    #expect(caller.sent.text.contains("-ERR [AUTH]"))
  }

  @Test("Commands of the TRANSACTION state are refused before login, and nothing is deleted")
  func wrongState() {
    let commands = ["STAT", "LIST", "LIST 1", "UIDL", "RETR 1", "TOP 1 0", "DELE 1", "RSET", "NOOP"]
    let caller = Dialogue(commands.map { "C: \($0)\nS: -ERR *after logging in*" }.joined(separator: "\n")).hold()
    #expect(caller.deleted == nil)
  }

  @Test("Commands of the AUTHORIZATION state are refused after login")
  func alreadyLoggedIn() {
    let commands = ["USER anna", "PASS x", "UTF8", "STLS", "APOP anna 0", "AUTH PLAIN"]
    Dialogue.loggedIn(commands.map { "C: \($0)\nS: -ERR *before logging in*" }.joined(separator: "\n")).hold()
  }

  @Test("APOP and mechanisms that are not offered get a hint at what to choose instead")
  func otherWays() {
    Dialogue(
      """
      C: APOP anna c4c9334bac560ecc979e58001b3e22fb
      S: -ERR APOP *normal password*
      C: AUTH CRAM-MD5
      S: -ERR This kind of login *normal password*
      C: AUTH LOGIN
      S: -ERR This kind of login *normal password*
      C: AUTH SCRAM-SHA-256-PLUS
      S: -ERR This kind of login *normal password*
      C: AUTH PLAIN x y
      S: -ERR *
      """
    ).hold()
  }

  @Test("Where TLS is required no name is asked for in the clear, and USER is not offered")
  func requireTLS() {
    let settings = Settings(hostName: Bytes("m"), requireTLS: true)
    let caller = Dialogue(
      """
      C: USER anna
      S: -ERR [AUTH] This connection is not encrypted*SSL/TLS*
      C: PASS se cret
      S: -ERR [AUTH] This connection is not encrypted*
      C: AUTH
      S: -ERR [AUTH] This connection is not encrypted*
      C: AUTH PLAIN AGFubmEAc2UgY3JldA==
      S: -ERR [AUTH] This connection is not encrypted*
      C: CAPA
      S: +OK *
      S: TOP
      S: UIDL
      S: RESP-CODES
      S: AUTH-RESP-CODE
      S: PIPELINING
      S: UTF8
      S: LANG
      S: EXPIRE NEVER
      S: IMPLEMENTATION Restante
      S: .
      """
    ).hold { Caller(settings: settings, secure: false) }
    #expect(caller.logins.isEmpty)
    Dialogue("C: USER anna\nS: +OK *").hold { Caller(settings: settings, secure: true) }
  }

  @Test("Wrong passwords end the session at the limit, with [AUTH] to the last")
  func tooManyPasswords() {
    let attempt = "C: USER anna\nS: +OK *\nC: PASS no\nS: -ERR [AUTH] *\n"
    let script = String(repeating: attempt, count: Int(Limits.pop3Errors)) + "C: USER anna\nCLOSE"
    Dialogue(script).hold()
  }

  @Test("Each way a login can fail has its code, and the client may try again")
  func failures() {
    Dialogue(
      """
      C: USER anna
      S: +OK *
      C: PASS se cret
      S: -ERR [SYS/TEMP] *
      C: USER anna
      S: +OK *
      C: PASS se cret
      S: -ERR [SYS/PERM] *
      C: USER anna
      S: +OK *
      C: PASS se cret
      S: -ERR [LOGIN-DELAY] *120 seconds*
      C: USER anna
      S: +OK *
      C: PASS se cret
      S: +OK *
      """
    ).hold {
      var caller = Caller(settings: Settings(hostName: Bytes("m"), loginDelay: 120))
      caller.authentications = [.temporary, .broken, .loginDelay]
      return caller
    }
  }

  @Test("QUIT before login says goodbye; with an argument it does not")
  func quit() {
    Dialogue("C: QUIT now\nS: -ERR *\nC: QUIT\nS: +OK *\nCLOSE").hold()
  }
}

@Suite("STLS")
struct STLSTests {
  private static let settings = Settings(hostName: Bytes("m"), requireTLS: true, offersTLS: true)

  @Test("STLS begins TLS; what was said before is forgotten, and the password may come")
  func begins() {
    var caller = Caller(settings: Self.settings, secure: false)
    caller.hear("LANG de\r\n".utf8)
    caller.hear("CAPA\r\n".utf8)
    #expect(caller.sent.text.contains("\r\nSTLS\r\n") && !caller.sent.text.contains("\r\nUSER\r\n"))
    caller.hear("STLS\r\n".utf8)
    #expect(caller.startedTLS && caller.sent.text.hasSuffix("+OK Bitte jetzt mit TLS beginnen.\r\n"))
    caller.hear("CAPA\r\n".utf8)
    #expect(caller.sent.text.contains("+OK Capabilities follow.") && !caller.sent.text.hasSuffix("STLS\r\n"))
    caller.hear("STLS\r\nUSER anna\r\nPASS se cret\r\nSTAT\r\n".utf8)
    #expect(caller.sent.text.contains("-ERR Encryption cannot be started here.") && caller.session.isLoggedIn)
  }

  @Test("The user's name and what was begun in the clear are forgotten")
  func forgets() {
    var caller = Caller(settings: Settings(hostName: Bytes("m"), offersTLS: true), secure: false)
    caller.hear("USER mallory\r\nUTF8\r\n".utf8)
    caller.hear("STLS\r\n".utf8)
    caller.hear("PASS se cret\r\n".utf8)
    #expect(caller.startedTLS && caller.logins.isEmpty)
    #expect(caller.sent.text.hasSuffix("-ERR Give the user name first, then the password.\r\n"))
  }

  @Test("On this machine STLS is offered too, though passwords are taken without")
  func onLoopback() {
    var caller = Caller(settings: Self.settings, secure: true)
    caller.hear("CAPA\r\n".utf8)
    #expect(caller.sent.text.contains("\r\nUSER\r\n") && caller.sent.text.contains("\r\nSTLS\r\n"))
    caller.hear("STLS\r\n".utf8)
    #expect(caller.startedTLS)
  }

  @Test("On a port that begins with TLS it is not offered, and passwords are taken")
  func implicit() {
    var caller = Caller(settings: Self.settings, secure: false, tls: true)
    caller.hear("CAPA\r\nSTLS\r\n".utf8)
    #expect(caller.sent.text.contains("\r\nUSER\r\nSASL PLAIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS\r\n"))
    #expect(!caller.startedTLS && !caller.sent.text.contains("\r\nSTLS\r\n"))
  }

  @Test("Commands sent along with STLS are never carried out")
  func injection() {
    var caller = Caller(settings: Self.settings, secure: false)
    caller.hear("STLS\r\nUSER mallory\r\n".utf8)
    #expect(!caller.startedTLS && caller.isClosed && caller.sent.text.hasPrefix("-ERR Commands were sent along"))
  }

  @Test("Where it is not offered STLS is refused")
  func notOffered() {
    Dialogue("C: STLS\nS: -ERR *\nC: STLS now\nS: -ERR *").hold { Caller(secure: false) }
  }
}
