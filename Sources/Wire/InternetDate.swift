/// A moment in the calendar of RFC 5322 §3.3, as a message's header spells it.
///
/// The calendar is reckoned in 64 bits: nothing ends in 2038 or 2106, and a board that starts in 1970 gets 1970.
public struct InternetDate: Sendable, Equatable {
  public let year: Int64
  /// 1 to 12.
  public let month: Int
  public let day: Int
  public let hour: Int
  public let minute: Int
  public let second: Int
  /// 0 is Sunday.
  public let weekday: Int
  /// Minutes east of Greenwich that are in the fields above.
  public let zone: Int

  /// - Parameters:
  ///   - seconds: since 1970.
  ///   - localOffset: seconds east of Greenwich; what is less than a minute is cut off, a header cannot say it.
  public init(seconds: Int64, localOffset: Int = 0) {
    zone = localOffset / 60
    let local = seconds + Int64(zone) * 60
    let days = local.flooredQuotient(by: 86400)
    let time = Int(local - days * 86400)
    (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60)
    weekday = Int((days + 4) - (days + 4).flooredQuotient(by: 7) * 7)
    // From days to the Gregorian calendar; years begin in March so that the leap day is the last.
    let shifted = days + 719_468
    let era = shifted.flooredQuotient(by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    day = Int(dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    month = Int(marchMonth < 10 ? marchMonth + 3 : marchMonth - 9)
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// Seconds since 1970 of a moment given in the calendar; `day` may be any number.
  static func seconds(year: Int64, month: Int, day: Int, hour: Int, minute: Int, second: Int, zone: Int) -> Int64 {
    let marchYear = month <= 2 ? year - 1 : year
    let era = marchYear.flooredQuotient(by: 400)
    let yearOfEra = marchYear - era * 400
    let marchMonth = Int64(month > 2 ? month - 3 : month + 9)
    let dayOfYear = (153 * marchMonth + 2) / 5 + Int64(day) - 1
    let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    return days * 86400 + Int64(hour * 3600 + minute * 60 + second) - Int64(zone) * 60
  }

  /// Days in a month of the Gregorian calendar.
  static func days(inMonth month: Int, of year: Int64) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  static let dayNames: StaticString = "SunMonTueWedThuFriSat"
  static let monthNames: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"

  /// Appends as RFC 5322 §3.3 spells it: `Thu, 1 Jan 1970 00:00:00 +0000`.
  public func append(to text: inout Bytes) {
    text.append(name: weekday, of: Self.dayNames)
    text += ", "
    text.append(decimal: day)
    text.append(ASCII.space)
    text.append(name: month - 1, of: Self.monthNames)
    text.append(ASCII.space)
    text.append(decimal: Int(year), width: 4)
    text.append(ASCII.space)
    appendTime(to: &text)
    text += zone < 0 ? " -" : " +"
    text.append(decimal: Int(zone.magnitude) / 60, width: 2)
    text.append(decimal: Int(zone.magnitude) % 60, width: 2)
  }

  /// Appends as asctime(3) does and the From_ lines of mbox files have it: `Thu Jan  1 00:00:00 1970`.
  public func appendAsctime(to text: inout Bytes) {
    text.append(name: weekday, of: Self.dayNames)
    text.append(ASCII.space)
    text.append(name: month - 1, of: Self.monthNames)
    text += day < 10 ? "  " : " "
    text.append(decimal: day)
    text.append(ASCII.space)
    appendTime(to: &text)
    text.append(ASCII.space)
    text.append(decimal: Int(year), width: 4)
  }

  private func appendTime(to text: inout Bytes) {
    text.append(decimal: hour, width: 2)
    text.append(0x3A)
    text.append(decimal: minute, width: 2)
    text.append(0x3A)
    text.append(decimal: second, width: 2)
  }
}

extension Array where Element == UInt8 {
  /// The `index`th of names of three letters.
  fileprivate mutating func append(name index: Int, of names: StaticString) {
    for offset in 3 * index..<3 * index + 3 { unsafe append(names.utf8Start[offset]) }
  }
}

extension Int64 {
  fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}
