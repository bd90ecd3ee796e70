import Wire

/// Somebody's maildrop and what opens it.
public struct Account: Equatable, Sendable {
  /// Lower case; also the maildrop's file name and a local part. See `isName`.
  public let name: Bytes
  public var verifier: Verifier
  /// Octets the maildrop may hold: nil for what the configuration says, `Int64.max` for no limit.
  public var quota: Int64?
  /// Seconds since 1970; 0 when it is not known.
  public let created: Int64

  public init(name: Bytes, verifier: Verifier, quota: Int64? = nil, created: Int64) {
    self.name = name
    self.verifier = verifier
    self.quota = quota
    self.created = created
  }

  /// Whether `name` can be an account's: a to z, 0 to 9, dot, underscore and hyphen, beginning with a letter or digit,
  /// at most `Limits.accountName` octets. So it is a local part without quotes, and a file name that goes nowhere else.
  /// A dot stands between two others, as RFC 5321's Dot-string has it.
  public static func isName(_ name: Span<UInt8>) -> Bool {
    guard name.count > 0, name.count <= Limits.accountName else { return false }
    var last = ASCII.dot
    for index in name.indices {
      let octet = name[index]
      switch octet {
      case 0x61...0x7A, 0x30...0x39: break
      case 0x5F, 0x2D: if index == 0 { return false }
      case ASCII.dot: if last == ASCII.dot { return false }
      default: return false
      }
      last = octet
    }
    return last != ASCII.dot
  }

  /// What `isName` asks for, in words.
  public static var nameRule: Bytes {
    var rule = Bytes("a name is made of a to z, 0 to 9, \".\", \"_\" and \"-\", begins with a letter or digit, has")
    rule += " single dots only in its middle, and has at most "
    rule.append(decimal: Limits.accountName)
    rule += " characters"
    return rule
  }
}
