/// The numbers of the messages a session has marked with DELE, in ascending order. They take no memory before the
/// first mark.
public struct DeletionMarks: Sequence {
  private var words: [UInt64] = []
  /// Marked messages.
  public private(set) var count = 0
  /// Octets of the marked messages together, so that STAT need not look them up.
  public private(set) var octets = 0

  public init() {}

  public var isEmpty: Bool { count == 0 }

  public func contains(_ number: Int) -> Bool {
    number >> 6 < words.count && words[number >> 6] >> UInt64(number & 63) & 1 == 1
  }

  /// Marks message `number` of `octets` in a maildrop of `messages`. Marking it again changes nothing.
  public mutating func insert(_ number: Int, octets: Int, messages: Int) {
    guard !contains(number) else { return }
    if words.isEmpty { words = Array(repeating: 0, count: messages >> 6 + 1) }
    while words.count <= number >> 6 { words.append(0) }
    words[number >> 6] |= 1 << UInt64(number & 63)
    count += 1
    self.octets += octets
  }

  /// The first marked message at or after `number`.
  public func first(from number: Int) -> Int? {
    var index = number >> 6
    guard index < words.count else { return nil }
    var word = words[index] & (~0 << UInt64(number & 63))
    while word == 0 {
      index += 1
      guard index < words.count else { return nil }
      word = words[index]
    }
    return index << 6 | word.trailingZeroBitCount
  }

  public func makeIterator() -> Iterator { Iterator(marks: self) }

  public struct Iterator: IteratorProtocol {
    fileprivate let marks: DeletionMarks
    private var following = 0

    fileprivate init(marks: DeletionMarks) {
      self.marks = marks
    }

    public mutating func next() -> Int? {
      guard let number = marks.first(from: following) else { return nil }
      following = number + 1
      return number
    }
  }
}
