import Wire

/// The character sets that mail headers are written in, as far as they are read here; all become UTF-8.
enum Charset {
  case utf8
  case latin1
  case latin9
  case windows1252
  /// Only its ASCII part is read.
  case other

  /// By its name in MIME (RFC 2047 §2); a language after `*` (RFC 2231 §5) does not matter.
  init(_ name: Span<UInt8>) {
    let name = name.extracting(0..<(name.firstIndex(of: 0x2A) ?? name.count))
    if name.equalsIgnoringCase("utf-8") || name.equalsIgnoringCase("utf8") || name.equalsIgnoringCase("us-ascii") {
      self = .utf8
    } else if name.equalsIgnoringCase("iso-8859-1") || name.equalsIgnoringCase("latin1") {
      self = .latin1
    } else if name.equalsIgnoringCase("iso-8859-15") || name.equalsIgnoringCase("latin9") {
      self = .latin9
    } else if name.equalsIgnoringCase("windows-1252") || name.equalsIgnoringCase("cp1252") {
      self = .windows1252
    } else {
      self = .other
    }
  }

  /// Appends `octets` in UTF-8; what stands for no character becomes U+FFFD.
  func decode(_ octets: Span<UInt8>, to text: inout Bytes) {
    var index = 0
    while index < octets.count {
      let octet = octets[index]
      var length = 1
      if octet < 0x80 {
        text.append(octet)
      } else if self == .utf8 {
        if let whole = octets.utf8SequenceLength(at: index) {
          length = whole
          text += octets.extracting(index..<index + length)
        } else {
          text += "\u{FFFD}"
        }
      } else {
        text.append(utf8: scalar(octet))
      }
      index += length
    }
  }

  private func scalar(_ octet: UInt8) -> UInt32 {
    switch self {
    case .utf8, .other: return 0xFFFD
    case .latin1: return UInt32(octet)
    case .latin9:
      switch octet {
      case 0xA4: return 0x20AC
      case 0xA6: return 0x160
      case 0xA8: return 0x161
      case 0xB4: return 0x17D
      case 0xB8: return 0x17E
      case 0xBC: return 0x152
      case 0xBD: return 0x153
      case 0xBE: return 0x178
      default: return UInt32(octet)
      }
    case .windows1252:
      guard octet < 0xA0 else { return UInt32(octet) }
      return Charset.windows1252Upper[Int(octet) - 0x80]
    }
  }

  private static let windows1252Upper: InlineArray<32, UInt32> = [
    0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD,
    0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A,
    0x0153, 0xFFFD, 0x017E, 0x0178,
  ]
}

extension Array where Element == UInt8 {
  /// Appends a character of Unicode by its number.
  mutating func append(utf8 scalar: UInt32) {
    func low(_ bits: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: 0x80 | bits & 0x3F) }
    if scalar < 0x80 {
      append(UInt8(scalar))
    } else if scalar < 0x800 {
      append(UInt8(0xC0 | scalar >> 6))
      append(low(scalar))
    } else if scalar < 0x10000 {
      append(UInt8(0xE0 | scalar >> 12))
      append(low(scalar >> 6))
      append(low(scalar))
    } else {
      append(UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18))
      append(low(scalar >> 12))
      append(low(scalar >> 6))
      append(low(scalar))
    }
  }
}
