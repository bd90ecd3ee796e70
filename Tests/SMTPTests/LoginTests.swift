import SMTP
import Testing
import Wire

@Suite("AUTH")
struct LoginTests {
  static let settings = Settings(hostName: Bytes("m"), maximumMessageSize: 5000, offersTLS: true)
  static let plain = "AGFubmEAb3BlbiBzZXNhbWU="

  static func secure() -> Office { Office(settings, secure: true) }

  @Test(
    "PLAIN and LOGIN, with an initial response and without",
    arguments: [
      "C: AUTH PLAIN \(plain)", "C: auth plain\nS: 334 \nC: \(plain)", "C: AUTH  PLAIN  \(plain)",
      "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: YW5uYQ==\nS: 334 UGFzc3dvcmQ6\nC: b3BlbiBzZXNhbWU=",
      "C: AUTH LOGIN YW5uYQ==\nS: 334 UGFzc3dvcmQ6\nC: b3BlbiBzZXNhbWU=",
    ])
  func passwords(script: String) {
    let office = Dialogue("S: 220*\nC: EHLO c\nS...\n\(script)\nS: 235 2.7.0 *\nC: MAIL FROM:<>\nS: 250*")
      .hold(with: Self.secure)
    #expect(office.events == ["anna has open sesame", "mail -"])
  }

  @Test("SCRAM goes through both of its turns, and ends when the client has seen who we are")
  func scram() {
    let office = Dialogue(
      """
      S: 220*
      C: HELO c
      S: 250*
      C: AUTH SCRAM-SHA-256
      S: 334 \n\
      C: YW5uYQ==
      S: 334 Y2hhbGxlbmdl
      C: cHJvb2Y=
      S: 334 dj1zZXJ2ZXI=
      C:
      S: 235 2.7.0 *
      """
    ).hold(with: Self.secure)
    #expect(office.events == ["first anna", "final proof", "acknowledged"])
    for last in ["*", "AAAA", "MAIL FROM:<>"] {
      var office = Self.secure()
      office.hear(Bytes("HELO c\r\nAUTH SCRAM-SHA-256 YW5uYQ==\r\ncHJvb2Y=\r\n\(last)\r\n"))
      #expect(office.lines.last?.hasPrefix("501 5.") == true && !office.session.isAuthenticated)
    }
  }

  @Test("What cannot be is told apart, and none of it is taken for a command")
  func abnormal() {
    let long = String(repeating: "A", count: 3000)
    let office = Dialogue(
      """
      S: 220*
      C: AUTH PLAIN \(Self.plain)
      S: 503 5.5.1 *
      C: HELO c
      S: 250*
      C: AUTH
      S: 501 5.5.4 *
      C: AUTH CRAM-MD5
      S: 504 5.5.4 *
      C: AUTH SCRAM-SHA-256-PLUS
      S: 504 5.5.4 *
      C: AUTH PLAIN AGFubmEAeA==
      S: 535 5.7.8 *
      C: AUTH PLAIN YmVydABhbm5hAHg=
      S: 535 5.7.8 *
      C: AUTH PLAIN *
      S: 501 5.7.0 *
      C: AUTH PLAIN =
      S: 501 5.5.2 *
      C: AUTH LOGIN
      S: 334 *
      C: MAIL FROM:<>
      S: 501 5.5.2 *
      C: AUTH PLAIN
      S: 334 \n\
      C: \(long)
      S: 500 5.5.6 *
      C: MAIL FROM:<>
      S: 250*
      C: AUTH PLAIN \(Self.plain)
      S: 503 5.5.1 *
      C: RSET
      S: 250*
      C: AUTH PLAIN \(Self.plain)
      S: 235 *
      C: AUTH PLAIN \(Self.plain)
      S: 503 5.5.1 *
      """
    ).hold(with: Self.secure)
    #expect(office.events == ["anna has x", "mail -", "discard", "anna has open sesame"])
  }

  @Test("A fault of ours is no wrong password")
  func fault() {
    var office = Self.secure()
    office.authenticationAnswer = .temporarily
    office.hear(Bytes("HELO c\r\nAUTH PLAIN \(Self.plain)\r\n"))
    #expect(office.lines.last?.hasPrefix("454 4.7.0 ") == true && !office.session.isAuthenticated)
  }

  @Test("Somebody guessing is cut off")
  func guessing() {
    var office = Self.secure()
    office.hear(Bytes("HELO c\r\n" + String(repeating: "AUTH PLAIN AGFubmEAeA==\r\n", count: 30)))
    #expect(office.isClosed && office.events.count == Limits.smtpErrors + 2)
    #expect(office.lines.last?.hasPrefix("421 4.7.0 ") == true)
  }

  @Test("In the clear no password is taken, nor AUTH offered; EHLO says what is")
  func offers() {
    func extensions(_ office: Office) -> [String] {
      var office = office
      office.hear(Bytes("EHLO c\r\n"))
      return office.lines.filter { $0.contains("AUTH") || $0.contains("TLS") }.map { String($0.dropFirst(4)) }
    }
    #expect(extensions(Office(Self.settings)) == ["STARTTLS"])
    #expect(extensions(Office()).isEmpty)
    #expect(extensions(Office(secure: true)) == ["AUTH PLAIN LOGIN SCRAM-SHA-256"])
    #expect(extensions(Self.secure()) == ["STARTTLS", "AUTH PLAIN LOGIN SCRAM-SHA-256"])
    #expect(extensions(Office(Self.settings, tls: true)) == ["AUTH PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS"])
    let office = Dialogue("S: 220*\nC: EHLO c\nS...\nC: AUTH PLAIN \(Self.plain)\nS: 538 5.7.11 *\nC: AUTH\nS: 538*")
      .hold { Office(Self.settings) }
    #expect(office.events.isEmpty)
  }

