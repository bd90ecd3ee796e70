import Testing
import Wire

@Suite("SASL exchanges")
struct SASLExchangeTests {
  /// A step as text.
  static func told(_ step: SASLExchange.Step) -> String {
    switch step {
    case .challenge(let text): "challenge \(text)"
    case .password(let name, let password): "\(name.text) has \(password.text)"
    case .scram(.first(let message, let plus)): "first\(plus ? " plus" : "") \(message.text)"
    case .scram(.final(let message)): "final \(message.text)"
    case .scram(.acknowledged): "acknowledged"
    case .refused: "refused"
    case .cancelled: "cancelled"
    case .malformed: "malformed"
    }
  }

  static func encoded(_ message: String) -> Bytes {
    var text = Bytes()
    Base64.encode(Bytes(message.utf8).span, to: &text)
    return text
  }

  /// What the last of these turns comes to; the first stands beside the mechanism's name.
  static func hold(_ mechanism: StaticString, _ turns: [Bytes]) -> String {
    guard var exchange = SASLExchange(mechanism: Bytes(mechanism).span, tls: true, login: true) else { return "none" }
    let initial = turns.first ?? []
    var step = exchange.begin(initial.span)
    for turn in turns.dropFirst() { step = exchange.take(turn.span) }
    return told(step)
  }

  @Test(
    "PLAIN takes name and password, and nobody else's name to act as",
    arguments: [
      ("\0anna\0open sesame", "anna has open sesame"), ("anna\0anna\0x", "anna has x"), ("Anna\0anna\0x", "anna has x"),
      ("\0änna\0grün", "änna has grün"), ("bert\0anna\0x", "refused"), ("ann\0anna\0x", "refused"),
      ("", "malformed"), ("anna", "malformed"), ("\0anna", "malformed"), ("\0anna\0", "malformed"),
      ("\0\0x", "malformed"), ("\0anna\0x\0y", "malformed"), ("\0an\nna\0x", "malformed"), ("\0\0\0", "malformed"),
    ])
  func plain(message: String, outcome: String) {
    #expect(Self.hold("PLAIN", [message.isEmpty ? Bytes("=") : Self.encoded(message)]) == outcome)
    #expect(Self.hold("plain", [[], Self.encoded(message)]) == outcome)
  }

  @Test("A name that is not UTF-8 is none; a password is any octets")
  func octets() {
    var exchange = SASLExchange.plain
    #expect(Self.told(exchange.take(Bytes("AP8AeA==").span)) == "malformed")
    guard case .password(_, let password) = exchange.take(Bytes("AGEA/w==").span) else {
      Issue.record("not taken")
      return
    }
    #expect(password == [0xFF])
  }

  @Test("Without an initial response an empty challenge comes first; `=` is an empty one")
  func initialResponse() {
    #expect(Self.hold("PLAIN", [[]]) == "challenge ")
    #expect(Self.hold("SCRAM-SHA-256", [[]]) == "challenge ")
    #expect(Self.hold("PLAIN", [Bytes("=")]) == "malformed")
    #expect(Self.hold("SCRAM-SHA-256", [Bytes("=")]) == "first ")
  }

  @Test("LOGIN asks for the name, unless it came with the command, and for the password")
  func login() {
    #expect(Self.hold("LOGIN", [[]]) == "challenge VXNlcm5hbWU6")
    #expect(Self.hold("LOGIN", [[], Self.encoded("anna")]) == "challenge UGFzc3dvcmQ6")
    #expect(Self.hold("login", [[], Self.encoded("anna"), Self.encoded("x y")]) == "anna has x y")
    #expect(Self.hold("LOGIN", [Self.encoded("anna"), Self.encoded("x")]) == "anna has x")
    #expect(Self.hold("LOGIN", [[], []]) == "malformed")
    #expect(Self.hold("LOGIN", [[], Self.encoded("anna"), []]) == "malformed")
  }

  @Test("SCRAM's messages pass through in their order; success is acknowledged by an empty line alone")
  func scram() {
    #expect(Self.hold("SCRAM-SHA-256", [Self.encoded("n,,")]) == "first n,,")
    #expect(Self.hold("scram-sha-256-PLUS", [[], Self.encoded("p=x,,")]) == "first plus p=x,,")
    #expect(Self.hold("SCRAM-SHA-256", [Self.encoded("a"), Self.encoded("b")]) == "final b")
    #expect(Self.hold("SCRAM-SHA-256", [Self.encoded("a"), Self.encoded("b"), []]) == "acknowledged")
    #expect(Self.hold("SCRAM-SHA-256", [Self.encoded("a"), Self.encoded("b"), Self.encoded("c")]) == "malformed")
    #expect(Self.hold("SCRAM-SHA-256", [Self.encoded("a"), Self.encoded("b"), Bytes("*")]) == "cancelled")
  }

  @Test(
    "`*` cancels at every turn, and what is no base 64 is told from it",
    arguments: ["PLAIN", "LOGIN", "SCRAM-SHA-256"] as [StaticString])
  func cancels(mechanism: StaticString) {
    #expect(Self.hold(mechanism, [Bytes("*")]) == "cancelled")
    #expect(Self.hold(mechanism, [[], Bytes("*")]) == "cancelled")
    for bad in ["**", "QQ", "QQ=", "Q Q=", "QQ==QQ==", "!!!!", "QQ==\r", "Q\0==", "QR=="] {
      #expect(Self.hold(mechanism, [[], Bytes(bad.utf8)]) == "malformed", "\(bad)")
    }
  }

  @Test("Mechanisms are known by their names alone, and offered where they are")
  func mechanisms() {
    for name in ["", "PLAI", "PLAINS", "SCRAM-SHA-1", "CRAM-MD5", "SCRAM-SHA-256-", "EXTERNAL", "XOAUTH2"] {
      #expect(SASLExchange(mechanism: Bytes(name.utf8).span, tls: true, login: true) == nil)
    }
    #expect(SASLExchange(mechanism: Bytes("LOGIN").span, tls: true, login: false) == nil)
    #expect(SASLExchange(mechanism: Bytes("SCRAM-SHA-256-PLUS").span, tls: false, login: true) == nil)
    var text = Bytes()
    SASLExchange.appendMechanisms(to: &text, after: " ", tls: true, login: true)
    #expect(text.text == " PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS")
    text = []
    SASLExchange.appendMechanisms(to: &text, after: " ", tls: false, login: false)
    #expect(text.text == " PLAIN SCRAM-SHA-256")
  }
}
