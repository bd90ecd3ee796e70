import System
import Wire

/// Message numbers as people write them: `5,7-9`, in one word or several.
struct Sequences {
  private var ranges: [ClosedRange<UInt64>] = []

  init(_ words: [Bytes]) throws(Failure) {
    for word in words {
      for part in word.split(separator: 0x2C, omittingEmptySubsequences: false) {
        let ends = part.split(separator: 0x2D, omittingEmptySubsequences: false).map { Bytes($0).span.decimal }
        guard ends.count <= 2, let low = ends[0], let high = ends[ends.count - 1], low <= high else {
          var text = Bytes()
          text.append(quoted: Bytes(part).span)
          text += " is no message number; they are the SEQ of `restante mail list`, such as 5,7-9"
          throw Failure(.usage, text)
        }
        ranges.append(low...high)
      }
    }
  }

  func contains(_ sequence: UInt64) -> Bool { ranges.contains { $0.contains(sequence) } }

  /// The parts of which none of `known` (ascending) is one.
  func missing(from known: [UInt64]) -> [ClosedRange<UInt64>] {
    ranges.filter { range in
      var low = 0
      var high = known.count
      while low < high {
        let middle = (low + high) / 2
        if known[middle] < range.lowerBound { low = middle + 1 } else { high = middle }
      }
      return low == known.count || known[low] > range.upperBound
    }
  }

  /// Writes `sequences` (ascending) in this form, neighbours as a range, in lines of at most `limit` octets that name
  /// at most `most` messages each.
  static func lines(_ sequences: [UInt64], limit: Int, most: Int) -> [Bytes] {
    var lines: [Bytes] = []
    var line = Bytes()
    var named = 0
    var index = 0
    while index < sequences.count {
      var end = index
      while end + 1 < sequences.count, sequences[end + 1] == sequences[end] + 1, end + 1 - index < most { end += 1 }
      let count = end - index + 1
      var part = Bytes()
      part.append(decimal: sequences[index])
      if end > index {
        part.append(0x2D)
        part.append(decimal: sequences[end])
      }
      if !line.isEmpty, line.count + part.count + 1 > limit || named + count > most {
        lines.append(line)
        line.removeAll()
        named = 0
      }
      if !line.isEmpty { line.append(0x2C) }
      line += part
      named += count
      index = end + 1
    }
    if !line.isEmpty { lines.append(line) }
    return lines
  }
}
