import Wire

extension Array where Element == UInt8 {
  /// Appends a number of octets for a person, rounded: `812`, `1.4K`, `25M`. At most five octets of text.
  mutating func append(rounded octets: Int64) {
    guard octets >= 1000 else {
      append(decimal: Int(octets))
      return
    }
    var tenths = octets
    var unit = -1
    // Tenths of the unit, rounded up so that nothing looks smaller than it is.
    repeat {
      tenths = unit < 0 ? octets / 1024 * 10 + (octets % 1024 * 10 + 1023) / 1024 : (tenths + 1023) / 1024
      unit += 1
    } while tenths >= 9995 && unit < 4
    if tenths < 100 {
      append(decimal: Int(tenths / 10))
      append(ASCII.dot)
      append(decimal: Int(tenths % 10))
    } else {
      append(decimal: Int((tenths + 9) / 10))
    }
    append(Bytes("KMGTP")[unit])
  }
}
