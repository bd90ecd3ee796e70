import Testing
import Wire

@testable import Console

struct TextTests {
  @Test(
    "Encoded words and raw octets become UTF-8",
    arguments: [
      ("plain text", "plain text"), ("=?utf-8?Q?Gr=C3=BC=C3=9Fe_aus?= Ulm", "Grüße aus Ulm"),
      ("=?iso-8859-1?q?caf=E9?=", "café"), ("=?ISO-8859-15?Q?=A4?=", "€"), ("=?windows-1252?Q?=80=93x=94?=", "€“x”"),
      ("=?utf-8?B?R3LDvMOfZQ==?=", "Grüße"), ("=?utf-8?B?R3LDvMOfZQ?=", "Grüße"),
      ("=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"), ("=?utf-8?Q?a?=  =?iso-8859-1?Q?=E9?= c", "aé c"),
      // A character split between two words, as old writers do.
      ("=?utf-8?Q?=C3?= =?utf-8?Q?=BC?=", "ü"), ("=?utf-8*de?Q?=C3=BC?=", "ü"), ("a=?b", "a=?b"), ("=?", "=?"),
      ("=?utf-8?X?abc?=", "=?utf-8?X?abc?="), ("=?utf-8?Q?=Z?=", "=?utf-8?Q?=Z?="),
      ("=?koi8-r?Q?=C1bc?=", "\u{FFFD}bc"),
      ("1 + 1 = 2", "1 + 1 = 2"), ("(=?utf-8?Q?a?=)", "(a)"), ("", ""), ("Grüße", "Grüße"), ("=?utf-8?Q??=", ""),
    ])
  func encodedWords(_ body: String, _ text: String) {
    #expect(EncodedWords.decode(octets(body)).text == text)
  }

  @Test("Octets past ASCII that are not UTF-8 are taken for what Windows wrote")
  func raw() {
    #expect(EncodedWords.decode(octets("caf") + [0xE9, 0x20, 0x93]).text == "café “")
  }

