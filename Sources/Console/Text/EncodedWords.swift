import Wire

/// Turns a header field's body into UTF-8: the encoded words of RFC 2047, and octets past ASCII as they are found.
enum EncodedWords {
  static func decode(_ body: Bytes) -> Bytes {
    let text = body.span
    var out = Bytes()
    // White space between two encoded words is not shown (§6.2), and a character may be split between them by
    // writers who count octets: words of one character set are decoded together.
    var pending = Bytes()
    var pendingSet: Charset?
    var space = Bytes()
    var index = 0
    func flush() {
      if let set = pendingSet { set.decode(pending.span, to: &out) }
      pending.removeAll()
      pendingSet = nil
    }
    while index < text.count {
      if let word = word(text, at: index) {
        if pendingSet == nil { out += space }
        space.removeAll()
        if let set = pendingSet, set != word.charset { flush() }
        pendingSet = word.charset
        pending += word.octets
        index = word.end
        continue
      }
      let octet = text[index]
      if octet == ASCII.space || octet == ASCII.tab {
        space.append(ASCII.space)
        index += 1
        continue
      }
      flush()
      out += space
      space.removeAll()
      let start = index
      repeat {
        index += 1
      } while index < text.count && text[index] != ASCII.space && text[index] != ASCII.tab
        && text[index] != 0x3D
      plain(text.extracting(start..<index), to: &out)
    }
    flush()
    return out
  }

  /// Octets that stand there as they are: UTF-8, or what old programs on Windows wrote.
  private static func plain(_ text: Span<UInt8>, to out: inout Bytes) {
    (text.isUTF8 ? Charset.utf8 : .windows1252).decode(text, to: &out)
  }

  /// The encoded word that begins at `index`: `=?charset?Q?text?=`.
  private static func word(_ text: Span<UInt8>, at index: Int) -> (charset: Charset, octets: Bytes, end: Int)? {
    guard index + 1 < text.count, text[index] == 0x3D, text[index + 1] == 0x3F,
      let afterSet = text.firstIndex(of: 0x3F, from: index + 2), afterSet + 2 < text.count, text[afterSet + 2] == 0x3F,
      let end = text.firstIndex(of: 0x3F, from: afterSet + 3), end + 1 < text.count, text[end + 1] == 0x3D
    else { return nil }
    let encoded = text.extracting(afterSet + 3..<end)
    let octets: Bytes?
    switch text[afterSet + 1] | 0x20 {
    case 0x71: octets = quoted(encoded)
    case 0x62: octets = base64(encoded)
    default: octets = nil
    }
    guard let octets else { return nil }
    return (Charset(text.extracting(index + 2..<afterSet)), octets, end + 2)
  }

  /// RFC 2047 §4.2.
  private static func quoted(_ text: Span<UInt8>) -> Bytes? {
    var octets = Bytes()
    var index = 0
    while index < text.count {
      switch text[index] {
      case 0x5F: octets.append(ASCII.space)
      case 0x3D:
        guard index + 2 < text.count, let value = text.extracting(index + 1...index + 2).hexadecimal else { return nil }
        octets.append(UInt8(value))
        index += 2
      default: octets.append(text[index])
      }
      index += 1
    }
    return octets
  }

  /// RFC 2047 §4.1; missing padding is forgiven.
  private static func base64(_ text: Span<UInt8>) -> Bytes? {
    var padded = Bytes(text)
    while padded.count % 4 != 0 { padded.append(0x3D) }
    return Base64.decode(padded.span)
  }
}
