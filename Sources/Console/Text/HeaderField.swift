import Wire

/// Reads single fields of a message's header section, for listings.
enum HeaderField {
  /// The body of the first field `name` (in lower case, without colon), unfolded (RFC 5322 §2.2.3), without white space
  /// around it. `header` begins the message and may be cut off anywhere; lines end in CRLF or LF.
  static func value(_ name: StaticString, in header: Span<UInt8>) -> Bytes? {
    let length = name.utf8CodeUnitCount
    var start = 0
    while start < header.count {
      let end = header.firstIndex(of: ASCII.lf, from: start) ?? header.count
      let line = trimmed(header.extracting(start..<end))
      if line.count == 0, header[start] == ASCII.lf || header[start] == ASCII.cr { return nil }
      let isFolded = header[start] == ASCII.space || header[start] == ASCII.tab
      start = end + 1
      // RFC 5322 §4.5 lets white space stand before the colon.
      guard !isFolded, line.count > length, line.extracting(0..<length).equalsIgnoringCase(name),
        let colon = line.firstIndex(of: 0x3A, from: length),
        trimmed(line.extracting(length..<colon)).count == 0
      else { continue }
      var value = Bytes(trimmed(line.extracting((colon + 1)...)))
      while start < header.count, header[start] == ASCII.space || header[start] == ASCII.tab {
        let end = header.firstIndex(of: ASCII.lf, from: start) ?? header.count
        value.append(ASCII.space)
        value += trimmed(header.extracting(start..<end))
        start = end + 1
      }
      return value
    }
    return nil
  }

  @_lifetime(copy text)
  private static func trimmed(_ text: Span<UInt8>) -> Span<UInt8> {
    var start = 0
    var end = text.count
    func isSpace(_ octet: UInt8) -> Bool { octet == ASCII.space || octet == ASCII.tab || octet == ASCII.cr }
    while start < end, isSpace(text[start]) { start += 1 }
    while end > start, isSpace(text[end - 1]) { end -= 1 }
    return text.extracting(start..<end)
  }
}
