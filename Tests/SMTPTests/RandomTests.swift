import SMTP
import Testing
import Wire

@Suite("Whatever comes")
struct RandomTests {
  static let words = [
    "HELO c\r\n", "EHLO c\r\n", "MAIL FROM:<carl@client.example>\r\n", "MAIL FROM:<> SIZE=99\r\n",
    "RCPT TO:<anna@office.example>\r\n",
    "RCPT TO:<bert@office.example>\r\n", "RCPT TO:<x@office.example>\r\n", "DATA\r\n", "BDAT 3\r\n", "BDAT 5 LAST\r\n",
    "BDAT 0 LAST\r\n", "BDAT 9 X\r\n", "RSET\r\n", "NOOP\r\n", "VRFY a\r\n", "HELP\r\n", "a\r\n", ".\r\n", "..\r\n",
    "\r\n.\r\n", "\n.\n",
    "\r", "\n", ".", "\0", "Received: x\r\n", "\r\n", " ", "\u{20AC}", "abc",
  ]

  @Test("Commands and content in any order: the same answers in any pieces, and the contract kept")
  func anything() {
    var generator = Generator(state: 42)
    for round in 0..<3000 {
      var wire = Bytes()
      for _ in 0..<Int.random(in: 1...25, using: &generator) {
        wire += Bytes(Self.words.randomElement(using: &generator)!)
      }
      // Most rounds get as far as content.
      if round % 4 != 0 { wire = Bytes(ContentTests.start) + wire }
      let settings = Settings(
        hostName: Bytes("m"), maximumMessageSize: 40, bareNewline: round % 2 == 0 ? .reject : .normalize)
      var whole = Office(settings)
      whole.hear(wire)
      whole.checkReplies()
      var bytewise = Office(settings)
      for octet in wire { bytewise.hear([octet]) }
      var pieces = Office(settings)
      var rest = wire[...]
      while !rest.isEmpty {
        let count = Int.random(in: 1...20, using: &generator)
        pieces.hear(rest.prefix(count))
        rest = rest.dropFirst(count)
      }
      for other in [bytewise, pieces] {
        if other.sent != whole.sent || other.events != whole.events || other.deliveries != whole.deliveries {
          Issue.record(
            "\(wire.text.debugDescription): \(other.sent.text) \(other.events), not \(whole.sent.text) \(whole.events)")
          return
        }
      }
      for delivery in whole.deliveries {
        var scanner = ContentScanner(bareNewline: .reject)
        var copy = Bytes()
        let (consumed, ended) = scanner.scan(delivery.content.span, into: &copy)
        #expect(ended && consumed == delivery.content.count && !scanner.hasBareNewline)
        #expect(scanner.octets == delivery.octets)
      }
    }
  }

  /// SplitMix64, so that every run has the same dialogues.
  struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return mixed ^ (mixed >> 31)
    }
  }
}
