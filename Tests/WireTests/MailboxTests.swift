import Testing
import Wire

@Suite("Paths and mailboxes")
struct MailboxTests {
  static func path(_ text: String) -> Result<PathParser.Path, PathParser.Failure> {
    var index = 0
    let octets = Bytes(text)
    let result = PathParser.path(octets.span, at: &index)
    if case .success = result { #expect(index == octets.count, "\(text) was not read to its end") }
    return result
  }

  static func mailbox(_ text: String) -> Mailbox? {
    if case .success(.mailbox(let mailbox)) = path(text) { return mailbox }
    return nil
  }

  @Test(
    "What the grammar has is taken, quotes and literals too",
    arguments: [
      ("<anna@office.example>", "anna", "office.example"),
      ("<Anna.B@Office.EXAMPLE>", "Anna.B", "office.example"),
      ("<anna+shop@office.example>", "anna+shop", "office.example"),
      ("<!#$%&'*+-/=?^_`{|}~@a.b>", "!#$%&'*+-/=?^_`{|}~", "a.b"),
      ("<\"anna b\"@office.example>", "anna b", "office.example"),
      ("<\"a\\\"b\\\\c>@\"@office.example>", "a\"b\\c>@", "office.example"),
      ("<\"\"@office.example>", "", "office.example"),
      ("<anna@[192.0.2.1]>", "anna", "[192.0.2.1]"),
      ("<anna@[IPv6:2001:DB8::1]>", "anna", "[ipv6:2001:db8::1]"),
      ("<anna@[ipv6:1:2:3:4:5:6:192.0.2.1]>", "anna", "[ipv6:1:2:3:4:5:6:192.0.2.1]"),
      ("<anna@[IPv6:::]>", "anna", "[ipv6:::]"),
      ("<@relay.example:anna@office.example>", "anna", "office.example"),
      ("<@a.example,@b.example:anna@office.example>", "anna", "office.example"),
      ("<postmaster>", "postmaster", ""),
      ("<PostMaster>", "PostMaster", ""),
      ("<anna@localhost>", "anna", "localhost"),
      ("<anna@1-2.3com>", "anna", "1-2.3com"),
      ("<jürgen@büro.example>", "jürgen", "büro.example"),
      ("<\"jürgen k\"@office.example>", "jürgen k", "office.example"),
      ("<用户@例子.测试>", "用户", "例子.测试"),
    ])
  func taken(text: String, localPart: String, domain: String) throws {
    let mailbox = try #require(Self.mailbox(text))
    #expect(mailbox.localPart.text == localPart)
    #expect(mailbox.domain.text == domain)
    #expect(mailbox.isASCII == text.utf8.allSatisfy { $0 < 128 })
  }

  @Test("A source route is forgotten, and the sender's spelling kept")
  func spelling() {
    #expect(Self.mailbox("<@relay.example:Anna@Office.example>")?.text.text == "Anna@Office.example")
    #expect(Self.path("<>") == .success(.null))
  }

  @Test(
    "What the grammar has not is refused",
    arguments: [
      ("", .brackets), ("anna@office.example", .brackets), ("<anna@office.example", .brackets), ("<", .localPart),
      ("<anna@office.example >", .domain), ("<anna@office.example.>", .domain),
      ("< anna@office.example>", .localPart),
      ("<anna>", .noDomain), ("<anna@>", .domain), ("<@office.example>", .domain), ("<anna@@office.example>", .domain),
      ("<anna@office..example>", .domain), ("<anna@.example>", .domain), ("<anna@-a.example>", .domain),
      ("<anna@a-.example>", .domain), ("<anna@off_ice.example>", .domain), ("<anna@office.example>>", nil),
      ("<.anna@a.b>", .localPart), ("<anna.@a.b>", .localPart), ("<an..na@a.b>", .localPart),
      ("<an na@a.b>", .noDomain),
      ("<anna(b)@a.b>", .noDomain), ("<an,na@a.b>", .noDomain), ("<\"anna@a.b>", .localPart),
      ("<\"anna\\\"@a.b>", .localPart),
      ("<\"anna\"b@a.b>", .noDomain), ("<a\"b\"@a.b>", .noDomain), ("<\"a\tb\"@a.b>", .localPart),
      ("<anna@[192.0.2]>", .literal), ("<anna@[192.0.2.256]>", .literal), ("<anna@[192.0.2.1.1]>", .literal),
      ("<anna@[192.0.2.1>", .literal), ("<anna@[]>", .literal), ("<anna@[IPv6:]>", .literal),
      ("<anna@[IPv6:1:2]>", .literal),
      ("<anna@[IPv6:1::2::3]>", .literal), ("<anna@[IPv6:12345::]>", .literal),
      ("<anna@[IPv6:1:2:3:4:5:6:7:8:9]>", .literal),
      ("<anna@[IPv6::1]>", .literal), ("<anna@[IPv6:1:2:3:4:5:6:7:]>", .literal), ("<anna@[x:y]>", .literal),
      ("<anna@[192.0.2.1]x>", .domain), ("<@relay.example,anna@a.b>", .domain), ("<@relay.example:>", .localPart),
      ("<@relay.example>", .domain), ("<@relay.example;anna@a.b>", .domain), ("<postmaster@>", .domain),
      ("<@", .domain),
      ("<@a", .brackets), ("<@a:", .localPart), ("<a@b", .brackets), ("<\"", .localPart), ("<\"\\", .localPart),
    ] as [(String, PathParser.Failure?)])
  func refused(text: String, failure: PathParser.Failure?) {
    var index = 0
    let octets = Bytes(text)
    let result = PathParser.path(octets.span, at: &index)
    if let failure {
      #expect(result == .failure(failure))
    } else if case .success = result {
      #expect(index < octets.count)
    }
  }

  @Test("Octets that are no UTF-8 are refused wherever they stand")
  func notUTF8() {
    for bad in [[0xC3] as Bytes, [0xC3, 0x28], [0xFF], [0x80], [0xED, 0xA0, 0x80], [0xC0, 0xAF]] {
      for text in [
        Bytes("<a") + bad + Bytes("@b>"), Bytes("<a@b") + bad + Bytes(">"), Bytes("<\"") + bad + Bytes("\"@b>"),
      ] {
        var index = 0
        if case .success = PathParser.path(text.span, at: &index) { Issue.record("\(text) was taken") }
      }
    }
  }

  @Test("The sizes of RFC 5321 are taken, and not one octet more")
  func sizes() {
    let local = String(repeating: "a", count: 64)
    let label = String(repeating: "d", count: 63)
    #expect(Self.mailbox("<\(local)@b.example>") != nil)
    #expect(Self.path("<\(local)a@b.example>") == .failure(.tooLong))
    #expect(Self.mailbox("<a@\(label).example>") != nil)
    #expect(Self.path("<a@\(label)d.example>") == .failure(.tooLong))
    let domain = [label, label, label, String(repeating: "e", count: 60)].joined(separator: ".")
    #expect(Self.mailbox("<a@\(domain)>")?.text.count == 254)
    #expect(Self.path("<ab@\(domain)>") == .failure(.tooLong))
    #expect(Self.path("<a@\(domain).example>") == .failure(.tooLong))
  }

  @Test("A mailbox alone is read to its end")
  func alone() {
    #expect(Mailbox(Bytes("anna@office.example").span)?.domain.text == "office.example")
    for text in ["anna@office.example>", "<anna@office.example>", "anna", "", "anna@office.example ", "a@b c"] {
      #expect(Mailbox(Bytes(text).span) == nil)
    }
  }

  @Test("No prefix of a path crashes the parser or is taken for a path")
  func prefixes() {
    for text in ["<@a.b,@c:\"x \\\"y\"@[IPv6:1::2]>", "<jürgen@büro.example>", "<a.b@c.d>"] {
      let octets = Bytes(text)
      for end in 0..<octets.count {
        var index = 0
        if case .success = PathParser.path(Bytes(octets[..<end]).span, at: &index) { Issue.record("\(end) of \(text)") }
      }
    }
  }
}
