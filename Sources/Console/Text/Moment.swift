import System
import Wire

/// Moments as the commands show and take them.
enum Moment {
  /// Appends local time: `2026-02-03 04:05`.
  static func append(_ seconds: Int64, to text: inout Bytes) {
    var stamp = Bytes()
    Timestamp.append(seconds + Int64(Clock.localOffset(at: seconds)), to: &stamp)
    text += stamp.span.extracting(0..<10)
    text.append(ASCII.space)
    text += stamp.span.extracting(11..<16)
  }

  /// Appends a length of time, the two largest units of it: `3d 4h`, `2min`, `less than a minute`.
  static func append(duration seconds: Int64, to text: inout Bytes) {
    let units: [(Int64, StaticString)] = [(86_400, "d"), (3600, "h"), (60, "min")]
    var rest = seconds
    var shown = 0
    for (size, name) in units where shown < 2 && (rest >= size || shown == 1) {
      if rest < size { break }
      if shown > 0 { text += " " }
      text.append(decimal: Int(rest / size))
      text += name
      rest %= size
      shown += 1
    }
    if shown == 0 { text += "less than a minute" }
  }

  /// The moment meant by `3d` (that long before `now`), `2026-02-03`, `2026-02-03 04:05` or with seconds, in local time
  /// unless it ends in Z; nil for anything else.
  static func parse(_ text: Bytes, now: Int64) -> Int64? {
    if let ago = Quantity.duration(text.span) { return now - ago }
    var full = text
    let isUTC = full.last == 0x5A
    if isUTC { full.removeLast() }
    if full.count > 10, full[10] == ASCII.space { full[10] = 0x54 }
    switch full.count {
    case 10: full += "T00:00:00"
    case 16: full += ":00"
    default: break
    }
    full += "Z"
    guard let moment = Timestamp.parse(full.span) else { return nil }
    // Off by an hour only within an hour of a change of the clocks.
    return isUTC ? moment : moment - Int64(Clock.localOffset(at: moment))
  }
}
