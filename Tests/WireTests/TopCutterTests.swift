import Testing
import Wire

@Suite("Where TOP cuts a message")
struct TopCutterTests {
  /// The slow and obvious way, for messages that are whole.
  private func expected(_ message: String, _ lines: Int) -> Int {
    var octets = 0
    var left = lines
    var inHeader = true
    for line in message.components(endingWith: "\r\n") {
      if line == ".\r\n" { return octets }
      if !inHeader {
        if left == 0 { return octets }
        left -= 1
      }
      octets += line.utf8.count
      if inHeader && line == "\r\n" { inHeader = false }
    }
    return octets
  }

  private static let messages = [
    "Subject: one\r\n\r\nfirst\r\nsecond\r\nthird\r\n.\r\n",
    // Dots, stuffed, at line starts; lines of one octet; empty lines in the body.
    "A: b\r\n\r\n..\r\n..x\r\nx\r\n\r\n\r\n. \r\n...\r\n.\r\n",
    // No body, no blank line, no header, nothing.
    "A: b\r\n\r\n.\r\n",
    "A: b\r\n.\r\n",
    "\r\nbody\r\n.\r\n",
    ".\r\n",
    // Long lines, so that eight octets at a time are looked at from every alignment.
    "A: \(String(repeating: "a", count: 70))\r\n\r\n"
      + (0..<20).map { String(repeating: "x", count: $0) + "\r\n" }.joined() + ".\r\n",
    // Header lines that only look blank, and LF-like octets all over.
    "A: b\r\n \r\n\rx\r\n\u{B}\u{8A}\u{10A}\r\n\r\n\u{A0A}\r\n.\r\n",
  ]

  @Test(
    "The cut is after the blank line and n lines, or before the final dot, in pieces of any size", arguments: messages)
  func cuts(message: String) {
    let octets = Bytes(message.utf8)
    for lines in [0, 1, 2, 3, 4, 5, 7, 19, 20, 21, Int.max] {
      let cut = expected(message, lines)
      for size in 1...octets.count {
        var cutter = TopCutter(bodyLines: lines)
        var found: Int?
        var start = 0
        while start < octets.count, found == nil {
          let piece = Bytes(octets[start..<min(start + size, octets.count)])
          found = cutter.scan(piece.span)
          start += size
          #expect(cutter.certain <= cut)
        }
        #expect(found == cut, "\(lines) lines in pieces of \(size)")
        #expect(cutter.certain == cut)
        // What comes after the cut changes nothing.
        #expect(cutter.scan(Bytes("x\r\n").span) == cut)
      }
    }
  }

  @Test("A message cut in two at each position is cut at the same place", arguments: messages)
  func splits(message: String) {
    let octets = Bytes(message.utf8)
    for position in 0...octets.count {
      var cutter = TopCutter(bodyLines: 2)
      _ = cutter.scan(Bytes(octets[..<position]).span)
      #expect(cutter.scan(Bytes(octets[position...]).span) == expected(message, 2))
    }
  }

  @Test("A message without its end is cut after its last whole line")
  func torn() {
    var cutter = TopCutter(bodyLines: 10)
    #expect(cutter.scan(Bytes("A: b\r\n\r\nx\r\nhalf a l").span) == nil)
    #expect(cutter.certain == 11)
  }
}

extension String {
  /// The parts that end with `end`, with it.
  fileprivate func components(endingWith end: String) -> [String] {
    var parts: [String] = []
    var part: [UInt8] = []
    for octet in utf8 {
      part.append(octet)
      if part.count >= 2, part.suffix(2).elementsEqual(end.utf8) {
        parts.append(String(decoding: part, as: UTF8.self))
        part = []
      }
    }
    return parts
  }
}
