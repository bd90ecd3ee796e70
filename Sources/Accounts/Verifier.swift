import System
import Wire

/// What is kept of a password: RFC 5802 §3's StoredKey and ServerKey with SHA-256 (RFC 7677), salt and rounds.
///
/// The password cannot be read from it, and both PLAIN and SCRAM can be checked against it. Its text form is that of
/// RFC 5803 §3.2: `SCRAM-SHA-256$4096:<salt>$<StoredKey>:<ServerKey>`, the three in base 64.
public struct Verifier: Equatable, Sendable {
  /// PBKDF2 rounds.
  public let iterations: Int
  public let salt: Bytes
  /// H(ClientKey), 32 octets: what a client's proof is checked against.
  public let storedKey: Bytes
  /// 32 octets: what the server proves itself with.
  public let serverKey: Bytes

  /// Rounds a file may ask for: more would let one line of it keep the hashing thread busy for minutes.
  static let allowedIterations = 1...1_000_000
  /// Octets of salt a file may have; `make` takes 16.
  static let allowedSalt = 1...64

  /// The verifier of `password` under the salt given.
  public init(password: Bytes, salt: Bytes, iterations: Int) throws(Errno) {
    var salted = try Crypto.pbkdf2(password, salt: salt, iterations: iterations)
    var clientKey = try Crypto.hmac(key: salted, Bytes("Client Key"))
    self.iterations = iterations
    self.salt = salt
    storedKey = try Crypto.sha256(clientKey)
    serverKey = try Crypto.hmac(key: salted, Bytes("Server Key"))
    Crypto.cleanse(&salted)
    Crypto.cleanse(&clientKey)
  }

  /// A verifier for a new password, with a salt of its own. Slow, as `accepts` is.
  public static func make(
    password: Bytes, iterations: Int = Limits.passwordIterations
  ) throws(PasswordProblem) -> Verifier {
    try PasswordProblem.check(password)
    do throws(Errno) {
      return try Verifier(password: password, salt: Crypto.random(16), iterations: iterations)
    } catch {
      throw .failed(error)
    }
  }

  /// A verifier that no password meets, for a name that no account has: it costs a guesser the same time, and its
  /// salt is always the same for the same name and `key`, as a real one's is.
  public static func decoy(for name: Bytes, key: Bytes) throws(Errno) -> Verifier {
    let salt = try Crypto.hmac(key: key, Bytes("salt ") + name)
    return Verifier(
      iterations: Limits.passwordIterations, salt: Bytes(salt[..<16]),
      storedKey: try Crypto.hmac(key: key, Bytes("stored ") + name),
      serverKey: try Crypto.hmac(key: key, Bytes("server ") + name))
  }

  /// Reads the text form and nothing looser.
  public init?(_ text: Span<UInt8>) {
    let scheme: StaticString = "SCRAM-SHA-256$"
    let start = scheme.utf8CodeUnitCount
    guard text.count > start, text.extracting(0..<start).equals(scheme),
      let colon = text.firstIndex(of: 0x3A, from: start),
      let dollar = text.firstIndex(of: 0x24, from: colon + 1),
      let second = text.firstIndex(of: 0x3A, from: dollar + 1),
      let rounds = text.extracting(start..<colon).decimal, rounds <= UInt64(Self.allowedIterations.upperBound),
      Self.allowedIterations.contains(Int(rounds)),
      let salt = Base64.decode(text.extracting(colon + 1..<dollar)), Self.allowedSalt.contains(salt.count),
      let storedKey = Base64.decode(text.extracting(dollar + 1..<second)), storedKey.count == 32,
      let serverKey = Base64.decode(text.extracting((second + 1)...)), serverKey.count == 32
    else { return nil }
    self.init(iterations: Int(rounds), salt: salt, storedKey: storedKey, serverKey: serverKey)
  }

  init(iterations: Int, salt: Bytes, storedKey: Bytes, serverKey: Bytes) {
    self.iterations = iterations
    self.salt = salt
    self.storedKey = storedKey
    self.serverKey = serverKey
  }

  /// Appends the text form.
  public func append(to text: inout Bytes) {
    text += "SCRAM-SHA-256$"
    text.append(decimal: iterations)
    text += ":"
    Base64.encode(salt.span, to: &text)
    text += "$"
    Base64.encode(storedKey.span, to: &text)
    text += ":"
    Base64.encode(serverKey.span, to: &text)
  }

  /// Whether `password` is the one. Slow by design (PBKDF2): call it on the hashing thread. Throws when OpenSSL fails,
  /// which says nothing of the password.
  public func accepts(_ password: Bytes) throws(Errno) -> Bool {
    // What was never taken for a password is hashed all the same, so that it costs the same. NUL must be looked for:
    // HMAC fills keys up with it, so `secret` and `secret\0` have one verifier.
    let given = password.count <= Limits.password ? password : Bytes(password[..<Limits.password])
    let other = try Verifier(password: given, salt: salt, iterations: iterations)
    return Crypto.equal(other.storedKey, storedKey) && password.count <= Limits.password && !password.contains(0)
  }
}
