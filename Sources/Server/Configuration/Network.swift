import System
import Wire

/// A range of addresses, in CIDR form (RFC 4632, RFC 4291 §2.3): `192.0.2.0/24`, `2001:db8::/32`, or one address.
public struct Network: Equatable, Sendable {
  /// Four octets or sixteen; those past the prefix are zero.
  public let octets: Bytes
  /// Leading bits that count.
  public let prefix: Int

  /// Reads the text form. Nil also where bits past the prefix are set, since one of the two is then a slip.
  public init?(_ text: Bytes) {
    let parts = text.split(separator: 0x2F, maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let address = SocketAddress(Bytes(first), port: 0) else { return nil }
    let octets = address.octets
    var prefix = octets.count * 8
    if parts.count == 2 {
      guard parts[1].count <= 3, let bits = Bytes(parts[1]).span.decimal, bits <= UInt64(prefix) else { return nil }
      prefix = Int(bits)
    }
    for (index, octet) in octets.enumerated() where octet & ~Network.mask(prefix, index) != 0 { return nil }
    self.octets = octets
    self.prefix = prefix
  }

  /// Whether `address` is within it.
  public func contains(_ address: SocketAddress) -> Bool {
    let other = address.octets
    guard address.family != .unix, other.count == octets.count else { return false }
    for index in octets.indices where (other[index] ^ octets[index]) & Network.mask(prefix, index) != 0 {
      return false
    }
    return true
  }

  /// The bits of octet `index` that a prefix of `bits` covers.
  private static func mask(_ bits: Int, _ index: Int) -> UInt8 {
    let covered = min(8, max(0, bits - index * 8))
    return UInt8(truncatingIfNeeded: 0xFF00 >> covered)
  }
}
