import Testing
import Wire

@Suite("Raw content turned into the wire format")
struct DotStufferTests {
  static func stuff(_ pieces: [Bytes], _ policy: BareNewline) -> ContentReference {
    var stuffer = DotStuffer(bareNewline: policy)
    var wire = Bytes()
    for piece in pieces {
      var content = Bytes()
      stuffer.append(piece.span, to: &content)
      wire += content
    }
    var end = Bytes()
    stuffer.finish(&end)
    return ContentReference(
      consumed: pieces.reduce(0) { $0 + $1.count }, ended: true, wire: wire + end, octets: stuffer.octets,
      hasBareNewline: stuffer.hasBareNewline)
  }

  @Test("Every text of CR, LF, dot and letter is stuffed as the rules say, whole and octet by octet")
  func everything() {
    for text in everyText(of: Bytes("\r\n.a"), upTo: 7) {
      for policy in [BareNewline.reject, .normalize] {
        let expected = ContentReference.raw(text, policy)
        let whole = Self.stuff([text], policy)
        let octets = Self.stuff(text.map { [$0] }, policy)
        if whole != expected || octets != expected {
          Issue.record("\(text.text.debugDescription) \(policy): \(whole) \(octets), not \(expected)")
          return
        }
      }
    }
  }

  @Test(
    "What it writes is read back by the scanner as one message, octet for octet",
    arguments: [
      "", "\r\n", "a", "a\r\n", ".", "..", ".\r\n", "\r\n.\r\n", "a\r\n.\r\nMAIL FROM:<>\r\n", ".a\r\n..b\r\n...\r\n",
    ])
  func roundTrip(text: String) {
    for pieces in everySplit(Bytes(text)) {
      let stuffed = Self.stuff(pieces, .reject)
      let (read, _) = ContentScannerTests.scan([stuffed.wire], .reject)
      #expect(read.ended && read.consumed == stuffed.wire.count && read.octets == stuffed.octets)
      #expect(!stuffed.hasBareNewline)
    }
  }
}
