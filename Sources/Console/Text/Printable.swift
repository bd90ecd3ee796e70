import System
import Wire

/// Makes text of unknown origin fit to be shown: nothing in it can move a cursor, change a terminal's mode or turn the
/// direction of reading.
struct Printable {
  /// Whether the reader's terminal shows UTF-8; otherwise everything is put in ASCII, as well as it goes.
  let isUTF8: Bool

  /// What the locale says.
  static var locale: Printable {
    var name = Bytes()
    for variable in ["LC_ALL", "LC_CTYPE", "LANG"] as [StaticString] where name.isEmpty {
      name = Process.environment(variable) ?? Bytes()
    }
    let lower = name.lowercased
    return Printable(isUTF8: lower.contains("utf-8") || lower.contains("utf8"))
  }

  /// Appends as much of `text` (UTF-8) as fits into `columns`, and fills up with spaces to `fill` columns.
  func append(_ text: Bytes, columns: Int = .max, fill: Int = 0, to out: inout Bytes) {
    var used = 0
    let span = text.span
    var index = 0
    while index < span.count {
      let (scalar, length) = span.scalar(at: index)
      index += length
      let isControl = scalar < 0x20
      guard !isControl || scalar == 0x09 else {
        // A line's end within a field, a bell: one blank.
        if used + 1 > columns { break }
        out.append(ASCII.space)
        used += 1
        continue
      }
      let width = isUTF8 ? Printable.width(scalar) : 0
      if isUTF8, scalar >= 0x80 {
        if Printable.isDangerous(scalar) { continue }
        if used + width > columns { break }
        out.append(utf8: scalar)
        used += width
      } else {
        let shown = Printable.ascii(scalar)
        if used + shown.count > columns { break }
        out += shown
        used += shown.count
      }
    }
    while used < fill {
      out.append(ASCII.space)
      used += 1
    }
  }

  /// C1 controls, and what is not seen but changes how its neighbours are: directions, joiners, tags.
  private static func isDangerous(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x7F...0x9F, 0xAD, 0x61C, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFE00...0xFE0F, 0xFEFF,
      0xFFF0...0xFFFB, 0xE0000...0xE0FFF, 0xE000...0xF8FF, 0xF0000...0x10FFFF:
      true
    default: false
    }
  }

  /// Columns of a terminal that a character takes.
  private static func width(_ scalar: UInt32) -> Int {
    switch scalar {
    // Marks that stand on the character before.
    case 0x300...0x36F, 0x483...0x489, 0x591...0x5BD, 0x610...0x61A, 0x64B...0x65F, 0x1AB0...0x1AFF, 0x1DC0...0x1DFF,
      0x20D0...0x20FF, 0xFE20...0xFE2F:
      0
    // East Asian wide characters and pictures.
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
      0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
      2
    default: 1
    }
  }

  /// The nearest in ASCII: letters lose their marks, quotation marks their curl; what has nothing near is `?`.
  private static func ascii(_ scalar: UInt32) -> Bytes {
    switch scalar {
    case 0x09: return Bytes(" ")
    case 0x20...0x7E: return [UInt8(scalar)]
    case 0xA0, 0x2000...0x200A, 0x202F, 0x3000: return Bytes(" ")
    case 0xC0...0xFF:
      let letters: StaticString =
        "A A A A AeA AeC E E E E I I I I D N O O O O Oex O U U U UeY Thssa a a a aea aec e e e e i i i i d n o o o o oe: o u u u uey thy "
      let at = 2 * Int(scalar - 0xC0)
      let first = unsafe letters.utf8Start[at]
      let second = unsafe letters.utf8Start[at + 1]
      return second == ASCII.space ? [first] : [first, second]
    case 0x100...0x17F:
      let letters: StaticString =
        "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlLlLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs"
      return [unsafe letters.utf8Start[Int(scalar - 0x100)]]
    case 0x2010...0x2015, 0x2212: return Bytes("-")
    case 0x2018...0x201B, 0xB4: return Bytes("'")
    case 0x201C...0x201F, 0xAB, 0xBB: return Bytes("\"")
    case 0x2022, 0xB7: return Bytes("*")
    case 0x2026: return Bytes("...")
    case 0x20AC: return Bytes("EUR")
    case 0x300...0x36F: return []
    case _ where scalar >= 0x80 && isDangerous(scalar): return []
    default: return Bytes("?")
    }
  }
}

extension Span where Element == UInt8 {
  /// The character of UTF-8 at `index` and how many octets it takes; U+FFFD and one where there is none.
  func scalar(at index: Int) -> (scalar: UInt32, length: Int) {
    guard let length = utf8SequenceLength(at: index) else { return (0xFFFD, 1) }
    var scalar = UInt32(self[index])
    if length > 1 { scalar &= 0x7F >> UInt32(length) }
    var next = index + 1
    while next < index + length {
      scalar = scalar << 6 | UInt32(self[next] & 0x3F)
      next += 1
    }
    return (scalar, length)
  }
}

extension Array where Element == UInt8 {
  /// Whether `part` stands somewhere in these octets.
  func contains(_ part: StaticString) -> Bool {
    let length = part.utf8CodeUnitCount
    guard count >= length else { return false }
    return (0...count - length).contains { span.extracting($0..<$0 + length).equals(part) }
  }
}
