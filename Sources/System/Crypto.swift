import CLinux
import Wire

/// OpenSSL's primitives. Each throws `EIO` when the library fails, which it does only without memory or entropy.
public enum Crypto {
  /// `count` octets that nobody can guess.
  public static func random(_ count: Int) throws(Errno) -> Bytes {
    var bytes = Bytes(repeating: 0, count: count)
    try Errno.check(unsafe bytes.withUnsafeMutableBytes { unsafe cl_random($0.baseAddress, $0.count) })
    return bytes
  }

  /// SHA-256: 32 octets.
  public static func sha256(_ data: Bytes) throws(Errno) -> Bytes {
    var digest = Bytes(repeating: 0, count: 32)
    try Errno.check(unsafe cl_sha256(data, data.count, &digest))
    return digest
  }

  /// HMAC-SHA-256 (RFC 2104): 32 octets.
  public static func hmac(key: Bytes, _ data: Bytes) throws(Errno) -> Bytes {
    var digest = Bytes(repeating: 0, count: 32)
    try Errno.check(unsafe cl_hmac_sha256(key, key.count, data, data.count, &digest))
    return digest
  }

  /// PBKDF2-HMAC-SHA-256 (RFC 8018 §5.2): 32 octets. Slow by design.
  public static func pbkdf2(_ password: Bytes, salt: Bytes, iterations: Int) throws(Errno) -> Bytes {
    var key = Bytes(repeating: 0, count: 32)
    try Errno.check(
      unsafe cl_pbkdf2_sha256(
        password, password.count, salt, salt.count, Int32(clamping: iterations), &key))
    return key
  }

  /// Whether two secrets are equal, in a time that does not tell where they differ.
  public static func equal(_ a: Bytes, _ b: Bytes) -> Bool {
    guard a.count == b.count else { return false }
    return unsafe cl_equal(a, b, a.count) == 1
  }

  /// Overwrites a secret that is no longer needed.
  public static func cleanse(_ secret: inout Bytes) {
    unsafe secret.withUnsafeMutableBytes { unsafe cl_cleanse($0.baseAddress, $0.count) }
    secret.removeAll()
  }
}