  @Test("Any octets can be decoded and shown")
  func anything() {
    var state: UInt64 = 1
    for _ in 0..<5000 {
      var text = Bytes()
      for _ in 0..<30 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let choice = UInt8(state >> 33 & 15)
        text.append(choice < 10 ? octets("=?utf8QB?_")[Int(choice)] : UInt8(truncatingIfNeeded: state >> 40))
      }
      let decoded = EncodedWords.decode(text)
      #expect(decoded.isUTF8)
      for isUTF8 in [true, false] {
        var out = Bytes()
        Printable(isUTF8: isUTF8).append(decoded, columns: 20, fill: 20, to: &out)
        #expect(out.isUTF8 && (isUTF8 || out.isASCII))
        #expect(!out.contains { $0 < 0x20 || $0 == 0x7F })
      }
    }
  }

  @Test("Nothing a sender writes moves the cursor, rings, or turns the text round")
  func dangerous() {
    var out = Bytes()
    let text = "a\u{1b}[2Jb\r\nc\u{7}d\u{9b}e\u{202e}f\u{200b}g\u{2066}h\u{feff}i\u{e0041}j\u{85}k\u{7f}l"
    Printable(isUTF8: true).append(octets(text), to: &out)
    #expect(out.text == "a [2Jb  c defghijk?l")
    out = []
    Printable(isUTF8: false).append(octets(text), to: &out)
    #expect(out.text == "a [2Jb  c defghijk?l")
  }

  @Test("On a terminal without UTF-8 letters lose their marks, and what has no likeness is a question mark")
  func ascii() {
    var out = Bytes()
    Printable(isUTF8: false).append(
      octets("Äpfel für Müße — „Łódź“ €5… Žižek ŒÆ ©漢 ÿ Þþ ſ ÀÿĀſ \u{a0}|"), to: &out)
    #expect(out.text == "Aepfel fuer Muesse - \"Lodz\" EUR5... Zizek OAe ?? y Thth s AyAs  |")
  }

  @Test("Columns are counted as the terminal does")
  func columns() {
    func shown(_ text: String, _ columns: Int) -> String {
      var out = Bytes()
      Printable(isUTF8: true).append(octets(text), columns: columns, fill: columns, to: &out)
      return out.text
    }
    #expect(shown("hello", 3) == "hel")
    #expect(shown("hello", 7) == "hello  ")
    #expect(shown("漢字x", 4) == "漢字")
    #expect(shown("漢字x", 3) == "漢 ")
    #expect(shown("e\u{301}a", 2) == "e\u{301}a")
  }

  @Test("A header field is found, unfolded, whatever its case and its line ends")
  func fields() {
    let header = octets(
      "Received: by x;\r\n\tsubject: not this\r\nSUBJECT : one\r\n two\r\n\tthree  \r\nSubject: later\r\nfrom:a\n\nDate: body"
    )
    func value(_ name: StaticString) -> String? { HeaderField.value(name, in: header.span)?.text }
    #expect(value("subject") == "one two three")
    #expect(value("from") == "a")
    #expect(value("date") == nil)
    #expect(value("sub") == nil)
    #expect(HeaderField.value("subject", in: octets("\r\nSubject: body").span) == nil)
    #expect(HeaderField.value("subject", in: octets("Subject:").span) == [])
    for cut in 0...header.count {
      _ = HeaderField.value("subject", in: header.span.extracting(0..<cut))
    }
  }

  @Test("JSON strings have every character that needs it escaped, and are UTF-8")
  func json() {
    var json = JSON()
    json.beginObject()
    json.add("a", octets("\"\\\n\r\t\u{1}\u{1f}\u{7f}/é€😀") + [0xFF, 0xC3])
    json.add("b", -5)
    json.beginArray("c")
    json.add(nil, true)
    json.addNull()
    json.beginObject()
    json.endObject()
    json.endArray()
    json.add(named: octets("d\""), octets("12"))
    json.add(named: octets("e"), octets("012"))
    json.add(named: octets("f"), octets("-0.5"))
    json.add(named: octets("g"), octets("false"))
    json.add(named: octets("h"), [])
    json.endObject()
    let expected =
      "{\"a\":\"\\\"\\\\\\n\\r\\t\\u0001\\u001f\\u007f/é€😀\u{FFFD}\u{FFFD}\",\"b\":-5,\"c\":[true,null,{}],"
      + "\"d\\\"\":12,\"e\":\"012\",\"f\":\"-0.5\",\"g\":false,\"h\":\"\"}"
    #expect(json.text.text == expected)
  }

  @Test(
    "Sizes are rounded up to what fits a column",
    arguments: [
      (0, "0"), (999, "999"), (1000, "1.0K"), (1024, "1.0K"), (1025, "1.1K"), (10_240, "10K"), (10_241, "11K"),
      (1_022_000, "999K"), (1_048_576, "1.0M"), (25 << 20, "25M"), (1 << 30, "1.0G"), (Int64.max, "8192P"),
    ] as [(Int64, String)])
  func sizes(_ octets: Int64, _ text: String) {
    var out = Bytes()
    out.append(rounded: octets)
    #expect(out.text == text)
  }

  @Test("Lengths of time in their two largest units")
  func durations() {
    func text(_ seconds: Int64) -> String {
      var out = Bytes()
      Moment.append(duration: seconds, to: &out)
      return out.text
    }
    #expect(text(0) == "less than a minute")
    #expect(text(60) == "1min")
    #expect(text(3 * 86_400 + 4 * 3600 + 5) == "3d 4h")
    #expect(text(3 * 86_400 + 5 * 60) == "3d")
    #expect(text(7200) == "2h")
  }

  @Test("A moment is given as a time ago or a date")
  func moments() {
    func parse(_ text: String) -> Int64? { Moment.parse(octets(text), now: 1_700_000_000) }
    #expect(parse("2h") == Int64(1_699_992_800))
    #expect(parse("2023-11-14T22:13:20Z") == 1_700_000_000)
    #expect(parse("2023-11-14 22:13Z") == 1_699_999_980)
    #expect(parse("2023-11-14Z") == 1_699_920_000)
    #expect(parse("2023-11-14") != nil)
    for wrong in ["", "x", "2023", "2023-13-01", "2023-02-30", "2023-11-14 25:00", "-1h", "12"] {
      #expect(parse(wrong) == nil)
    }
  }
}
