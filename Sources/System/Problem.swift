import Wire

/// What is wrong with a file that people write: where, what, and what would be accepted.
public struct Problem: Error, Equatable, Sendable {
  /// The file's name.
  public let file: Path
  /// The line, from 1; 0 when the whole file is meant.
  public let line: Int
  /// One line of text for a person, without control characters.
  public let text: Bytes

  public init(_ file: Path, line: Int = 0, _ text: Bytes) {
    self.file = file
    self.line = line
    self.text = text
  }

  /// `/etc/restante/restante.conf:12: text`.
  public var description: Bytes {
    var out = Bytes()
    out.append(shown: file.bytes.span, limit: file.bytes.count)
    if line > 0 {
      out += ":"
      out.append(decimal: line)
    }
    out += ": "
    out += text
    return out
  }
}

extension Array where Element == UInt8 {
  /// Appends text of unknown origin so that a terminal and a journal can show it: control characters and octets
  /// above 126 come as `\xNN`, and no more than `limit` of them.
  public mutating func append(shown text: Span<UInt8>, limit: Int = 60) {
    for index in 0..<Swift.min(text.count, limit) {
      if text[index] >= 0x20 && text[index] <= 0x7E {
        append(text[index])
      } else {
        self += "\\x"
        append(hexadecimal: UInt64(text[index]), width: 2)
      }
    }
    if text.count > limit { self += "..." }
  }

  /// Appends text of unknown origin as `append(shown:)` does, in quotes.
  public mutating func append(quoted text: Span<UInt8>) {
    append(0x22)
    append(shown: text)
    append(0x22)
  }
}
