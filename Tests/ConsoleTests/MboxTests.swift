import Testing
import Wire

@testable import Console

struct MboxTests {
  struct Read: Equatable {
    var received: Int64?
    var content: Bytes
  }

  static func read(_ pieces: [Bytes]) -> [Read]? {
    var reader = MboxReader()
    var messages: [Read] = []
    func take(_ content: Bytes, _ effect: MboxReader.Effect) -> Bool {
      if let last = messages.indices.last { messages[last].content += content }
      switch effect {
      case .more: return true
      case .begin(let received):
        messages.append(Read(received: received, content: []))
        return true
      case .notMbox: return false
      }
    }
    for piece in pieces {
      var index = 0
      while index < piece.count {
        var content = Bytes()
        let (consumed, effect) = reader.read(piece.span.extracting(index...), into: &content)
        index += consumed
        guard take(content, effect) else { return nil }
      }
    }
    var content = Bytes()
    let effect = reader.finish(&content)
    return take(content, effect) ? messages : nil
  }

  static func write(_ messages: [Bytes], received: Int64 = 1_700_000_000) -> Bytes {
    var writer = MboxWriter()
    var out = Bytes()
    for message in messages {
      writer.begin(reversePath: octets("<a b@c>"), received: received, to: &out)
      // Byte by byte is the hardest split.
      for octet in message { writer.write([octet].span, to: &out) }
      writer.end(&out)
    }
    return out
  }

  static let awkward: [Bytes] =
    [
      "", "\r\n", "\r\n\r\n", "body without a header\r\n", "Subject: x\r\n\r\nFrom the beginning\r\n",
      "Subject: x\r\n\r\n>From one\r\n>>From two\r\n>>>From three\r\n", "From \r\n", "From\r\n", ">\r\n>>\r\n",
      "> From a\r\n",
      ">From\r\n", ".\r\n..\r\n.From x\r\n..From y\r\n", "a\r\n\r\nFrom x@y Tue Nov 14 22:13:20 2023\r\n\r\nb\r\n",
      "F\r\nFr\r\nFro\r\n", "x\r\n\r\n\r\n\r\n", "caf\u{e9} \u{20ac}\r\n", "\u{0}\u{1}\u{7f}\r\n",
      "FFrom x\r\n>F\r\n>Fro",
    ].map(octets) + [[0xFF, 0xFE, 0x80, 0x0D, 0x0A], Bytes(repeating: 0x3E, count: 3000) + octets("From x\r\n")]

  @Test("What is exported as mboxrd is read back octet for octet, whatever is in it", arguments: awkward)
  func roundTrip(_ message: Bytes) throws {
    let stored = wire(message)
    let mbox = MboxTests.write([stored, stored])
    #expect(!mbox.contains(ASCII.cr))
    let read = try #require(MboxTests.read([mbox]))
    #expect(read.map { wire($0.content) } == [stored, stored])
    #expect(read.map(\.received) == [1_700_000_000, 1_700_000_000])
  }

  @Test("A mbox file is understood in whatever pieces it comes")
  func split() {
    let stored = MboxTests.awkward.prefix(17).map(wire)
    let mbox = MboxTests.write(Array(stored))
    splits(mbox) { pieces in
      #expect(MboxTests.read(pieces)?.map { wire($0.content) } == Array(stored))
    }
  }

  @Test("CRLF files, quoted and unquoted")
  func crlf() {
    let mbox = octets(
      "From a@b Tue Nov 14 22:13:20 2023\r\nSubject: 1\r\n\r\n>From x\r\n\r\nFrom c Tue Nov 14 22:13:21 2023\r\n\r\nend"
    )
    splits(mbox) { pieces in
      #expect(
        MboxTests.read(pieces) == [
          Read(received: 1_700_000_000, content: octets("Subject: 1\r\n\r\nFrom x\r\n")),
          Read(received: 1_700_000_001, content: octets("\r\nend")),
        ])
    }
  }

  @Test("Text that begins with From and was not quoted stays text")
  func unquoted() {
    let mbox = octets("From a@b Tue Nov 14 22:13:20 2023\n\nFrom here on all is well.\n\nFrom there, too\n")
    #expect(MboxTests.read([mbox])?.map(\.content) == [octets("\nFrom here on all is well.\n\nFrom there, too\n")])
  }

  @Test(
    "From_ lines of every make are known",
    arguments: [
      "From - Tue Nov 14 22:13:20 2023", "From \"a b\"@c Tue Nov 14 22:13:20 2023", "From a@b Tue Nov 14 22:13 2023 ",
      "From a@b  Tue Nov 14 22:13:20 +0000 2023", "From a@b Tue, 14 Nov 2023 22:13:20 +0000",
      "From MAILER-DAEMON Tue Nov 14 22:13:20 2023 +0000",
    ])
  func fromLines(_ line: String) {
    let mbox = octets(line + "\nSubject: x\n\nhello\n")
    let read = MboxTests.read([mbox])
    #expect(read?.map(\.content) == [octets("Subject: x\n\nhello\n")])
    let received = read?.first?.received ?? 0
    #expect(received / 60 == 1_700_000_000 / 60)
  }

  @Test("A sender alone is a From_ line after an empty line, and has no date")
  func noDate() {
    let mbox = octets("\n\nFrom a@b\n\none\n\nFrom c\n\ntwo\nFrom d\n")
    #expect(
      MboxTests.read([mbox]) == [
        Read(received: nil, content: octets("\none\n")), Read(received: nil, content: octets("\ntwo\nFrom d\n")),
      ])
  }

  @Test(
    "What is no mbox is refused, not taken for a message",
    arguments: ["Subject: x\n\nhello\n", ">From x\n", "From here on\n", "\u{7f}ELF", "From", ">", "x"])
  func notMbox(_ text: String) {
    splits(octets(text)) { #expect(MboxTests.read($0) == nil) }
  }

  @Test("An empty file is a mbox without messages", arguments: ["", "\n", "\r\n\n"])
  func empty(_ text: String) {
    splits(octets(text)) { #expect(MboxTests.read($0) == []) }
  }

  @Test("The From_ line has a sender without spaces, also for notices")
  func senders() {
    #expect(MboxWriter.sender(octets("<>")) == octets("MAILER-DAEMON"))
    #expect(MboxWriter.sender(octets("<anna@office.example>")) == octets("anna@office.example"))
    #expect(MboxWriter.sender(octets("<\"a b\"@c>")) == octets("\"a-b\"@c"))
  }

  @Test("An exact copy has CRLF and no stuffing", arguments: awkward)
  func exact(_ message: Bytes) {
    let stored = wire(message)
    var expected = message
    if !expected.isEmpty, expected.last != ASCII.lf { expected += "\r\n" }
    splits(stored.count > 500 ? Bytes(stored.prefix(40)) + Bytes(".\r\n") : stored) { pieces in
      if stored.count > 500 { return }
      var reader = WireReader(lineEnd: .crlf)
      var out = Bytes()
      for piece in pieces { reader.read(piece.span, into: &out) }
      #expect(out == expected)
      #expect(reader.isEnded)
    }
  }
}
