/// What may stand between the brackets of an address literal: RFC 5321 §4.1.3.
public enum AddressLiteral {
  /// Whether `text` is `192.0.2.1` or `IPv6:2001:db8::1`.
  public static func isValid(_ text: Span<UInt8>) -> Bool {
    if text.count > 5, text.extracting(0..<5).equalsIgnoringCase("ipv6:") { return isIPv6(text.extracting(5...)) }
    return isIPv4(text)
  }

  /// Whether `text` is four numbers of at most 255 with dots between them.
  public static func isIPv4(_ text: Span<UInt8>) -> Bool {
    var parts = 0
    var start = 0
    while true {
      let end = text.firstIndex(of: ASCII.dot, from: start) ?? text.count
      guard end - start <= 3, let number = text.extracting(start..<end).decimal, number <= 255 else { return false }
      parts += 1
      if end == text.count { return parts == 4 }
      if parts == 4 { return false }
      start = end + 1
    }
  }

  /// Whether `text` is an IPv6 address: eight groups, or fewer with one `::`, the last two perhaps as IPv4.
  public static func isIPv6(_ text: Span<UInt8>) -> Bool {
    var groups = 0
    var hasGap = false
    var index = 0
    if text.count >= 2, text[0] == 0x3A {
      guard text[1] == 0x3A else { return false }
      hasGap = true
      index = 2
    }
    while index < text.count {
      let end = text.firstIndex(of: 0x3A, from: index) ?? text.count
      let group = text.extracting(index..<end)
      if end == text.count, isIPv4(group) {
        groups += 2
        break
      }
      guard group.count <= 4, group.hexadecimal != nil else { return false }
      groups += 1
      if end == text.count { break }
      index = end + 1
      if index == text.count { return false }
      if text[index] == 0x3A {
        if hasGap { return false }
        hasGap = true
        index += 1
      }
    }
    // RFC 5321 §4.1.3 lets `::` stand for two groups at least, RFC 4291 §2.2 for one; take what people write.
    return hasGap ? groups <= 7 : groups == 8
  }
}
