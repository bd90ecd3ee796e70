import Wire

/// Breaks text between words into lines that fit a terminal of 80 columns, and lines into pages.
struct Pager {
  /// Columns of a line. The last one is left alone: some terminals go to the next line by themselves there, others
  /// write all that follows into it.
  static let columns = 79
  /// Lines of a page: a VT100 has 24, one is for the question that follows.
  static let lines = 22

  private var waiting = Bytes()
  private var column = 0
  private var line = 0
  /// Columns left free at the begin of a line that goes on with the one before; 0 on one that does not.
  private var margin = 0
  /// The line was begun with spaces, as what stands under a label is.
  private var isIndented = false

  private static let margin = 4
  private static let wideMargin = 16

  /// Adds text without anything that could disturb the terminal.
  mutating func add(_ text: Bytes) { waiting += text }

  /// Whether all was shown.
  var isEmpty: Bool { waiting.isEmpty }

  /// Begins a new page: somebody has read the one before.
  mutating func turn() { line = 0 }

  /// Takes what fits on the page, with CRLF as line ends; whether there is more, so that the reader is to be asked.
  /// The beginning of a word waits for its end, unless `all` is to be taken.
  mutating func page(_ shown: inout Bytes, all: Bool = false) -> Bool {
    var index = 0
    scan: while index < waiting.count, line < Self.lines {
      let octet = waiting[index]
      switch octet {
      case ASCII.lf:
        index += 1
        margin = 0
        breakLine(&shown)
      case ASCII.space, ASCII.tab:
        index += 1
        if column == 0 {
          // What a line is broken at is not shown.
          if margin > 0 { continue }
          isIndented = true
        }
        repeat {
          if column < Self.columns { shown.append(ASCII.space) }
          column += 1
        } while octet == ASCII.tab && column % 8 != 0
      default:
        var end = index
        var width = 0
        while end < waiting.count, waiting[end] > ASCII.space {
          if waiting[end] & 0xC0 != 0x80 { width += 1 }
          end += 1
        }
        if end == waiting.count, width <= Self.columns, !all { break scan }
        if column + width > Self.columns, column > margin {
          margin = isIndented ? Self.wideMargin : Self.margin
          breakLine(&shown)
          continue
        }
        if column == 0, margin == 0 { isIndented = false }
        while column < margin {
          shown.append(ASCII.space)
          column += 1
        }
        // As much of a word as fits on a line.
        repeat {
          shown.append(waiting[index])
          if waiting[index] & 0xC0 != 0x80 { column += 1 }
          index += 1
        } while index < end && (column < Self.columns || waiting[index] & 0xC0 == 0x80)
      }
    }
    waiting.removeSubrange(..<index)
    return line == Self.lines && !waiting.isEmpty
  }

  private mutating func breakLine(_ shown: inout Bytes) {
    shown.appendCRLF()
    column = 0
    line += 1
  }

  /// No more text comes: the last word is one, and a line that was begun is ended.
  mutating func finish(_ shown: inout Bytes) {
    line = 0
    _ = page(&shown, all: true)
    if column > 0 { breakLine(&shown) }
    margin = 0
  }
}
