/// Sizes and times as people write them: `25M`, `7d`.
public enum Quantity {
  /// Octets: digits, and K, M, G or T (either case) for powers of 1024. Nil for anything else, and where it does not
  /// fit.
  public static func size(_ text: Span<UInt8>) -> Int64? {
    var digits = text.count
    var shift: UInt64 = 0
    if digits > 0 {
      switch text[digits - 1] | 0x20 {
      case 0x6B: shift = 10
      case 0x6D: shift = 20
      case 0x67: shift = 30
      case 0x74: shift = 40
      default: break
      }
      if shift > 0 { digits -= 1 }
    }
    guard let number = text.extracting(0..<digits).decimal, number <= UInt64(Int64.max) >> shift else { return nil }
    return Int64(number << shift)
  }

  /// Seconds: one or more numbers with a unit each, `7d`, `1h 30min`. Units are s, min (or m), h, d, w, y (365 days),
  /// and their English words. A bare number is refused, since nobody can tell what it counts; only 0 needs no unit.
  public static func duration(_ text: Span<UInt8>) -> Int64? {
    if text.equals("0") { return 0 }
    var total: UInt64 = 0
    var at = 0
    repeat {
      let digits = at
      while at < text.count, ASCII.isDigit(text[at]) { at += 1 }
      guard let number = text.extracting(digits..<at).decimal else { return nil }
      while at < text.count, text[at] == ASCII.space { at += 1 }
      let letters = at
      while at < text.count, ASCII.isLetter(text[at]) { at += 1 }
      guard let unit = unit(text.extracting(letters..<at)) else { return nil }
      let (seconds, over) = number.multipliedReportingOverflow(by: unit)
      let (sum, carry) = total.addingReportingOverflow(seconds)
      guard !over, !carry, sum <= UInt64(Int64.max) else { return nil }
      total = sum
      while at < text.count, text[at] == ASCII.space { at += 1 }
    } while at < text.count
    return Int64(total)
  }

  private static func unit(_ word: Span<UInt8>) -> UInt64? {
    if word.equals("s") || word.equals("sec") || word.equals("second") || word.equals("seconds") { return 1 }
    if word.equals("m") || word.equals("min") || word.equals("minute") || word.equals("minutes") { return 60 }
    if word.equals("h") || word.equals("hr") || word.equals("hour") || word.equals("hours") { return 3600 }
    if word.equals("d") || word.equals("day") || word.equals("days") { return 86_400 }
    if word.equals("w") || word.equals("week") || word.equals("weeks") { return 7 * 86_400 }
    if word.equals("y") || word.equals("year") || word.equals("years") { return 365 * 86_400 }
    return nil
  }
}

extension Array where Element == UInt8 {
  /// Appends a number of octets so that `Quantity.size` reads the same back: `25M`, `1G`, `1000`.
  public mutating func append(size octets: Int64) {
    var number = UInt64(clamping: octets)
    var unit: UInt8?
    for next in Bytes("KMGT") where number >= 1024 && number % 1024 == 0 {
      number /= 1024
      unit = next
    }
    append(decimal: number)
    if let unit { append(unit) }
  }
}
