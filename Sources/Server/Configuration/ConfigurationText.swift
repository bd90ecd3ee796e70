import System
import Wire

/// The text of one configuration file, taken apart as systemd.syntax(7) has it: sections, assignments, comments,
/// lines that go on after a backslash. It knows no keys.
///
/// Beyond that, white space and `#` begin a comment within a line too: no value has them.
struct ConfigurationText {
  enum Item: Equatable {
    case section(Bytes)
    case assignment(key: Bytes, value: Bytes)
    /// What is wrong with the line.
    case garbage(Bytes)
    /// What is wrong with a line that was to begin a section.
    case garbledSection(Bytes)
  }

  private(set) var items: [(line: Int, item: Item)] = []

  init(_ text: Span<UInt8>) {
    var logical = Bytes()
    var begin = 0
    var start = 0
    var number = 0
    // A mark that editors on other systems put at the beginning of UTF-8.
    if text.count >= 3, text[0] == 0xEF, text[1] == 0xBB, text[2] == 0xBF { start = 3 }
    while start < text.count {
      let end = text.firstIndex(of: ASCII.lf, from: start) ?? text.count
      let line = Self.trimmed(text.extracting(start..<end))
      start = end + 1
      number += 1
      if line.count > 0, line[0] == 0x23 || line[0] == 0x3B { continue }
      let content = Self.withoutComment(line)
      if let why = Self.fault(content) {
        items.append((number, .garbage(why)))
        continue
      }
      if begin == 0 { begin = number }
      if content.count > 0, content[content.count - 1] == 0x5C {
        logical += content.extracting(droppingLast: 1)
        logical.append(ASCII.space)
        continue
      }
      logical += content
      finish(&logical, &begin)
    }
    finish(&logical, &begin)
  }

  private mutating func finish(_ logical: inout Bytes, _ begin: inout Int) {
    let text = logical
    let line = Self.trimmed(text.span)
    if line.count > 0 { items.append((begin, Self.item(line))) }
    logical = []
    begin = 0
  }

  private static func item(_ line: Span<UInt8>) -> Item {
    if line[0] == 0x5B {
      guard line[line.count - 1] == 0x5D else { return .garbledSection(Bytes("a section's name ends with ]")) }
      return .section(Bytes(line.extracting(1..<(line.count - 1))))
    }
    guard let equals = line.firstIndex(of: 0x3D) else {
      var why = Bytes()
      why.append(quoted: line)
      return .garbage(why + Bytes(" is no assignment; a line is [Section], Key=value, or a comment that begins with #"))
    }
    let key = trimmed(line.extracting(0..<equals))
    guard key.count > 0 else { return .garbage(Bytes("no key stands before =")) }
    return .assignment(key: Bytes(key), value: Bytes(trimmed(line.extracting((equals + 1)...))))
  }

  private static func fault(_ line: Span<UInt8>) -> Bytes? {
    for index in line.indices where line[index] < 0x20 && line[index] != ASCII.tab || line[index] == 0x7F {
      var why = Bytes("a control character in ")
      why.append(quoted: line)
      return why
    }
    if line.isUTF8 { return nil }
    var why = Bytes("not UTF-8 text: ")
    why.append(quoted: line)
    return why
  }

  @_lifetime(copy line)
  private static func withoutComment(_ line: Span<UInt8>) -> Span<UInt8> {
    var index = 1
    while index < line.count {
      if line[index] == 0x23, isBlank(line[index - 1]) { return trimmed(line.extracting(0..<index)) }
      index += 1
    }
    return line
  }

  @_lifetime(copy text)
  private static func trimmed(_ text: Span<UInt8>) -> Span<UInt8> {
    var start = 0
    var end = text.count
    while start < end, isBlank(text[start]) { start += 1 }
    while end > start, isBlank(text[end - 1]) { end -= 1 }
    return text.extracting(start..<end)
  }

  private static func isBlank(_ octet: UInt8) -> Bool {
    octet == ASCII.space || octet == ASCII.tab || octet == ASCII.cr
  }
}
