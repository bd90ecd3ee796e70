/// Counts the Received: lines in a message's header section, octet by octet at the start of each line only.
struct HeaderWatch {
  /// How many octets of "received:" this line began with; `settled` when there is nothing more to learn from it.
  private var matched: UInt8 = 0
  private var isOver = false
  private(set) var receivedLines: UInt16 = 0

  private static let settled: UInt8 = 0xFF

  /// Whether the next octet of the line is to be shown to `take`.
  var isCurious: Bool { matched != Self.settled }

  mutating func take(_ octet: UInt8) {
    if ASCII.lower(octet) != Self.name(matched) {
      matched = Self.settled
    } else if matched == 8 {
      matched = Self.settled
      if receivedLines < .max { receivedLines += 1 }
    } else {
      matched += 1
    }
  }

  /// The line begins with a dot and so with no field's name.
  mutating func skipLine() { matched = Self.settled }

  /// A line has ended. The first empty one ends the header section: RFC 5322 §2.1.
  mutating func endLine() {
    if isOver { return }
    if matched == 0 {
      isOver = true
      matched = Self.settled
    } else {
      matched = 0
    }
  }

  private static func name(_ index: UInt8) -> UInt8 {
    let name: StaticString = "received:"
    return unsafe name.utf8Start[Int(index)]
  }
}
