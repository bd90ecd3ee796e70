import Testing
import Wire

@Suite("Content as DATA brings it")
struct ContentScannerTests {
  /// Runs the scanner over pieces until the content ends.
  static func scan(_ pieces: [Bytes], _ policy: BareNewline) -> (ContentReference, ContentScanner) {
    var scanner = ContentScanner(bareNewline: policy)
    var result = ContentReference(consumed: 0, ended: false, wire: [], octets: 0, hasBareNewline: false)
    for piece in pieces where !result.ended {
      // What was written is taken away each time: the scanner must not look back.
      var content = Bytes()
      let (consumed, ended) = scanner.scan(piece.span, into: &content)
      result.wire += content
      result.consumed += consumed
      result.ended = ended
      if !ended { #expect(consumed == piece.count) }
    }
    result.octets = scanner.octets
    result.hasBareNewline = scanner.hasBareNewline
    return (result, scanner)
  }

  @Test("Every text of CR, LF, dot and letter is read as the rules say, whole and octet by octet")
  func everything() {
    for text in everyText(of: Bytes("\r\n.a"), upTo: 7) {
      // With an end behind it, so that every text is a message or more.
      let input = text + Bytes("\r\n.\r\nQUIT\r\n")
      for policy in [BareNewline.reject, .normalize] {
        let expected = ContentReference.data(input, policy)
        let whole = Self.scan([input], policy).0
        let octets = Self.scan(input.map { [$0] }, policy).0
        if whole != expected || octets != expected {
          Issue.record(
            "\(text.text.debugDescription) \(policy): \(whole) \(octets), not \(String(describing: expected))")
          return
        }
      }
    }
  }

  @Test(
    "Nothing but CRLF.CRLF is an end",
    arguments: [
      "\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r.\r\n", "\r\n.\r\r\n", "\n.\r", "\r\r\n.\n", "\r\n\n.\r\n",
      "\r\n.\0\r\n", "\r\n .\r\n", "\r\n. \r\n", "\r\n..\r\n", "\r\n\r.\r\n", ".\n", ".\r", "\0.\r\n",
    ])
  func smuggling(sequence: String) {
    let input = Bytes("Subject: x\r\n\r\nbody\(sequence)MAIL FROM:<evil@example.org>\r\n")
    for policy in [BareNewline.reject, .normalize] {
      for pieces in everySplit(input) {
        #expect(!Self.scan(pieces, policy).0.ended)
      }
    }
  }

  @Test("A bare CR or LF is noticed wherever it stands", arguments: ["a\nb", "a\rb", "\n", "\r", "a\r\r", "a\n\r"])
  func noticed(text: String) {
    for pieces in everySplit(Bytes(text + "\r\n.\r\n")) {
      #expect(Self.scan(pieces, .reject).0.hasBareNewline)
      #expect(Self.scan(pieces, .normalize).0.hasBareNewline)
    }
  }

  @Test("What is normalized is clean, and ends where it ends")
  func normalizedIsClean() {
    for text in everyText(of: Bytes("\r\n.a"), upTo: 6) {
      let first = Self.scan([text + Bytes("\r\n.\r\n")], .normalize).0
      let second = Self.scan([first.wire], .reject).0
      #expect(second.ended && second.consumed == first.wire.count && !second.hasBareNewline)
      #expect(second.octets == first.octets && second.wire == first.wire)
    }
  }

  @Test("A dot between bare LFs is a line of the message after normalizing")
  func normalizedDot() {
    let (result, _) = Self.scan([Bytes("a\n.\nb\n..c\r\n..d\r\n.\r\n")], .normalize)
    #expect(result.wire == Bytes("a\r\n..\r\nb\r\n...c\r\n..d\r\n.\r\n"))
    #expect(result.octets == 3 + 3 + 3 + 5 + 4)
  }

  @Test("CRs before a LF are one line end, CRs alone are one each")
  func carriageReturns() {
    #expect(Self.scan([Bytes("a\r\r\nb\r\rc\r\n.\r\n")], .normalize).0.wire == Bytes("a\r\nb\r\n\r\nc\r\n.\r\n"))
  }

  @Test(
    "The size is RFC 1939's: stuffing and the ending line do not count",
    arguments: [
      (".\r\n", 0), ("\r\n.\r\n", 2), ("a\r\n.\r\n", 3), ("..\r\n.\r\n", 3), ("...a\r\n.b\r\n.\r\n", 8),
    ])
  func size(text: String, octets: Int) {
    for pieces in everySplit(Bytes(text)) {
      let (result, _) = Self.scan(pieces, .reject)
      #expect(result.ended && result.octets == octets)
    }
  }

  @Test("Received: is counted in the header section alone, in any case and at line starts only")
  func received() {
    let text = """
      Received: one\r\nX-Received: no\r\nreceived:two\r\n Received: folded, no\r\nRECEIVED: three\r\nReceive: no\r\n\
      .Received: no\r\nReceived\r\nReceived:\r\n\r\nReceived: in the body, no\r\nReceived: nor here\r\n\r\nReceived: no\r\n.\r\n
      """
    for pieces in everySplit(Bytes(text)) {
      #expect(Self.scan(pieces, .reject).1.receivedLines == 4)
    }
    let bare = Bytes("Received: one\nReceived: two\r\rReceived: body\r\n.\r\n")
    for pieces in everySplit(bare) { #expect(Self.scan(pieces, .normalize).1.receivedLines == 2) }
    #expect(Self.scan([Bytes("\r\nReceived: body\r\n.\r\n")], .reject).1.receivedLines == 0)
  }

  @Test("Without collecting, the end is found and all is counted, but nothing written")
  func notCollecting() {
    var scanner = ContentScanner(bareNewline: .normalize)
    scanner.collects = false
    var content = Bytes()
    let (consumed, ended) = scanner.scan(Bytes("a\n.\n\r\n.\r\nrest").span, into: &content)
    #expect(consumed == 9 && ended && content.isEmpty && scanner.octets == 3 + 3 + 2 - 2 + 2 - 0)
  }

  @Test("A flood of CRs is never held, and never becomes more than twice what it was")
  func floodOfCarriageReturns() {
    let flood = Bytes(repeating: 0x0D, count: 1000)
    for pieces in [[flood, Bytes("\nx\r\n.\r\n")], (flood + Bytes("\nx\r\n.\r\n")).map { [$0] }] {
      var scanner = ContentScanner(bareNewline: .normalize)
      var read = 0
      var written = 0
      var whole = Bytes()
      for piece in pieces {
        var content = Bytes()
        let (consumed, _) = scanner.scan(piece.span, into: &content)
        read += consumed
        written += content.count
        whole += content
        #expect(written <= 2 * read && written + 40 > 2 * min(read, 1000))
      }
      // Groups of seventeen are line ends each; what is left of them before the LF is one.
      #expect(whole == Bytes(String(repeating: "\r\n", count: 1000 / 17 * 17 + 1) + "x\r\n.\r\n"))
    }
  }

  @Test("All 256 octets come through as they are")
  func allOctets() {
    let line = Bytes((0...255).filter { $0 != 13 && $0 != 10 }.map { UInt8($0) })
    let input = line + Bytes("\r\n.\r\n")
    for pieces in everySplit(input) {
      let (result, _) = Self.scan(pieces, .reject)
      #expect(result.wire == input && !result.hasBareNewline)
    }
  }
}
