extension Span where Element == UInt8 {
  /// Whether all octets are below 128.
  public var isASCII: Bool {
    for index in indices where self[index] >= 0x80 { return false }
    return true
  }

  /// Whether these octets are well-formed UTF-8 (RFC 3629): nothing cut short, no overlong form, no surrogate, nothing
  /// past U+10FFFF.
  public var isUTF8: Bool {
    var index = 0
    while index < count {
      guard let length = utf8SequenceLength(at: index) else { return false }
      index += length
    }
    return true
  }

  /// How many octets the character at `index` takes; nil where no well-formed one begins.
  public func utf8SequenceLength(at index: Int) -> Int? {
    let first = self[index]
    let length: Int
    // The second octet's range carries every rule but the length: RFC 3629 §4.
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch first {
    case 0x00...0x7F: return 1
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: length = 4
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: return nil
    }
    guard count - index >= length, second.contains(self[index + 1]) else { return nil }
    var next = index + 2
    while next < index + length {
      guard self[next] & 0xC0 == 0x80 else { return nil }
      next += 1
    }
    return length
  }
}

extension Array where Element == UInt8 {
  /// Whether these octets are well-formed UTF-8.
  public var isUTF8: Bool { span.isUTF8 }

  /// Whether all octets are below 128.
  public var isASCII: Bool { span.isASCII }
}
