/// Base 64 as in RFC 4648 §4: with padding, without line ends.
public enum Base64 {
  private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

  /// Appends `octets` encoded to `text`.
  public static func encode(_ octets: Span<UInt8>, to text: inout Bytes) {
    text.reserveCapacity(text.count + (octets.count + 2) / 3 * 4)
    var index = 0
    while index < octets.count {
      let left = octets.count - index
      var group = UInt32(octets[index]) << 16
      if left > 1 { group |= UInt32(octets[index + 1]) << 8 }
      if left > 2 { group |= UInt32(octets[index + 2]) }
      text.append(digit(group >> 18))
      text.append(digit(group >> 12))
      text.append(left > 1 ? digit(group >> 6) : 0x3D)
      text.append(left > 2 ? digit(group) : 0x3D)
      index += 3
    }
  }

  /// The octets `text` encodes; nil unless it is exactly what `encode` writes: other octets, missing padding and bits
  /// set that stand for nothing (RFC 4648 §3.5) are refused.
  public static func decode(_ text: Span<UInt8>) -> Bytes? {
    guard text.count % 4 == 0 else { return nil }
    var octets = Bytes()
    octets.reserveCapacity(text.count / 4 * 3)
    var index = 0
    while index < text.count {
      let isLast = index + 4 == text.count
      guard let first = value(text[index]), let second = value(text[index + 1]) else { return nil }
      octets.append(first << 2 | second >> 4)
      if isLast, text[index + 2] == 0x3D {
        guard text[index + 3] == 0x3D, second & 15 == 0 else { return nil }
        return octets
      }
      guard let third = value(text[index + 2]) else { return nil }
      octets.append(second << 4 | third >> 2)
      if isLast, text[index + 3] == 0x3D {
        return third & 3 == 0 ? octets : nil
      }
      guard let fourth = value(text[index + 3]) else { return nil }
      octets.append(third << 6 | fourth)
      index += 4
    }
    return octets
  }

  private static func digit(_ bits: UInt32) -> UInt8 { unsafe alphabet.utf8Start[Int(bits & 63)] }

  private static func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x41...0x5A: digit - 0x41
    case 0x61...0x7A: digit - 0x61 + 26
    case 0x30...0x39: digit - 0x30 + 52
    case 0x2B: 62
    case 0x2F: 63
    default: nil
    }
  }
}
