/// Reads the dates that mail carries: RFC 5322's and asctime(3)'s.
public enum DateParser {
  /// Seconds since 1970 of an RFC 5322 §3.3 date, the obsolete forms of §4.3 too (two-digit years, zone names, comments
  /// between the parts); nil for anything else and for days that no month has.
  public static func rfc5322(_ text: Span<UInt8>) -> Int64? {
    var reader = Reader(text)
    if reader.peekIsLetter {
      // The day's name must be one; whether it fits the date does not matter.
      guard let name = reader.word(), Reader.index(of: name, in: InternetDate.dayNames) != nil else { return nil }
      guard reader.take(0x2C) else { return nil }
    }
    guard let (day, _) = reader.number(digits: 1...2),
      let name = reader.word(), let month = Reader.index(of: name, in: InternetDate.monthNames),
      let (written, digits) = reader.number(digits: 2...9)
    else { return nil }
    // RFC 5322 §4.3: two digits are 1950 to 2049, three are counted from 1900.
    var year = Int64(written)
    if digits == 2 { year += year < 50 ? 2000 : 1900 } else if digits == 3 { year += 1900 }
    guard let time = reader.time(), let zone = reader.zone(), reader.isAtEnd else { return nil }
    return seconds(year, month + 1, day, time, zone)
  }

  /// Seconds since 1970 of an asctime(3) date, taken as UTC unless a zone stands before or after the year, as some
  /// writers of mbox files put one.
  public static func asctime(_ text: Span<UInt8>) -> Int64? {
    var reader = Reader(text)
    guard let dayName = reader.word(), Reader.index(of: dayName, in: InternetDate.dayNames) != nil,
      let monthName = reader.word(), let month = Reader.index(of: monthName, in: InternetDate.monthNames),
      let (day, _) = reader.number(digits: 1...2), let time = reader.time()
    else { return nil }
    var zone = 0
    if reader.peekIsLetter || reader.peekIsSign {
      guard let before = reader.zone() else { return nil }
      zone = before
    }
    guard let (year, _) = reader.number(digits: 4...9) else { return nil }
    if !reader.isAtEnd {
      guard let after = reader.zone(), reader.isAtEnd else { return nil }
      zone = after
    }
    return seconds(Int64(year), month + 1, day, time, zone)
  }

  private static func seconds(
    _ year: Int64, _ month: Int, _ day: Int, _ time: (hour: Int, minute: Int, second: Int), _ zone: Int
  ) -> Int64? {
    guard year >= 1900, day >= 1, day <= InternetDate.days(inMonth: month, of: year) else { return nil }
    return InternetDate.seconds(
      year: year, month: month, day: day, hour: time.hour, minute: time.minute, second: time.second, zone: zone)
  }
}

/// Takes a date's parts from the left, with white space and comments (RFC 5322 §3.2.2) between them.
private struct Reader: ~Escapable {
  private let text: Span<UInt8>
  private var index = 0

  @_lifetime(copy text)
  init(_ text: Span<UInt8>) {
    self.text = text
    skip()
  }

  var isAtEnd: Bool { index == text.count }
  var peekIsLetter: Bool { index < text.count && ASCII.isLetter(text[index]) }
  var peekIsSign: Bool { index < text.count && (text[index] == 0x2B || text[index] == 0x2D) }

  @_lifetime(self: copy self)
  private mutating func skip() {
    var depth = 0
    while index < text.count {
      let octet = text[index]
      if octet == 0x28 {
        depth += 1
      } else if depth > 0 {
        if octet == 0x29 { depth -= 1 }
        if octet == 0x5C, index + 1 < text.count { index += 1 }
      } else if octet != ASCII.space && octet != ASCII.tab && octet != ASCII.cr && octet != ASCII.lf {
        return
      }
      index += 1
    }
  }

  @_lifetime(self: copy self)
  mutating func take(_ octet: UInt8) -> Bool {
    guard index < text.count, text[index] == octet else { return false }
    index += 1
    skip()
    return true
  }

  /// Up to five letters in lower case, in one number: as much as a name of this grammar has.
  @_lifetime(self: copy self)
  mutating func word() -> UInt64? {
    var letters: UInt64 = 0
    let start = index
    while peekIsLetter {
      guard index - start < 5 else { return nil }
      letters = letters << 8 | UInt64(ASCII.lower(text[index]))
      index += 1
    }
    guard index > start else { return nil }
    skip()
    return letters
  }

  /// The place of the word among names of three letters.
  static func index(of word: UInt64, in names: StaticString) -> Int? {
    for index in 0..<names.utf8CodeUnitCount / 3 where word == Self.word(names, at: 3 * index, length: 3) {
      return index
    }
    return nil
  }

  private static func word(_ name: StaticString, at start: Int, length: Int) -> UInt64 {
    var letters: UInt64 = 0
    for offset in start..<start + length {
      letters = unsafe letters << 8 | UInt64(ASCII.lower(name.utf8Start[offset]))
    }
    return letters
  }

  @_lifetime(self: copy self)
  mutating func number(digits: ClosedRange<Int>) -> (value: Int, digits: Int)? {
    let start = index
    var value = 0
    while index < text.count, ASCII.isDigit(text[index]) {
      guard index - start < digits.upperBound else { return nil }
      value = value * 10 + Int(text[index] - 0x30)
      index += 1
    }
    let taken = index - start
    guard digits.contains(taken) else { return nil }
    skip()
    return (value, taken)
  }

  @_lifetime(self: copy self)
  mutating func time() -> (hour: Int, minute: Int, second: Int)? {
    guard let (hour, _) = number(digits: 1...2), hour < 24, take(0x3A),
      let (minute, _) = number(digits: 1...2), minute < 60
    else { return nil }
    var second = 0
    if take(0x3A) {
      // 60 is a leap second.
      guard let (given, _) = number(digits: 1...2), given <= 60 else { return nil }
      second = given
    }
    return (hour, minute, second)
  }

  /// Minutes east of Greenwich. A name nobody knows is taken as Greenwich: RFC 5322 §4.3.
  @_lifetime(self: copy self)
  mutating func zone() -> Int? {
    if peekIsSign {
      let isWest = text[index] == 0x2D
      index += 1
      guard let (value, _) = number(digits: 4...4), value % 100 < 60 else { return nil }
      let minutes = value / 100 * 60 + value % 100
      return isWest ? -minutes : minutes
    }
    guard let name = word() else { return nil }
    let known: StaticString = "estedtcstcdtmstmdtpstpdt"
    let hours: InlineArray<8, Int> = [-5, -4, -6, -5, -7, -6, -8, -7]
    guard let place = Self.index(of: name, in: known) else { return 0 }
    return hours[place] * 60
  }
}
