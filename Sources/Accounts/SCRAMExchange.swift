import System
import Wire

/// The server's side of one SCRAM-SHA-256 or SCRAM-SHA-256-PLUS exchange: RFC 5802, RFC 7677. It knows the password as
/// little as the ``Verifier`` does, and takes four HMACs: no work for another thread.
///
/// Both sides should have prepared name and password with SASLprep (RFC 5802 §2.2). We have no tables for that and take
/// the octets as they are, here as in ``Verifier``: what a client prepares into other octets than were set will not do.
///
/// No `e=` is sent (RFC 5802 §7): that the login is refused is said by the protocol, and why is nobody's business.
public struct SCRAMExchange {
  /// Who the client says to be.
  public let name: Bytes
  /// GS2 header and channel binding: what the last message must repeat.
  private let binding: Bytes
  /// RFC 5802 §3's AuthMessage, as far as it has been said.
  private var spoken: Bytes
  /// The client's nonce; with ours after it once there is one.
  private var nonce: Bytes
  private var verifier: Verifier?

  /// Reads the client's first message. Nil where it is not one, or not one to go on with: the refusal is said to be a
  /// wrong name or password.
  ///
  /// - Parameters:
  ///   - plus: whether SCRAM-SHA-256-PLUS was chosen.
  ///   - bindings: those of the connection; nil without TLS, so that nothing was offered to bind to.
  public init?(_ message: Bytes, plus: Bool, bindings: ChannelBindings?) {
    let text = message.span
    // gs2-header = gs2-cbind-flag "," [ authzid ] ","
    guard text.isUTF8, text.firstIndex(of: 0) == nil,
      let flagEnd = text.firstIndex(of: Self.comma), let header = text.firstIndex(of: Self.comma, from: flagEnd + 1)
    else { return nil }
    let flag = text.extracting(0..<flagEnd)
    var expected = Bytes(text.extracting(0...header))
    if plus {
      // RFC 5802 §6: the client names what it binds to.
      guard let data = Self.data(flag, bindings) else { return nil }
      expected += data
    } else if flag.equals("y") {
      // The client could bind and thinks that we cannot. If we offered it, somebody in the middle took it away.
      if bindings != nil { return nil }
    } else if !flag.equals("n") {
      return nil
    }
    binding = expected

    // client-first-message-bare = [reserved-mext ","] username "," nonce ["," extensions]
    let bare = text.extracting((header + 1)...)
    var fields = SCRAMFields(bare)
    // `m=` is for extensions that must be understood; we know none. Then it is no `n=` that comes first.
    guard let user = fields.next(0x6E), let name = Self.name(bare.extracting(user)),
      let nonce = fields.next(0x72), Self.isNonce(bare.extracting(nonce)), fields.areExtensions
    else { return nil }
    let authorization = text.extracting(flagEnd + 1..<header)
    if authorization.count > 0 {
      guard authorization.count > 2, authorization[0] == 0x61, authorization[1] == 0x3D,
        let other = Self.name(authorization.extracting(2...)), other.lowercased == name.lowercased
      else { return nil }
    }
    self.name = name
    self.nonce = Bytes(bare.extracting(nonce))
    spoken = Bytes(bare)
  }

  /// The server's first message: our part of the nonce, and what the client needs to make its proof. For a name that
  /// nobody has, `verifier` is a decoy.
  ///
  /// - Parameter nonce: printable and without commas, of at least 18 random octets.
  public mutating func challenge(_ verifier: Verifier, nonce ours: Bytes) -> Bytes {
    self.verifier = verifier
    nonce += ours
    var message = Bytes("r=") + nonce
    message += ",s="
    Base64.encode(verifier.salt.span, to: &message)
    message += ",i="
    message.append(decimal: verifier.iterations)
    spoken.append(Self.comma)
    spoken += message
    return message
  }

