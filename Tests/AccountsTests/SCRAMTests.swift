import Accounts
import System
import Testing
import Wire

@Suite("SCRAM")
struct SCRAMTests {
  /// RFC 7677 §3.
  static let verifier = try! Verifier(
    password: Bytes("pencil"), salt: Base64.decode(Bytes("W22ZaJ0SNY7soEsUEjb6gQ==").span)!, iterations: 4096)
  static let serverNonce = Bytes("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
  static let bindings = ChannelBindings(exporter: Bytes("exported octets"), endPoint: Bytes("end point's octets"))

  /// A client of its own, so that server and client are not wrong together: RFC 5802 §3.
  struct Client {
    var header = "n,,"
    var binding = Bytes()
    var user = "n=user"
    var nonce = "rOprNGfwEbeRWgbNEkqO"
    var password = "pencil"
    var extensions = ""
    var finalExtensions = ""
    /// What the client says in its last message, when it is not the truth.
    var saidBinding: Bytes?
    var saidNonce: String?

    var bare: String { "\(user),r=\(nonce)\(extensions)" }
    var first: Bytes { Bytes((header + bare).utf8) }

    func last(_ challenge: Bytes) throws -> (message: Bytes, expected: Bytes) {
      let fields = challenge.text.split(separator: ",").map { String($0.dropFirst(2)) }
      let salt = Base64.decode(Bytes(fields[1].utf8).span)!
      let salted = try Crypto.pbkdf2(Bytes(password.utf8), salt: salt, iterations: Int(fields[2])!)
      var message = Bytes("c=")
      let bound = saidBinding ?? Bytes(header.utf8) + binding
      Base64.encode(bound.span, to: &message)
      message += Bytes(",r=\(saidNonce ?? fields[0])\(finalExtensions)".utf8)
      let spoken = Bytes("\(bare),\(challenge.text),\(message.text)".utf8)
      let key = try Crypto.hmac(key: salted, Bytes("Client Key"))
      let signature = try Crypto.hmac(key: Crypto.sha256(key), spoken)
      message += ",p="
      let proof = Bytes(zip(key, signature).map(^))
      Base64.encode(proof.span, to: &message)
      var expected = Bytes("v=")
      let own = try Crypto.hmac(key: Crypto.hmac(key: salted, Bytes("Server Key")), spoken)
      Base64.encode(own.span, to: &expected)
      return (message, expected)
    }

    /// Whether the server lets it in, and shows that it knows it.
    func isWelcome(plus: Bool = false, bindings: ChannelBindings? = nil) throws -> Bool {
      guard var exchange = SCRAMExchange(first, plus: plus, bindings: bindings) else { return false }
      let challenge = exchange.challenge(SCRAMTests.verifier, nonce: SCRAMTests.serverNonce)
      let (message, expected) = try last(challenge)
      guard let answer = try exchange.answer(message) else { return false }
      #expect(answer == expected)
      return true
    }
  }

  @Test("RFC 7677's exchange is held as written there")
  func vector() throws {
    var exchange = try #require(
      SCRAMExchange(Bytes("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"), plus: false, bindings: nil))
    #expect(exchange.name.text == "user")
    let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    #expect(
      exchange.challenge(Self.verifier, nonce: Self.serverNonce).text
        == "r=\(nonce),s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
    let final = "c=biws,r=\(nonce),p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    #expect(try exchange.answer(Bytes(final.utf8))?.text == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
  }

  @Test("The right password is welcome, a wrong one is not; nobody's decoy is met by any")
  func passwords() throws {
    #expect(try Client().isWelcome())
    for password in ["", "Pencil", "pencil ", "pencils"] {
      #expect(try !Client(password: password).isWelcome(), "\(password)")
    }
    var exchange = try #require(SCRAMExchange(Client().first, plus: false, bindings: nil))
    let decoy = try Verifier.decoy(for: Bytes("user"), key: Bytes("key"))
    let challenge = exchange.challenge(decoy, nonce: Self.serverNonce)
    #expect(challenge.text.hasSuffix(",i=\(Limits.passwordIterations)"))
    #expect(try exchange.answer(Client().last(challenge).message) == nil)
  }

