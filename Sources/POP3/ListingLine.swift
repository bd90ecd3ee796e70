import Wire

/// Writes the lines of LIST and UIDL. There may be a hundred thousand of them in one answer, a thousand times an hour,
/// so the parts that stay are written once, and each line is appended in one piece.
struct ListingLine {
  /// Octets of the longest line: two numbers of twenty digits, the prefix, a space and CRLF.
  static let longest = 128
  /// Where the message's number ends; it is written backwards from here.
  private static let middle = 20
  /// Octets of a unique-id's prefix: RFC 1939 §7 allows 70 in all, the id takes sixteen.
  private static let prefix = 54

  private let listing: Listing
  private var octets = InlineArray<128, UInt8>(repeating: ASCII.space)
  /// Where the size or the id begins.
  private let tail: Int

  init(_ listing: Listing, uidPrefix: Bytes) {
    self.listing = listing
    var index = Self.middle + 1
    if listing == .uniqueIDs {
      for octet in uidPrefix.prefix(Self.prefix) {
        octets[index] = octet
        index += 1
      }
    }
    tail = index
  }

  /// Appends the line for message `number` and its CRLF.
  mutating func append(_ number: Int, octets size: Int, uid: UInt64, to reply: inout Bytes) {
    var start = Self.middle
    var rest = UInt(bitPattern: number)
    repeat {
      start -= 1
      octets[start] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest > 0
    var end = tail
    switch listing {
    case .sizes: end = writeDecimal(UInt64(size), at: end)
    case .uniqueIDs: end = writeHexadecimal(uid, at: end)
    }
    octets[end] = ASCII.cr
    octets[end + 1] = ASCII.lf
    reply += octets.span.extracting(start..<end + 2)
  }

  private mutating func writeDecimal(_ number: UInt64, at start: Int) -> Int {
    var end = start + 1
    var rest = number
    while rest >= 10 {
      rest /= 10
      end += 1
    }
    rest = number
    for index in stride(from: end - 1, through: start, by: -1) {
      octets[index] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    return end
  }

  private mutating func writeHexadecimal(_ number: UInt64, at start: Int) -> Int {
    let end = start + max(1, (67 - number.leadingZeroBitCount) / 4)
    var rest = number
    for index in stride(from: end - 1, through: start, by: -1) {
      let digit = UInt8(truncatingIfNeeded: rest & 15)
      octets[index] = digit < 10 ? 0x30 + digit : 0x57 + digit
      rest >>= 4
    }
    return end
  }
}
