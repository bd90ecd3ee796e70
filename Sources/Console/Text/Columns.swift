import Wire

extension Array where Element == UInt8 {
  /// Appends spaces until there are `count` octets; at least one.
  mutating func pad(to count: Int) {
    append(ASCII.space)
    while self.count < count { append(ASCII.space) }
  }

  /// Appends `text` with spaces before it so that it ends `width` octets further right.
  mutating func append(right width: Int, _ text: Bytes) {
    for _ in 0..<Swift.max(0, width - text.count) { append(ASCII.space) }
    self += text.span
  }
}
