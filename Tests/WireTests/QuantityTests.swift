import Testing
import Wire

@Suite("Sizes, times and moments as people write them")
struct QuantityTests {
  private func size(_ text: String) -> Int64? { Quantity.size(Bytes(text.utf8).span) }
  private func duration(_ text: String) -> Int64? { Quantity.duration(Bytes(text.utf8).span) }
  private func moment(_ text: String) -> Int64? { Timestamp.parse(Bytes(text.utf8).span) }

  @Test(
    "sizes are octets or powers of 1024",
    arguments: [
      ("0", 0), ("1000", 1000), ("1K", 1024), ("25M", 25 << 20), ("25m", 25 << 20), ("1G", 1 << 30), ("3T", 3 << 40),
      ("9223372036854775807", .max), ("8388607T", 8_388_607 << 40),
    ] as [(String, Int64)])
  func sizes(_ text: String, _ octets: Int64) { #expect(size(text) == octets) }

  @Test(
    "what is no size, or too large a one, is none",
    arguments: [
      "", "M", "1.5G", "-1", "+1", "1 M", " 1M", "1M ", "1MB", "1P", "0x10", "9223372036854775808", "8388608T",
      "99999999999999999999", "9999999999999G", "1\0", "ä",
    ])
  func badSizes(_ text: String) { #expect(size(text) == nil) }

  @Test("a size that is written reads back the same, in the largest unit that is exact")
  func writtenSizes() {
    for octets: Int64 in [
      0, 1, 1023, 1024, 1025, 1000, 1 << 20, (1 << 20) + 1, 1536 << 10, 25 << 20, 1 << 40, 5 << 50, .max,
    ] {
      var text = Bytes()
      text.append(size: octets)
      #expect(size(text.text) == octets, "\(text.text)")
    }
    var text = Bytes()
    text.append(size: 1536 << 20)
    #expect(text.text == "1536M")
  }

  @Test(
    "times are numbers with a unit each",
    arguments: [
      ("0", 0), ("0s", 0), ("30s", 30), ("10min", 600), ("10m", 600), ("12h", 43200), ("7d", 604_800),
      ("2w", 1_209_600), ("1y", 31_536_000), ("1h30min", 5400), ("1h 30 min", 5400), ("1 day", 86400),
      ("2 weeks 3 days", 1_468_800), ("1hr 1sec", 3601), ("106751991167300d", 9_223_372_036_854_720_000),
    ] as [(String, Int64)])
  func durations(_ text: String, _ seconds: Int64) { #expect(duration(text) == seconds) }

  @Test(
    "what is no time, has no unit, or is too long is none",
    arguments: [
      "", "7", "d", "-1d", "1x", "1dd", "7 7d", "1d 7", "never", "a while", "99999999999999999999d",
      "106751991167301d", "9223372036854775807s 1s", "1.5h", "1d,", "\0",
    ])
  func badDurations(_ text: String) { #expect(duration(text) == nil) }

  @Test(
    "moments are written as RFC 3339 has them, and read back",
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_769_860_800, "2026-01-31T12:00:00Z"),
      (4_294_967_296, "2106-02-07T06:28:16Z"), (253_402_300_799, "9999-12-31T23:59:59Z"),
    ] as [(Int64, String)])
  func moments(_ seconds: Int64, _ text: String) {
    var written = Bytes()
    Timestamp.append(seconds, to: &written)
    #expect(written.text == text)
    #expect(moment(text) == seconds)
  }

  @Test(
    "days that no month has, other forms and anything more are no moment",
    arguments: [
      "", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
      "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "1969-12-31T23:59:59Z",
      "2026-01-01 00:00:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00Z ", "2026-1-01T00:00:00ZZ",
      "2026-01-01T00:00:00+", "2026\u{2D}01-01T00:00:0\u{663}",
    ])
  func badMoments(_ text: String) { #expect(moment(text) == nil) }
}

@Suite("The word that was meant")
struct NearMissTests {
  private let words = ["Listen", "ListenTLS", "MaximumConnections", "Quota"].map { Bytes($0.utf8) }

  @Test(
    "slips find their word",
    arguments: [
      ("Lisen", "Listen"), ("listen", "Listen"), ("Litsen", "Listen"), ("Listens", "Listen"),
      ("ListenTSL", "ListenTLS"),
      ("MaxConnections", "MaximumConnections"), ("Quotta", "Quota"), ("Max", "MaximumConnections"),
    ])
  func slips(_ word: String, _ meant: String) {
    #expect(NearMiss.best(for: Bytes(word.utf8), among: words)?.text == meant)
  }

  @Test("other words find none", arguments: ["", "Colour", "x", "Port", String(repeating: "Listen", count: 1000)])
  func others(_ word: String) { #expect(NearMiss.best(for: Bytes(word.utf8), among: words) == nil) }
}
