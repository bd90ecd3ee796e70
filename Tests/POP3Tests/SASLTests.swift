import POP3
import Testing
import Wire

@Suite("AUTH")
struct SASLTests {
  static let settings = Settings(hostName: Bytes("m"), requireTLS: true, offersTLS: true)

  @Test("PLAIN with the name and password in the command, and after an empty challenge as Thunderbird does it")
  func plain() {
    for script in ["C: AUTH PLAIN AGFubmEAc2UgY3JldA==", "C: auth plain\nS: + \nC: AGFubmEAc2UgY3JldA=="] {
      let caller = Dialogue("\(script)\nS: +OK Welcome*\nC: STAT\nS: +OK 3 *").hold()
      #expect(caller.logins == ["anna|se cret"])
    }
  }

  @Test("A wrong password is told as it is to PASS, and the client may try again in any way")
  func wrong() {
    let caller = Dialogue(
      """
      C: AUTH PLAIN AGFubmEAeA==
      S: -ERR [AUTH] The user name or the password is wrong.*
      C: AUTH PLAIN YmVydABhbm5hAHNlIGNyZXQ=
      S: -ERR [AUTH] The user name or the password is wrong.*
      C: AUTH PLAIN
      S: + \n\
      C: AGFubmEAeA==
      S: -ERR [AUTH] The user name or the password is wrong.*
      C: USER anna
      S: +OK *
      C: PASS se cret
      S: +OK *
      """
    ).hold()
    #expect(caller.logins == ["anna|x", "anna|x", "anna|se cret"])
  }

  @Test("SCRAM goes through both of its turns, and ends when the client has seen who we are")
  func scram() {
    let caller = Dialogue(
      """
      C: AUTH SCRAM-SHA-256 YW5uYQ==
      S: + Y2hhbGxlbmdl
      C: cHJvb2Y=
      S: + dj1zZXJ2ZXI=
      C:\u{20}
      S: +OK Welcome*
      C: NOOP
      S: +OK *
      """
    ).hold()
    #expect(caller.logins == ["first|anna", "final|proof", "acknowledged"])
    Dialogue(
      """
      C: AUTH SCRAM-SHA-256-PLUS
      S: + \n\
      C: YW5uYQ==
      S: + Y2hhbGxlbmdl
      C: AAAA
      S: -ERR [AUTH] *
      C: AUTH SCRAM-SHA-256-PLUS eA==
      S: -ERR [AUTH] *
      """
    ).hold { Caller(tls: true) }
  }

  @Test("Whoever does not acknowledge SCRAM's last word is not logged in")
  func unacknowledged() {
    for last in ["*", "AAAA", "STAT"] {
      let login = "C: AUTH SCRAM-SHA-256 YW5uYQ==\nS: + *\nC: cHJvb2Y=\nS: + *\n"
      let caller = Dialogue("\(login)C: \(last)\nS: -ERR *\nC: STAT\nS: -ERR *").hold()
      #expect(caller.logins == ["first|anna", "final|proof"])
    }
  }

  @Test("`*` gives the login up; what is no base 64 or too long is answered; none of it is taken for a command")
  func abnormal() {
    let long = String(repeating: "A", count: 3000)
    let caller = Dialogue(
      """
      C: AUTH PLAIN
      S: + \n\
      C: *
      S: -ERR The login was given up*
      C: AUTH PLAIN *
      S: -ERR The login was given up*
      C: AUTH PLAIN
      S: + \n\
      C: USER anna
      S: -ERR *cannot be read*
      C: AUTH PLAIN =
      S: -ERR *cannot be read*
      C: AUTH PLAIN
      S: + \n\
      C: \(long)
      S: -ERR *too long*
      C: PASS se cret
      S: -ERR Give the user name first*
      """
    ).hold()
    #expect(caller.logins.isEmpty)
  }

  @Test("AUTH alone lists the mechanisms; with PLUS only where TLS has begun")
  func list() {
    Dialogue("C: AUTH\nS: +OK *\nS: PLAIN\nS: SCRAM-SHA-256\nS: .\nC: QUIT\nS: +OK *\nCLOSE").hold()
    Dialogue("C: AUTH\nS: +OK *\nS: PLAIN\nS: SCRAM-SHA-256\nS: SCRAM-SHA-256-PLUS\nS: .").hold {
      Caller(settings: Self.settings, secure: false, tls: true)
    }
  }

  @Test("Guessing by AUTH ends the session as guessing by PASS does")
  func tooMany() {
    let attempt = "C: AUTH PLAIN AGFubmEAeA==\nS: -ERR [AUTH] *\n"
    Dialogue(String(repeating: attempt, count: Int(Limits.pop3Errors)) + "C: AUTH PLAIN AGFubmEAeA==\nCLOSE").hold()
  }

  @Test("A line that begins like TLS is no reason to speak of TLS where it has begun")
  func octet() {
    Dialogue("C: \u{16}\u{3}\nS: -ERR This server does not know*").hold { Caller(tls: true) }
  }

  @Test("The server's end may come in the middle of an exchange")
  func shutDown() {
    var caller = Caller()
    caller.hear("AUTH PLAIN\r\n".utf8)
    caller.shutDown()
    #expect(caller.sent.text.contains("-ERR [SYS/TEMP] The server is being restarted."))
  }
}
