/// Finds where TOP must cut a stored message: after the header, the blank line and a number of lines of the body
/// (RFC 1939 §7), or before the `.` CRLF that ends a message with fewer.
///
/// The message is in wire format: CRLF lines, dot-stuffed, ended by `.` CRLF. It may be offered in pieces of any size,
/// one after the other.
public struct TopCutter {
  /// Lines of the body still to come.
  private var lines: Int
  private var inHeader = true
  /// Octets looked at so far.
  private var offset = 0
  /// Where the current line begins, and what with.
  private var lineStart = 0
  private var lineFirst: UInt8 = 0
  private var cut: Int?

  /// A cutter for the header and `bodyLines` lines of the body.
  public init(bodyLines: Int) {
    lines = bodyLines
  }

  /// Octets from the message's beginning that are in front of the cut for certain: they may be sent already.
  public var certain: Int { cut ?? lineStart }

  /// Looks at the next piece. The answer is where to cut, in octets from the message's beginning; nil if that is in
  /// a piece still to come. After the last piece ``certain`` is the cut even of a message that lacks its end.
  public mutating func scan(_ piece: Span<UInt8>) -> Int? {
    if let cut { return cut }
    let octets = unsafe piece.bytes
    let start = offset
    offset += piece.count
    var index = 0
    if start == lineStart && piece.count > 0 { lineFirst = piece[0] }
    while let lf = octets.firstLF(from: index) {
      index = lf + 1
      let length = start + index - lineStart
      if length <= 3 && endsHere(length) {
        cut = lineStart
        return cut
      }
      if !inHeader {
        lines -= 1
      } else if lineFirst == ASCII.lf || lineFirst == ASCII.cr && length == 2 {
        inHeader = false
      }
      lineStart = start + index
      if !inHeader && lines <= 0 {
        cut = lineStart
        return cut
      }
      if index < piece.count { lineFirst = piece[index] }
    }
    return nil
  }

  /// Whether the line that was just read, of `length` octets with its LF, is the one that ends the message. In wire
  /// format any other line that begins with a dot has a second one.
  private func endsHere(_ length: Int) -> Bool { lineFirst == ASCII.dot && length == 3 }
}

extension RawSpan {
  /// The index of the first LF at or after `start`, found eight octets at a time.
  fileprivate func firstLF(from start: Int) -> Int? {
    var index = start
    while index + 8 <= byteCount {
      let word = UInt64(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
      // An octet that is LF becomes 0, and only the lowest 0 octet is sure to raise its high bit here.
      let zeroed = word ^ 0x0A0A_0A0A_0A0A_0A0A
      let found = (zeroed &- 0x0101_0101_0101_0101) & ~zeroed & 0x8080_8080_8080_8080
      if found != 0 { return index + found.trailingZeroBitCount / 8 }
      index += 8
    }
    while index < byteCount {
      if unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self) == ASCII.lf { return index }
      index += 1
    }
    return nil
  }
}
