import Wire

/// The parameters of MAIL: RFC 5321 §4.1.1.11, RFC 1870 §6, RFC 6152 §2, RFC 3030 §3, RFC 6531 §3.4, RFC 4954 §5.
struct MailParameters {
  /// What SIZE= says in octets; more than 64 bits count as the most they can.
  private(set) var size: UInt64?
  private(set) var is8Bit: Bool?
  private(set) var isUTF8 = false
  private var hasAuth = false

  enum Failure: Error {
    /// Not `KEYWORD` or `KEYWORD=value` after one space or more.
    case syntax
    case doubled
    case sizeValue
    case bodyValue
    /// BODY=BINARYMIME, which we do not offer.
    case binary
    case utf8Value
    case authValue
    /// A keyword no extension of ours has.
    case unknown
  }

  /// Reads what follows the reverse-path.
  init(_ text: Span<UInt8>) throws(Failure) {
    var reader = ParameterReader(text)
    while let (keyword, value) = try reader.next() {
      let name = text.extracting(keyword)
      if name.equalsIgnoringCase("size") {
        guard size == nil else { throw .doubled }
        guard let value else { throw .sizeValue }
        size = try Self.size(text.extracting(value))
      } else if name.equalsIgnoringCase("body") {
        guard is8Bit == nil else { throw .doubled }
        guard let value else { throw .bodyValue }
        is8Bit = try Self.is8Bit(text.extracting(value))
      } else if name.equalsIgnoringCase("smtputf8") {
        guard !isUTF8 else { throw .doubled }
        guard value == nil else { throw .utf8Value }
        isUTF8 = true
      } else if name.equalsIgnoringCase("auth") {
        // Who wrote it, says the sender. We trust nobody to say it, and so forget it as §5 has it.
        guard !hasAuth else { throw .doubled }
        guard value != nil else { throw .authValue }
        hasAuth = true
      } else {
        throw .unknown
      }
    }
  }

  /// size-value = 1*20DIGIT: RFC 1870 §4.
  private static func size(_ text: Span<UInt8>) throws(Failure) -> UInt64 {
    guard text.count <= 20 else { throw .sizeValue }
    for index in text.indices where !ASCII.isDigit(text[index]) { throw .sizeValue }
    return text.decimal ?? .max
  }

  private static func is8Bit(_ text: Span<UInt8>) throws(Failure) -> Bool {
    if text.equalsIgnoringCase("8bitmime") { return true }
    if text.equalsIgnoringCase("7bit") { return false }
    throw text.equalsIgnoringCase("binarymime") ? .binary : .bodyValue
  }
}

/// Cuts `KEYWORD` and `KEYWORD=value` from the left: RFC 5321 §4.1.2's esmtp-param.
struct ParameterReader: ~Escapable {
  private let text: Span<UInt8>
  private var index = 0

  @_lifetime(copy text)
  init(_ text: Span<UInt8>) { self.text = text }

  /// Where the next keyword and its value stand in the text; nil at the end.
  @_lifetime(self: copy self)
  mutating func next() throws(MailParameters.Failure) -> (keyword: Range<Int>, value: Range<Int>?)? {
    let space = index
    while index < text.count, text[index] == ASCII.space { index += 1 }
    if index == text.count { return nil }
    guard index > space else { throw .syntax }
    let start = index
    while index < text.count {
      let octet = text[index]
      guard ASCII.isLetter(octet) || ASCII.isDigit(octet) || (octet == 0x2D && index > start) else { break }
      index += 1
    }
    let keyword = start..<index
    guard !keyword.isEmpty else { throw .syntax }
    guard index < text.count, text[index] == 0x3D else { return (keyword, nil) }
    index += 1
    let valueStart = index
    while index < text.count, text[index] != ASCII.space, text[index] != 0x3D { index += 1 }
    guard index > valueStart else { throw .syntax }
    return (keyword, valueStart..<index)
  }
}
