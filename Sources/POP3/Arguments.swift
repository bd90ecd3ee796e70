import Wire

/// What follows a command's keyword, cut at its spaces. RFC 1939 §3 has one space between arguments; more of them, and
/// some at the end of the line, are taken as well, since their meaning is plain.
struct Arguments {
  /// How many there are; only two are looked at, for no command has more.
  private(set) var count = 0
  private(set) var first = 0..<0
  private(set) var second = 0..<0

  init(_ text: Span<UInt8>) {
    var index = 0
    while index < text.count {
      if text[index] == ASCII.space {
        index += 1
        continue
      }
      let end = text.firstIndex(of: ASCII.space, from: index) ?? text.count
      switch count {
      case 0: first = index..<end
      case 1: second = index..<end
      default: break
      }
      count += 1
      index = end
    }
  }

  /// The number that `text` spells (RFC 2449 §3: digits, leading zeros too); `Int.max` where it would be larger; nil
  /// where it is none.
  static func number(_ text: Span<UInt8>) -> Int? {
    guard text.count > 0 else { return nil }
    for index in text.indices where !ASCII.isDigit(text[index]) { return nil }
    return text.decimal.map { Int(clamping: $0) } ?? Int.max
  }
}
