import Foundation
import Testing
import Wire

@Suite("Dates")
struct InternetDateTests {
  static func text(_ seconds: Int64, _ offset: Int = 0) -> String {
    var text = Bytes()
    InternetDate(seconds: seconds, localOffset: offset).append(to: &text)
    return text.text
  }

  static func read(_ text: String) -> Int64? { DateParser.rfc5322(Bytes(text).span) }

  @Test(
    "Known moments",
    arguments: [
      (0, 0, "Thu, 1 Jan 1970 00:00:00 +0000"),
      (5, 3600, "Thu, 1 Jan 1970 01:00:05 +0100"),
      (-1, 0, "Wed, 31 Dec 1969 23:59:59 +0000"),
      (951_782_400, 0, "Tue, 29 Feb 2000 00:00:00 +0000"),
      (2_147_483_648, 0, "Tue, 19 Jan 2038 03:14:08 +0000"),
      (4_294_967_296, 0, "Sun, 7 Feb 2106 06:28:16 +0000"),
      (1_700_000_000, -12600, "Tue, 14 Nov 2023 18:43:20 -0330"),
      (1_700_000_000, 20700, "Wed, 15 Nov 2023 03:58:20 +0545"),
      (253_402_300_800, 0, "Sat, 1 Jan 10000 00:00:00 +0000"),
    ] as [(Int64, Int, String)])
  func known(seconds: Int64, offset: Int, text: String) {
    #expect(Self.text(seconds, offset) == text)
    #expect(Self.read(text) == seconds)
  }

  @Test("Every day from 1960 to 2500 is what the C library says, and is read back")
  func everyDay() {
    for day in stride(from: Int64(-3650), to: 194_000, by: 1) {
      let seconds = day * 86400 + (day * 7919 % 86400 + 86400) % 86400
      var time = time_t(seconds)
      var parts = unsafe tm()
      unsafe gmtime_r(&time, &parts)
      let date = InternetDate(seconds: seconds)
      let isRight =
        unsafe (date.year == Int64(parts.tm_year) + 1900 && date.month == Int(parts.tm_mon) + 1
        && date.day == Int(parts.tm_mday) && date.hour == Int(parts.tm_hour) && date.minute == Int(parts.tm_min)
        && date.second == Int(parts.tm_sec) && date.weekday == Int(parts.tm_wday))
      var text = Bytes()
      var asctime = Bytes()
      date.append(to: &text)
      date.appendAsctime(to: &asctime)
      if !isRight || DateParser.rfc5322(text.span) != seconds || DateParser.asctime(asctime.span) != seconds {
        Issue.record("day \(day): \(text.text)")
        return
      }
    }
  }

  @Test(
    "The forms mail has are read",
    arguments: [
      ("Thu, 01 Jan 1970 00:00:00 +0000", 0), ("1 Jan 1970 00:00 +0000", 0), ("  1 jan 1970 00:00:00 GMT", 0),
      ("Thu,1 Jan 1970 00:00:00 UT", 0), ("Thu, 1 Jan 1970 00:00:00 EST", 18000),
      ("Thu, 1 Jan 1970 00:00:00 PDT", 25200),
      ("Thu, 1 Jan 1970 00:00:00 Z", 0), ("Thu, 1 Jan 1970 00:00:00 +0000 (UTC)", 0),
      ("Thu (day), 1 (a (nested \\) one)) Jan 1970 00 : 00 : 00 -0000", 0), ("Thu,\r\n 1 Jan 1970 00:00:00\t+0000", 0),
      ("1 Jan 70 00:00:00 +0000", 0), ("1 Jan 049 00:00:00 +0000", -662_688_000),
      ("1 Jan 38 00:00:00 +0000", 2_145_916_800),
      ("1 Jan 100 00:00:00 +0000", 946_684_800), ("Thu, 1 Jan 1970 23:59:60 +0000", 86400),
      ("Fri, 1 Jan 1970 00:00:00 +0000", 0), ("Thu, 1 Jan 1970 00:00:00 -1200", 43200),
    ] as [(String, Int64)])
  func forms(text: String, seconds: Int64) { #expect(Self.read(text) == seconds) }

  @Test(
    "What is no date is refused",
    arguments: [
      "", "Thu", "Thu,", "Foo, 1 Jan 1970 00:00:00 +0000", "1 Foo 1970 00:00:00 +0000", "32 Jan 1970 00:00:00 +0000",
      "0 Jan 1970 00:00:00 +0000", "29 Feb 1999 00:00:00 +0000", "29 Feb 1900 00:00:00 +0000",
      "31 Apr 1970 00:00:00 +0000",
      "1 Jan 1970 24:00:00 +0000", "1 Jan 1970 00:60:00 +0000", "1 Jan 1970 00:00:61 +0000", "1 Jan 1970 00:00:00",
      "1 Jan 1970 00:00:00 +00000", "1 Jan 1970 00:00:00 +0060", "1 Jan 1970 00:00:00 +0000 x",
      "1 Jan 1 00:00:00 +0000",
      "1 Jan 1234567890123 00:00:00 +0000", "1 January 1970 00:00:00 +0000", "Thursday, 1 Jan 1970 00:00:00 +0000",
      "1 Jan 1970 00:00:00 +", "(", "1 Jan 1970 00:00:00 +0000 (", "Thu 1 Jan 1970 00:00:00 +0000",
    ])
  func refused(text: String) {
    // An unclosed comment at the end is the one thing that is let pass.
    #expect(Self.read(text) == (text.hasSuffix("+0000 (") ? 0 : nil))
  }

  @Test(
    "The dates of From_ lines are read",
    arguments: [
      ("Thu Jan  1 00:00:00 1970", 0), ("Thu Jan 1 00:00 1970", 0), ("Thu Jan  1 00:00:00 EST 1970", 18000),
      ("Thu Jan  1 00:00:00 1970 +0100", -3600), ("Thu Jan  1 00:00:00 +0100 1970", -3600),
      ("Sun Feb  7 06:28:16 2106", 4_294_967_296),
    ] as [(String, Int64)])
  func asctime(text: String, seconds: Int64) { #expect(DateParser.asctime(Bytes(text).span) == seconds) }

  @Test(
    "What is no such date is refused",
    arguments: [
      "", "Thu Jan", "Thu Jan  1", "Thu Jan  1 00:00:00", "Thu Jan  1 00:00:00 70", "Thu Jan 32 00:00:00 1970",
      "Thu, 1 Jan 1970 00:00:00 +0000", "Thu Jan  1 00:00:00 1970 x y",
    ])
  func notAsctime(text: String) { #expect(DateParser.asctime(Bytes(text).span) == nil) }

  @Test("No prefix of a date crashes the parser")
  func prefixes() {
    let octets = Bytes("Thu (a\\) b), 01 Jan 1970 00:00:00 +0000 (UTC)")
    for end in 0..<octets.count {
      _ = DateParser.rfc5322(Bytes(octets[..<end]).span)
      _ = DateParser.asctime(Bytes(octets[..<end]).span)
    }
  }
}