  @Test("Received: says how the message came (RFC 3848, RFC 6531 §4.3)")
  func trace() {
    let message = "RCPT TO:<anna@office.example>\r\nBDAT 2 LAST\r\n\r\n"
    let login = "AUTH PLAIN \(Self.plain)\r\n"
    for (tls, before, mail, expected) in [
      (false, "HELO c\r\n", "MAIL FROM:<>", "SMTP"), (false, "EHLO c\r\n", "MAIL FROM:<>", "ESMTP"),
      (false, "EHLO c\r\n\(login)", "MAIL FROM:<>", "ESMTPA"), (true, "EHLO c\r\n", "MAIL FROM:<>", "ESMTPS"),
      (true, "EHLO c\r\n\(login)", "MAIL FROM:<>", "ESMTPSA"), (true, "HELO c\r\n", "MAIL FROM:<>", "SMTP"),
      (false, "EHLO c\r\n", "MAIL FROM:<> SMTPUTF8", "UTF8SMTP"),
      (false, "EHLO c\r\n\(login)", "MAIL FROM:<> SMTPUTF8", "UTF8SMTPA"),
      (true, "EHLO c\r\n", "MAIL FROM:<> SMTPUTF8", "UTF8SMTPS"),
      (true, "EHLO c\r\n\(login)", "MAIL FROM:<> SMTPUTF8", "UTF8SMTPSA"),
    ] {
      var office = Office(Self.settings, secure: true, tls: tls)
      office.hear(Bytes("\(before)\(mail)\r\n\(message)"))
      #expect(office.deliveries.first?.content.text.contains("\r\n\tby m with \(expected)\r\n") == true, "\(expected)")
    }
  }

  @Test("A login makes no recipient elsewhere ours")
  func noRelay() {
    Dialogue(
      """
      S: 220*
      C: EHLO c
      S...
      C: AUTH PLAIN \(Self.plain)
      S: 235*
      C: MAIL FROM:<anna@office.example> AUTH=anna@office.example
      S: 250*
      C: RCPT TO:<carl@elsewhere.example>
      S: 550 5.7.1 *
      """
    ).hold(with: Self.secure)
  }

  @Test("MAIL's AUTH= is taken and forgotten; it needs a value, once")
  func authParameter() {
    Dialogue(
      """
      S: 220*
      C: EHLO c
      S...
      C: MAIL FROM:<a@b.example> AUTH
      S: 501 5.5.4 *
      C: MAIL FROM:<a@b.example> AUTH=
      S: 501 5.5.4 *
      C: MAIL FROM:<a@b.example> AUTH=<> AUTH=<>
      S: 501 5.5.4 *
      C: MAIL FROM:<a@b.example> AUTH=e+3Dmc2@example.com SIZE=10
      S: 250*
      """
    ).hold()
  }

  @Test("A sender's address that is not the client's own is refused for good")
  func notYours() {
    var office = Self.secure()
    office.mailAnswer = .notYours
    office.hear(Bytes("HELO c\r\nMAIL FROM:<bert@office.example>\r\nRCPT TO:<anna@office.example>\r\n"))
    #expect(office.lines.suffix(2).map { $0.prefix(9) } == ["550 5.7.1", "503 5.5.1"])
  }
}

@Suite("STARTTLS")
struct StartTLSTests {
  @Test("TLS begins; greeting, login and transaction are forgotten, and it is not offered again")
  func forgets() {
    var office = LoginTests.secure()
    office.hear(Bytes("EHLO c\r\nAUTH PLAIN \(LoginTests.plain)\r\nMAIL FROM:<>\r\nRCPT TO:<anna@office.example>\r\n"))
    office.hear(Bytes("STARTTLS\r\n"))
    #expect(office.lines.last == "220 2.0.0 Begin TLS now" && !office.session.isInTransaction)
    #expect(!office.session.isAuthenticated)
    let before = office.lines.count
    for (line, code) in [
      ("DATA", "503"), ("RCPT TO:<anna@office.example>", "503"), ("MAIL FROM:<>", "503"), ("AUTH PLAIN =", "503"),
      ("STARTTLS", "503"), ("EHLO c", "250"), ("AUTH PLAIN \(LoginTests.plain)", "235"), ("MAIL FROM:<>", "250"),
    ] {
      office.hear(Bytes(line + "\r\n"))
      #expect(office.lines.last?.hasPrefix(code) == true, "\(line)")
    }
    #expect(!office.lines[before...].contains { $0.hasSuffix("STARTTLS") })
    #expect(office.events.filter { $0 == "TLS" }.count == 1)
  }

  @Test("Commands sent along with STARTTLS are never carried out")
  func injection() {
    for rest in ["MAIL FROM:<>\r\n", "\r\n", "\n", "R", "\0"] {
      var office = Office(LoginTests.settings)
      office.hear(Bytes("EHLO c\r\nSTARTTLS\r\n\(rest)"))
      #expect(office.isClosed && office.events == ["close"], "\(rest)")
      #expect(office.lines.last?.hasPrefix("421 4.7.0 m Commands came along") == true)
    }
  }

  @Test("With an argument, or without a certificate, it does not begin")
  func refused() {
    Dialogue("S: 220*\nC: STARTTLS now\nS: 501 5.5.4 *\nC: STARTTLS\nS: 454 4.7.0 *\nC: HELO c\nS: 250*").hold()
  }

  @Test("A line that begins like TLS is no reason to speak of TLS where it has begun")
  func octet() {
    Dialogue("S: 220*\nC\\ \\x16\\x03\\r\\n\nS: 500*").hold { Office(LoginTests.settings, tls: true) }
  }
}
