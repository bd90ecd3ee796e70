import SMTP
import Testing
import Wire

@Suite("What is delivered")
struct ContentTests {
  static let start = "EHLO client.example\r\nMAIL FROM:<carl@client.example>\r\nRCPT TO:<anna@office.example>\r\n"

  static func deliver(_ content: Bytes, make: () -> Office = { Office() }) -> Office {
    var dialogue = Dialogue("")
    dialogue.client = Bytes(start + "DATA\r\n") + content
    dialogue.expected = Array(repeating: "*", count: 14)
    return dialogue.hold(with: make)
  }

  @Test("Trace headers come first, as RFC 5321 §4.4 writes them")
  func trace() throws {
    let office = Self.deliver(Bytes("Subject: x\r\n\r\n.\r\n"))
    let delivery = try #require(office.deliveries.first)
    #expect(
      delivery.content.text == """
        Return-Path: <carl@client.example>\r
        Received: from client.example ([192.0.2.7])\r
        \tby mail.office.example with ESMTP\r
        \tfor <anna@office.example>;\r
        \tTue, 14 Nov 2023 23:13:20 +0100 (clock not set)\r
        Subject: x\r
        \r
        .\r

        """)
    #expect(delivery.octets == delivery.content.count - 3)
    #expect(delivery.reversePath == "carl@client.example" && delivery.recipients == ["anna@office.example"])
  }

  @Test("HELO is SMTP, SMTPUTF8 is UTF8SMTP, several recipients are not told of each other, a set clock is not marked")
  func traceVariants() {
    var office = Office(address: "IPv6:2001:db8::1")
    office.now = 1_900_000_000
    office.hear(
      Bytes(
        "HELO [192.0.2.1]\r\nMAIL FROM:<>\r\nRCPT TO:<anna@office.example>\r\nRCPT TO:<bert@office.example>\r\nDATA\r\n.\r\n"
      ))
    office.hear(
      Bytes("EHLO client\r\nMAIL FROM:<jürgen@büro.example> SMTPUTF8\r\nRCPT TO:<postmaster>\r\nBDAT 0 LAST\r\n"))
    #expect(
      office.deliveries[0].content.text == """
        Return-Path: <>\r
        Received: from [192.0.2.1] ([IPv6:2001:db8::1])\r
        \tby mail.office.example with SMTP;\r
        \tSun, 17 Mar 2030 18:46:40 +0100\r
        .\r

        """)
    #expect(
      office.deliveries[1].content.text == """
        Return-Path: <jürgen@büro.example>\r
        Received: from client ([IPv6:2001:db8::1])\r
        \tby mail.office.example with UTF8SMTP\r
        \tfor <postmaster>;\r
        \tSun, 17 Mar 2030 18:46:40 +0100\r
        .\r

        """)
    #expect(office.deliveries[1].isUTF8 && !office.deliveries[0].isUTF8)
  }

  @Test(
    "DATA's octets are delivered as they came",
    arguments: [
      ".\r\n", "\r\n.\r\n", "Subject: x\r\n\r\n..\r\n...\r\n..a\r\n \r\n.\r\n", "no header\r\n\r\n\r\n\r\n.\r\n",
      "\u{20AC}\0\u{7F}\t\r\n.\r\n",
    ])
  func data(text: String) {
    let office = Self.deliver(Bytes(text))
    #expect(office.deliveries.first?.message == text)
  }

  @Test("All octets, and lines of 998 and many more")
  func lines() {
    var content = Bytes((0...255).filter { $0 != 13 && $0 != 10 }.map { UInt8($0) }) + Bytes("\r\n")
    content += Bytes(repeating: 0x78, count: 998) + Bytes("\r\n")
    content += Bytes(repeating: 0x2E, count: 998) + Bytes("\r\n")
    content += Bytes(repeating: 0x79, count: 2000) + Bytes("\r\n.\r\n")
    var office = Office()
    for octet in Bytes(Self.start + "DATA\r\n") + content { office.hear([octet]) }
    #expect(office.deliveries.first?.content.suffix(content.count) == content[...])
  }

  @Test(
    "BDAT's octets are delivered stuffed and ended, however they are cut into chunks",
    arguments: [
      "", ".", "..\r\n.", "\r\n.\r\n", "Subject: x\r\n\r\n.\r\nMAIL FROM:<>\r\n", "no end", "\r\n", "a\r\n..b\r\n",
    ])
  func bdat(text: String) {
    let octets = Bytes(text)
    var stuffer = DotStuffer(bareNewline: .reject)
    var expected = Bytes()
    stuffer.append(octets.span, to: &expected)
    stuffer.finish(&expected)
    for cut in 0...octets.count {
      for last in 0...1 {
        var wire = Bytes(Self.start)
        let chunks = [Bytes(octets[..<cut]), Bytes(octets[cut...])] + (last == 0 ? [] : [Bytes()])
        for (number, chunk) in chunks.enumerated() {
          wire += Bytes("BDAT \(chunk.count)\(number + 1 == chunks.count ? " LAST" : "")\r\n") + chunk
        }
        var office = Office()
        office.hear(wire)
        #expect(office.deliveries.first?.content.suffix(expected.count) == expected[...], "\(office.sent.text)")
        #expect(office.deliveries.first.map { $0.octets == $0.content.count - 3 - Self.stuffing(expected) } == true)
        var bytewise = Office()
        for octet in wire { bytewise.hear([octet]) }
        #expect(bytewise.sent == office.sent && bytewise.deliveries == office.deliveries)
      }
    }
  }

  /// Dots that were added, at starts of lines but the last.
  static func stuffing(_ wire: Bytes) -> Int {
    wire.text.components(separatedBy: "\r\n").dropLast(2).filter { $0.hasPrefix(".") }.count
  }

  @Test("With normalizing, bare newlines become CRLF and smuggled commands stay content")
  func normalized() {
    let settings = Settings(
      hostName: Bytes("mail.office.example"), maximumMessageSize: 5000, bareNewline: .normalize)
    let office = Self.deliver(
      Bytes("Subject: x\n\nfirst\n.\nMAIL FROM:<evil@client.example>\n.\r\nRSET\r\n.\nQUIT\r.\rend\r\n.\r\n"),
      make: { Office(settings) })
    #expect(
      office.deliveries.map(\.message) == [
        "Subject: x\r\n\r\nfirst\r\n..\r\nMAIL FROM:<evil@client.example>\r\n..\r\nRSET\r\n..\r\nQUIT\r\n..\r\nend\r\n.\r\n"
      ])
    var chunked = Office(settings)
    chunked.hear(Bytes(Self.start + "BDAT 9 LAST\r\na\n.\nb\r\r\r\n"))
    #expect(chunked.deliveries.map(\.message) == ["a\r\n..\r\nb\r\n.\r\n"])
  }
}
