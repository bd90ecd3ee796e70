import Wire

/// Finds the word that was meant.
enum NearMiss {
  /// The one of `words` that takes the fewest changes of one letter to make from `word`, in either case; nil when
  /// none is near.
  static func closest(to word: Bytes, among words: [StaticString]) -> StaticString? {
    // Nobody's slip is longer, and the work grows with it.
    guard word.count <= 64 else { return nil }
    var best: StaticString?
    var fewest = max(2, word.count / 3) + 1
    for candidate in words {
      let changes = distance(word.lowercased, Bytes(candidate).lowercased)
      if changes < fewest { (best, fewest) = (candidate, changes) }
    }
    return best
  }

  /// Levenshtein's: letters put in, taken out, or replaced.
  private static func distance(_ a: Bytes, _ b: Bytes) -> Int {
    var row = [Int](0...b.count)
    for i in a.indices {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let replaced = diagonal + (a[i] == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, min(diagonal, row[j]) + 1)
      }
    }
    return row[b.count]
  }
}
