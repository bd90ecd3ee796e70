import Wire

/// Breaks text into lines that fit a terminal of 80 columns which may not do so itself, and lines into pages.
struct Pager {
  /// Columns of a line. The last one is left alone: some terminals go to the next line by themselves there, others
  /// write all that follows into it.
  static let columns = 79
  /// Lines of a page: a VT100 has 24, one is for the question that follows.
  static let lines = 22

  private var waiting = Bytes()
  private var column = 0
  private var line = 0

  /// Adds text without anything that could disturb the terminal.
  mutating func add(_ text: Bytes) { waiting += text }

  /// Whether all was shown.
  var isEmpty: Bool { waiting.isEmpty }

  /// Begins a new page: somebody has read the one before.
  mutating func turn() { line = 0 }

  /// Takes what fits on the page, with CRLF as line ends; whether there is more, so that the reader is to be asked.
  mutating func page(_ shown: inout Bytes) -> Bool {
    var index = 0
    while index < waiting.count, line < Self.lines {
      let octet = waiting[index]
      if octet == ASCII.lf {
        shown.appendCRLF()
        column = 0
        line += 1
        index += 1
        continue
      }
      if column >= Self.columns, octet & 0xC0 != 0x80 {
        shown.appendCRLF()
        column = 0
        line += 1
        if line == Self.lines { break }
      }
      if octet == ASCII.tab {
        repeat {
          shown.append(ASCII.space)
          column += 1
        } while column % 8 != 0 && column < Self.columns
      } else {
        shown.append(octet)
        if octet & 0xC0 != 0x80 { column += 1 }
      }
      index += 1
    }
    waiting.removeSubrange(..<index)
    return !waiting.isEmpty
  }

  /// Ends a line that was begun.
  mutating func finish(_ shown: inout Bytes) {
    if column > 0 {
      shown.appendCRLF()
      line += 1
    }
    column = 0
  }
}
