/// A growing row of bits, and which of them are zero.
struct Bitmap: Equatable, Sendable {
  private var words: [UInt64] = []
  /// How many bits are set.
  private(set) var setCount = 0

  func contains(_ index: Int) -> Bool {
    let word = index >> 6
    return word < words.count && words[word] >> UInt64(index & 63) & 1 == 1
  }

  /// Sets or clears a bit.
  mutating func set(_ index: Int, _ on: Bool) {
    guard contains(index) != on else { return }
    let word = index >> 6
    while words.count <= word { words.append(0) }
    words[word] ^= 1 << UInt64(index & 63)
    setCount += on ? 1 : -1
  }

  /// The index of the zero bit that has `rank` zero bits before it.
  func zero(rank: Int) -> Int {
    if setCount == 0 { return rank }
    var left = rank
    for word in words.indices {
      let zeros = 64 - words[word].nonzeroBitCount
      if left < zeros {
        var bit = 0
        while true {
          if words[word] >> UInt64(bit) & 1 == 0 {
            if left == 0 { return word << 6 | bit }
            left -= 1
          }
          bit += 1
        }
      }
      left -= zeros
    }
    return (words.count << 6) + left
  }
}
