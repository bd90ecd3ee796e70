import POP3
import Testing
import Wire

@Suite("CAPA, LANG and UTF8")
struct CapabilityTests {
  private static let always = """
    S: TOP
    S: UIDL
    S: RESP-CODES
    S: AUTH-RESP-CODE
    S: PIPELINING
    S: USER
    S: SASL PLAIN SCRAM-SHA-256
    S: UTF8
    S: LANG
    S: EXPIRE NEVER
    S: IMPLEMENTATION Restante
    S: .

    """

  @Test("CAPA is the same before and after login")
  func bothStates() {
    Dialogue(
      "C: CAPA\nS: +OK *\n\(Self.always)C: USER anna\nS: +OK *\nC: PASS se cret\nS: +OK *\nC: CAPA\nS: +OK *\n"
        + Self.always + "C: CAPA all\nS: -ERR *\n"
    ).hold()
  }

  @Test("EXPIRE, LOGIN-DELAY and UTF8 USER follow the settings")
  func settings() {
    var caller = Caller(
      settings: Settings(
        hostName: Bytes("m"), implementation: Bytes("X-1"), expireDays: 30, loginDelay: 60, utf8Names: true))
    caller.hear("CAPA\r\n".utf8)
    #expect(
      caller.sent.text.hasSuffix("UTF8 USER\r\nLANG\r\nEXPIRE 30\r\nLOGIN-DELAY 60\r\nIMPLEMENTATION X-1\r\n.\r\n"))
  }

  @Test("LANG lists the languages, and selects one by a basic language range")
  func language() {
    Dialogue(
      """
      C: LANG
      S: +OK *
      S: i-default
      S: en English
      S: de Deutsch
      S: .
      C: LANG de
      S: +OK de Ab jetzt auf Deutsch.
      C: RETR 1
      S: -ERR Das geht erst nach dem Anmelden.*
      C: LANG xx
      S: -ERR Diese Sprache spricht der Server nicht.*
      C: LANG EN-gb
      S: +OK en English it is.
      C: LANG de-AT
      S: +OK de *
      C: LANG *
      S: +OK i-default *
      C: LANG de-*
      S: +OK de *
      C: LANG i-default
      S: +OK i-default *
      C: LANG deutsch
      S: -ERR This server does not speak*
      C: LANG de en
      S: -ERR *
      """
    ).hold()
  }

  @Test("The language stays after login, and may be changed there")
  func languageAfterLogin() {
    Dialogue(
      """
      C: LANG de
      S: +OK de *
      C: USER anna
      S: +OK Nun bitte das Passwort.
      C: PASS se cret
      S: +OK Willkommen. Ihr Postfach enthält 3 Nachrichten (* Oktette).
      C: LANG en
      S: +OK en *
      C: NOOP
      S: +OK Here.
      """
    ).hold()
  }

  @Test("A message that needs UTF-8 is refused with [UTF8] to a client that has not said UTF8, and kept")
  func utf8() {
    let make = {
      Caller(MemoryMaildrop(["Subject: a\r\n\r\n.\r\n", "Subject: ä\r\n\r\nx\r\n.\r\n"], needsUTF8: [2]))
    }
    let caller = Dialogue.loggedIn(
      """
      C: LIST 2
      S: +OK 2 *
      C: RETR 2
      S: -ERR [UTF8] Message 2 *
      C: TOP 2 0
      S: -ERR [UTF8] Message 2 *
      C: RETR 1
      S: +OK *
      S: Subject: a
      S:\u{20}
      S: .
      C: QUIT
      S: +OK *
      CLOSE
      """
    ).hold(with: make)
    #expect(caller.deleted == nil)
    Dialogue(
      """
      C: UTF8 now
      S: -ERR *
      C: UTF8
      S: +OK *
      C: USER anna
      S: +OK *
      C: PASS se cret
      S: +OK *
      C: TOP 2 0
      S: +OK *
      S: Subject: ä
      S:\u{20}
      S: .
      """
    ).hold(with: make)
  }
}