  /// The server's last message, by which the client knows us, if the client's shows that it knows the password; nil if
  /// it does not. Throws when OpenSSL fails, which says nothing of the password.
  public func answer(_ message: Bytes) throws(Errno) -> Bytes? {
    guard let verifier else { return nil }
    let text = message.span
    // client-final-message = channel-binding "," nonce ["," extensions] "," proof
    var fields = SCRAMFields(text)
    guard let bound = fields.next(0x63), let repeated = fields.next(0x72),
      let proofComma = text.lastIndex(of: Self.comma), proofComma >= repeated.upperBound,
      let data = Base64.decode(text.extracting(bound)), Crypto.equal(data, binding),
      Crypto.equal(Bytes(text.extracting(repeated)), nonce)
    else { return nil }
    let last = text.extracting((proofComma + 1)...)
    guard last.count > 2, last[0] == 0x70, last[1] == 0x3D,
      var key = Base64.decode(last.extracting(2...)), key.count == 32
    else { return nil }

    var spoken = spoken
    spoken.append(Self.comma)
    spoken += text.extracting(0..<proofComma)
    let signature = try Crypto.hmac(key: verifier.storedKey, spoken)
    for index in key.indices { key[index] ^= signature[index] }
    defer { Crypto.cleanse(&key) }
    guard Crypto.equal(try Crypto.sha256(key), verifier.storedKey) else { return nil }
    let own = try Crypto.hmac(key: verifier.serverKey, spoken)
    var answer = Bytes("v=")
    Base64.encode(own.span, to: &answer)
    return answer
  }

  private static let comma: UInt8 = 0x2C

  /// What `p=NAME` binds to; nil for what the connection does not have.
  private static func data(_ flag: Span<UInt8>, _ bindings: ChannelBindings?) -> Bytes? {
    if flag.equals("p=tls-exporter") { return bindings?.exporter }
    if flag.equals("p=tls-server-end-point") { return bindings?.endPoint }
    return nil
  }

  /// A saslname without its escapes: `=2C` for a comma, `=3D` for `=` (RFC 5802 §5.1). Nil for another `=`, and for
  /// nothing.
  private static func name(_ text: Span<UInt8>) -> Bytes? {
    var name = Bytes()
    var index = 0
    while index < text.count {
      var octet = text[index]
      if octet == 0x3D {
        guard index + 3 <= text.count else { return nil }
        let escape = text.extracting(index + 1..<index + 3)
        if escape.equals("2C") {
          octet = comma
        } else if !escape.equals("3D") {
          return nil
        }
        index += 2
      }
      name.append(octet)
      index += 1
    }
    return SASLExchange.isName(name.span) ? name : nil
  }

  /// printable = %x21-2B / %x2D-7E
  private static func isNonce(_ text: Span<UInt8>) -> Bool {
    for index in text.indices where text[index] < 0x21 || text[index] > 0x7E { return false }
    return text.count > 0
  }
}

/// Cuts `a=value` between commas from the left: RFC 5802 §5.
private struct SCRAMFields: ~Escapable {
  private let text: Span<UInt8>
  private var index = 0

  @_lifetime(copy text)
  init(_ text: Span<UInt8>) { self.text = text }

  /// Where the value of the next attribute stands, if its name is `letter`.
  @_lifetime(self: copy self)
  mutating func next(_ letter: UInt8) -> Range<Int>? {
    guard index + 2 <= text.count, text[index] == letter, text[index + 1] == 0x3D else { return nil }
    let start = index + 2
    let end = text.firstIndex(of: 0x2C, from: start) ?? text.count
    index = end + 1
    return start..<end
  }

  /// Whether what is left are attributes, which we may ignore, or nothing.
  var areExtensions: Bool {
    var index = index
    while index <= text.count {
      guard index + 2 < text.count, ASCII.isLetter(text[index]), text[index + 1] == 0x3D else { return false }
      index = (text.firstIndex(of: 0x2C, from: index) ?? text.count) + 1
    }
    return true
  }
}

extension Span where Element == UInt8 {
  fileprivate func lastIndex(of octet: UInt8) -> Int? {
    var index = count - 1
    while index >= 0, self[index] != octet { index -= 1 }
    return index >= 0 ? index : nil
  }
}
