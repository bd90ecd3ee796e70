/// Finds the word somebody meant.
public enum NearMiss {
  /// The candidate that takes the fewest changes, if those are few enough that it was probably meant: A to Z count as
  /// a to z, and a beginning of three letters is enough.
  public static func best(for word: Bytes, among candidates: [Bytes]) -> Bytes? {
    // Nobody's slip is longer, and the work grows with it.
    guard word.count <= 40 else { return nil }
    let word = word.lowercased
    var best: Bytes?
    var least = max(1, word.count / 3) + 1
    for candidate in candidates {
      let isBeginning = word.count >= 3 && candidate.lowercased.starts(with: word)
      let changes = isBeginning ? 1 : distance(word, candidate.lowercased)
      if changes < least {
        least = changes
        best = candidate
      }
    }
    return best
  }

  /// Octets to insert, remove, replace or swap with their neighbour to make `a` of `b`.
  static func distance(_ a: Bytes, _ b: Bytes) -> Int {
    var before: [Int] = []
    var last = [Int](0...b.count)
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var least = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, before[j - 1] + 1) }
        row.append(least)
      }
      before = last
      last = row
    }
    return last[b.count]
  }
}
