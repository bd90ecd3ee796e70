/// A moment as RFC 3339 §5.6 writes it in UTC: `2026-02-03T04:05:06Z`. For files that people read.
public enum Timestamp {
  /// Appends the moment, in seconds since 1970.
  public static func append(_ seconds: Int64, to text: inout Bytes) {
    let date = InternetDate(seconds: seconds)
    text.append(decimal: Int(date.year), width: 4)
    text.append(0x2D)
    text.append(decimal: date.month, width: 2)
    text.append(0x2D)
    text.append(decimal: date.day, width: 2)
    text.append(0x54)
    text.append(decimal: date.hour, width: 2)
    text.append(0x3A)
    text.append(decimal: date.minute, width: 2)
    text.append(0x3A)
    text.append(decimal: date.second, width: 2)
    text.append(0x5A)
  }

  /// Seconds since 1970 of a moment in exactly that form, from 1970 on; nil for anything else.
  public static func parse(_ text: Span<UInt8>) -> Int64? {
    let form: StaticString = "0000-00-00T00:00:00Z"
    guard text.count == form.utf8CodeUnitCount else { return nil }
    for index in text.indices {
      let expected = unsafe form.utf8Start[index]
      if expected == 0x30 ? !ASCII.isDigit(text[index]) : text[index] != expected { return nil }
    }
    func field(_ range: Range<Int>) -> Int { text.extracting(range).decimal.map { Int($0) } ?? 0 }
    let year = Int64(field(0..<4))
    let (month, day) = (field(5..<7), field(8..<10))
    let (hour, minute, second) = (field(11..<13), field(14..<16), field(17..<19))
    guard year >= 1970, (1...12).contains(month), day >= 1, day <= InternetDate.days(inMonth: month, of: year),
      hour < 24, minute < 60, second < 60
    else { return nil }
    return InternetDate.seconds(
      year: year, month: month, day: day, hour: hour, minute: minute, second: second, zone: 0)
  }
}