  @Test("A last message that says another nonce, header or binding, or is damaged anywhere, is refused")
  func damage() throws {
    #expect(try !Client(saidBinding: Bytes("y,,")).isWelcome())
    #expect(try !Client(saidBinding: Bytes("n,a=user,")).isWelcome())
    #expect(try !Client(saidBinding: []).isWelcome())
    #expect(try !Client(saidNonce: "rOprNGfwEbeRWgbNEkqO").isWelcome())
    #expect(try !Client(saidNonce: "").isWelcome())
    var exchange = try #require(SCRAMExchange(Client().first, plus: false, bindings: nil))
    let (message, _) = try Client().last(exchange.challenge(Self.verifier, nonce: Self.serverNonce))
    #expect(try exchange.answer(message) != nil)
    for index in message.indices {
      var other = message
      other[index] ^= 1
      #expect(try exchange.answer(other) == nil, "octet \(index)")
      #expect(try exchange.answer(Bytes(message[..<index])) == nil, "cut at \(index)")
    }
    #expect(try exchange.answer(message + Bytes(",x=y")) == nil)
  }

  @Test("Extensions that may be ignored are; the reserved one is refused")
  func extensions() throws {
    #expect(try Client(extensions: ",x=y,z=1").isWelcome())
    #expect(try Client(finalExtensions: ",x=y,z=,,").isWelcome())
    for bad in [",", ",x", ",x=", ",=y", ",1=y", ",x=y,", ",xy"] {
      #expect(try !Client(extensions: bad).isWelcome(), "\(bad)")
    }
    #expect(try !Client(user: "m=must,n=user").isWelcome())
  }

  @Test(
    "A name's escapes are undone, and other = are refused",
    arguments: [
      ("n=user", "user"), ("n=a=2Cb=3Dc", "a,b=c"), ("n==3D", "="), ("n=a=2cb", nil), ("n=a=", nil), ("n=a=2", nil),
      ("n=a=20b", nil), ("n=", nil), ("user", nil), ("n=us\0er", nil), ("n=us\ner", nil), ("n=änna", "änna"),
    ] as [(String, String?)])
  func names(field: String, name: String?) {
    let exchange = SCRAMExchange(Bytes("n,,\(field),r=abc".utf8), plus: false, bindings: nil)
    #expect(exchange?.name.text == name)
  }

  @Test("To act as somebody else is refused; to name oneself twice is not")
  func authorization() throws {
    #expect(try Client(header: "n,a=user,").isWelcome())
    #expect(try Client(header: "n,a=USER,").isWelcome())
    for header in ["n,a=bert,", "n,a=,", "n,user,", "n,b=user,", "n", "n,", ",,", "", "x,,", "nn,,", "p=,,"] {
      #expect(try !Client(header: header).isWelcome(), "\(header)")
    }
  }

  @Test("A nonce is printable and not empty")
  func nonces() throws {
    for nonce in ["", "a b", "a\tb", "é"] { #expect(try !Client(nonce: nonce).isWelcome(), "\(nonce)") }
    #expect(SCRAMExchange(Bytes("n,,n=user"), plus: false, bindings: nil) == nil)
    #expect(SCRAMExchange(Bytes("n,,r=a,n=user"), plus: false, bindings: nil) == nil)
  }

  @Test("With PLUS the client names what it binds to, and must know its octets")
  func plus() throws {
    let exporter = Client(header: "p=tls-exporter,,", binding: Bytes("exported octets"))
    let endPoint = Client(header: "p=tls-server-end-point,,", binding: Bytes("end point's octets"))
    for client in [exporter, endPoint] {
      #expect(try client.isWelcome(plus: true, bindings: Self.bindings))
      #expect(try !client.isWelcome(plus: false, bindings: Self.bindings), "PLUS's header without PLUS")
      #expect(try !client.isWelcome(plus: true, bindings: nil))
      #expect(try !client.isWelcome(plus: true, bindings: ChannelBindings(exporter: nil, endPoint: nil)))
      let other = ChannelBindings(exporter: Bytes("another's"), endPoint: Bytes("another's"))
      #expect(try !client.isWelcome(plus: true, bindings: other), "somebody in the middle")
    }
    #expect(
      try !Client(header: "p=tls-unique,,", binding: Bytes("exported octets")).isWelcome(
        plus: true, bindings: Self.bindings))
    for header in ["n,,", "y,,"] {
      #expect(try !Client(header: header).isWelcome(plus: true, bindings: Self.bindings), "\(header)")
    }
  }

  @Test("A client that could bind and thinks we cannot is refused where we offered it: somebody took the offer away")
  func downgrade() throws {
    #expect(try Client(header: "y,,").isWelcome(bindings: nil))
    #expect(try !Client(header: "y,,").isWelcome(bindings: Self.bindings))
    #expect(try Client(header: "n,,").isWelcome(bindings: Self.bindings))
  }
}
