import Wire

/// Writes one JSON value (RFC 8259), keys in the order they are given.
struct JSON {
  private(set) var text = Bytes()
  /// Whether the next value at this place needs a comma before it.
  private var needsComma = false

  mutating func beginObject(_ key: StaticString? = nil) {
    begin(key)
    text += "{"
    needsComma = false
  }

  mutating func endObject() {
    text += "}"
    needsComma = true
  }

  mutating func beginArray(_ key: StaticString? = nil) {
    begin(key)
    text += "["
    needsComma = false
  }

  mutating func endArray() {
    text += "]"
    needsComma = true
  }

  mutating func add(_ key: StaticString? = nil, _ value: Bytes) {
    begin(key)
    string(value)
    needsComma = true
  }

  mutating func add(_ key: StaticString? = nil, _ value: Int64) {
    begin(key)
    text.append(decimal: Int(value))
    needsComma = true
  }

  mutating func add(_ key: StaticString? = nil, _ value: Int) { add(key, Int64(value)) }

  mutating func add(_ key: StaticString? = nil, _ value: Bool) {
    begin(key)
    text += value ? "true" : "false"
    needsComma = true
  }

  mutating func addNull(_ key: StaticString? = nil) {
    begin(key)
    text += "null"
    needsComma = true
  }

  /// A value under a key that is only known now. A value that is a number, `true` or `false` in JSON's own spelling is
  /// written as such; any other is a string.
  mutating func add(named key: Bytes, _ value: Bytes) {
    if needsComma { text += "," }
    string(key)
    text += ":"
    if JSON.isLiteral(value) { text += value } else { string(value) }
    needsComma = true
  }

  private mutating func begin(_ key: StaticString?) {
    if needsComma { text += "," }
    guard let key else { return }
    string(Bytes(key))
    text += ":"
  }

  /// RFC 8259 §7: quotes, backslashes and control characters are escaped. Octets that are not UTF-8 become U+FFFD.
  private mutating func string(_ value: Bytes) {
    text += "\""
    let span = value.span
    var index = 0
    while index < span.count {
      let octet = span[index]
      switch octet {
      case 0x22: text += "\\\""
      case 0x5C: text += "\\\\"
      case 0x0A: text += "\\n"
      case 0x0D: text += "\\r"
      case 0x09: text += "\\t"
      case 0..<0x20, 0x7F:
        text += "\\u"
        text.append(hexadecimal: UInt64(octet), width: 4)
      default:
        guard let length = span.utf8SequenceLength(at: index) else {
          text += "\u{FFFD}"
          break
        }
        text += span.extracting(index..<index + length)
        index += length - 1
      }
      index += 1
    }
    text += "\""
  }

  private static func isLiteral(_ value: Bytes) -> Bool {
    if value.equals("true") || value.equals("false") || value.equals("null") { return true }
    let digits = value.first == 0x2D ? Bytes(value.dropFirst()) : value
    // RFC 8259 §6: no leading zeros. Past 15 digits not every reader has the number exactly.
    return digits.count <= 15 && digits.span.decimal != nil && (digits.count == 1 || digits[0] != 0x30)
  }
}
