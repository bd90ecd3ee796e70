/// Octets, as they stand on the wire and on disk. Text is octets here: protocols compare octets, not characters.
public typealias Bytes = [UInt8]

/// The octets the protocols give a meaning to.
public enum ASCII {
  public static let tab: UInt8 = 0x09
  public static let lf: UInt8 = 0x0A
  public static let cr: UInt8 = 0x0D
  public static let space: UInt8 = 0x20
  public static let dot: UInt8 = 0x2E

  /// `octet` in lower case if it is one of A to Z.
  @inlinable
  public static func lower(_ octet: UInt8) -> UInt8 {
    octet >= 0x41 && octet <= 0x5A ? octet | 0x20 : octet
  }

  @inlinable
  public static func isDigit(_ octet: UInt8) -> Bool { octet >= 0x30 && octet <= 0x39 }

  @inlinable
  public static func isLetter(_ octet: UInt8) -> Bool {
    let low = octet | 0x20
    return low >= 0x61 && low <= 0x7A
  }
}

extension Array where Element == UInt8 {
  /// The octets of a literal.
  public init(_ text: StaticString) {
    self = unsafe Array(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// A copy of `span`.
  public init(_ span: Span<UInt8>) {
    self = unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
  }

  public static func += (bytes: inout Bytes, text: StaticString) {
    unsafe bytes.append(copying: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  public static func += (bytes: inout Bytes, span: Span<UInt8>) {
    unsafe span.withUnsafeBufferPointer { unsafe bytes.append(copying: $0) }
  }

  public static func += (bytes: inout Bytes, other: Bytes) { bytes += other.span }

  /// Appends `number` in decimal digits, with at least `width` of them.
  public mutating func append(decimal number: UInt64, width: Int = 1) {
    var divisor: UInt64 = 1
    var digits = 1
    while number / divisor >= 10 {
      divisor *= 10
      digits += 1
    }
    while digits < width {
      append(0x30)
      digits += 1
    }
    // Digits past `divisor`'s reach were padding.
    while divisor > 0 {
      append(0x30 + UInt8(truncatingIfNeeded: number / divisor % 10))
      divisor /= 10
    }
  }

  public mutating func append(decimal number: Int, width: Int = 1) {
    if number < 0 { append(0x2D) }
    append(decimal: UInt64(number.magnitude), width: width)
  }

  /// Appends `number` in lower-case hexadecimal digits, with at least `width` of them.
  public mutating func append(hexadecimal number: UInt64, width: Int = 1) {
    var digits = Swift.max(1, (67 - number.leadingZeroBitCount) / 4)
    if digits < width { digits = width }
    while digits > 0 {
      digits -= 1
      let digit = digits < 16 ? UInt8(truncatingIfNeeded: number >> UInt64(4 * digits) & 15) : 0
      append(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
  }

  public mutating func appendCRLF() {
    append(ASCII.cr)
    append(ASCII.lf)
  }

  /// These octets with A to Z in lower case.
  public var lowercased: Bytes { map(ASCII.lower) }

  /// Whether these octets are `text`.
  public func equals(_ text: StaticString) -> Bool { span.equals(text) }

  public func hasPrefix(_ text: StaticString) -> Bool {
    let length = text.utf8CodeUnitCount
    return count >= length && span.extracting(0..<length).equals(text)
  }

  /// As text, for what a person reads; octets that are not UTF-8 come out as U+FFFD.
  public var text: String { String(decoding: self, as: UTF8.self) }
}

extension Span where Element == UInt8 {
  /// Whether these octets are `text`.
  public func equals(_ text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount else { return false }
    for index in indices where unsafe self[index] != text.utf8Start[index] { return false }
    return true
  }

  /// Whether these octets are `text` when A to Z and a to z are the same. `text` must be in lower case.
  public func equalsIgnoringCase(_ text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount else { return false }
    for index in indices where unsafe ASCII.lower(self[index]) != text.utf8Start[index] { return false }
    return true
  }

  /// The index of the first `octet` at or after `start`.
  @inlinable
  public func firstIndex(of octet: UInt8, from start: Int = 0) -> Int? {
    var index = start
    while index < count {
      if self[index] == octet { return index }
      index += 1
    }
    return nil
  }

  /// The number these octets spell in decimal digits and nothing else; nil also where it does not fit.
  public var decimal: UInt64? {
    guard count > 0 else { return nil }
    var number: UInt64 = 0
    for index in indices {
      guard ASCII.isDigit(self[index]) else { return nil }
      let (times, over) = number.multipliedReportingOverflow(by: 10)
      let (sum, carry) = times.addingReportingOverflow(UInt64(self[index] - 0x30))
      guard !over, !carry else { return nil }
      number = sum
    }
    return number
  }

  /// The number these octets spell in hexadecimal digits and nothing else; nil also where it does not fit.
  public var hexadecimal: UInt64? {
    guard count > 0, count <= 16 else { return nil }
    var number: UInt64 = 0
    for index in indices {
      let octet = ASCII.lower(self[index])
      if ASCII.isDigit(octet) {
        number = number << 4 | UInt64(octet - 0x30)
      } else if octet >= 0x61 && octet <= 0x66 {
        number = number << 4 | UInt64(octet - 0x57)
      } else {
        return nil
      }
    }
    return number
  }
}
