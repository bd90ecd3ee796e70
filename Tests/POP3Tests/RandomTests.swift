import POP3
import Testing
import Wire

@Suite("Random input")
struct RandomTests {
  /// SplitMix64: the same numbers on every run.
  private struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var word = state
      word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
      word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
      return word ^ (word >> 31)
    }
  }

  private static let fragments = [
    "USER ", "anna", "PASS ", "se cret", "USER anna\r\nPASS se cret\r\n", "STAT\r\n", "LIST\r\n", "LIST ", "UIDL\r\n",
    "UIDL ", "RETR ", "TOP ", "DELE ", "RSET\r\n", "NOOP\r\n", "CAPA\r\n", "LANG ", "LANG de\r\n", "UTF8\r\n",
    "STLS\r\n",
    "APOP", "AUTH ", "GET ", "1", "2", "3", "0", "-1", "00000000000000000003", "9223372036854775807",
    "9223372036854775808", "18446744073709551616", " ", "  ", "\r\n", "\r\n", "\r\n", "\r", "\n", "\0", "\u{16}", "é",
    String(repeating: "x", count: 700), String(repeating: "1", count: 2000),
  ]

  @Test("Whatever is sent, and however it is cut, the answers are the same, whole lines, and bounded")
  func anything() {
    var generator = Generator(state: 1)
    for _ in 0..<1000 {
      var input = Bytes(Bool.random(using: &generator) ? "USER anna\r\nPASS se cret\r\n" : "")
      for _ in 0..<Int.random(in: 1...30, using: &generator) {
        input += Bytes(Self.fragments.randomElement(using: &generator)!.utf8)
      }
      if Bool.random(using: &generator) { input += Bytes("\r\nQUIT\r\n") }
      var whole = Caller()
      whole.hear(input)
      var pieces = Caller()
      var start = 0
      while start < input.count {
        let end = min(input.count, start + Int.random(in: 1...40, using: &generator))
        pieces.hear(input[start..<end])
        start = end
      }
      #expect(whole.sent == pieces.sent && whole.isClosed == pieces.isClosed && whole.deleted == pieces.deleted)
      #expect(whole.sent.isEmpty || whole.sent.suffix(2) == [13, 10])
      #expect(whole.longestReply <= Limits.pop3Listing)
      #expect(whole.deleted.map { Set($0).isSubset(of: [1, 2, 3]) && whole.isClosed } ?? true)
    }
  }
}
