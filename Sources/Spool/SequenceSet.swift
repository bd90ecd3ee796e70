import Wire

/// Sequence numbers as ranges, in the text form of a record: `5,7-9`. A range names every message of the record's
/// maildrop between its ends.
struct SequenceSet: Equatable, Sendable {
  private(set) var ranges: [ClosedRange<UInt64>] = []

  init() {}

  init(_ sequences: [UInt64]) {
    var sequences = sequences
    sequences.shellSort(<)
    for sequence in sequences { ranges.append(sequence...sequence) }
  }

  /// Reads the text form; nil where it is not one.
  init?(_ text: Span<UInt8>) {
    var start = 0
    let end = text.count > 0 && text[text.count - 1] == ASCII.lf ? text.count - 1 : text.count
    while start < end {
      var comma = start
      var dash: Int? = nil
      while comma < end, text[comma] != 0x2C {
        if text[comma] == 0x2D { dash = comma }
        comma += 1
      }
      guard let low = text.extracting(start..<(dash ?? comma)).decimal else { return nil }
      var high = low
      if let dash {
        guard let number = text.extracting((dash + 1)..<comma).decimal else { return nil }
        high = number
      }
      guard low <= high else { return nil }
      ranges.append(low...high)
      start = comma + 1
    }
  }

  var isEmpty: Bool { ranges.isEmpty }

  /// Appends a range that lies after all before it.
  mutating func append(_ range: ClosedRange<UInt64>) { ranges.append(range) }

  func contains(_ sequence: UInt64) -> Bool { ranges.contains { $0.contains(sequence) } }

  /// The text form in pieces of at most about `limit` octets, each one line.
  func pieces(limit: Int) -> [Bytes] {
    var pieces: [Bytes] = []
    var line = Bytes()
    for range in ranges {
      if line.count > limit {
        line.append(ASCII.lf)
        pieces.append(line)
        line = Bytes()
      }
      if !line.isEmpty { line += "," }
      line.append(decimal: range.lowerBound)
      if range.upperBound > range.lowerBound {
        line += "-"
        line.append(decimal: range.upperBound)
      }
    }
    if !line.isEmpty {
      line.append(ASCII.lf)
      pieces.append(line)
    }
    return pieces
  }
}
