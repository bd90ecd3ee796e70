import Wire

/// Turns stored content (wire format: CRLF lines, dot-stuffed, ended by `.` CRLF) into a file's: the dots off, and line
/// ends as wanted. The input may come in any pieces.
struct WireReader {
  /// How lines end in the output.
  enum LineEnd { case crlf, lf }

  private enum State { case lineStart, text, cr, dot, dotCR, ended }

  private var state = State.lineStart
  private let lineEnd: LineEnd
  /// Whether a line that would be taken for a mbox file's From_ line gets a `>` in front, whatever number of those it
  /// has already (mboxrd): a `>` is added anywhere within that run.
  private let quotesFrom: Bool
  /// How much of "From " this line began with; `settled` when it cannot become one any more.
  private var matched = 0
  /// The dot line has been read.
  var isEnded: Bool { state == .ended }

  private static let from: StaticString = "From "
  private static let settled = -1

  init(lineEnd: LineEnd, quotesFrom: Bool = false) {
    self.lineEnd = lineEnd
    self.quotesFrom = quotesFrom
    matched = quotesFrom ? 0 : WireReader.settled
  }

  mutating func read(_ input: Span<UInt8>, into output: inout Bytes) {
    var index = 0
    while index < input.count {
      let octet = input[index]
      switch state {
      case .ended: return
      case .lineStart:
        if octet == ASCII.dot {
          state = .dot
          index += 1
        } else {
          state = .text
        }
      case .dot:
        // A dot before anything but the line's end was added; before that, it may be the end.
        if octet == ASCII.cr {
          state = .dotCR
          index += 1
        } else {
          state = .text
        }
      case .dotCR:
        if octet == ASCII.lf {
          state = .ended
          return
        }
        // Not reached by content that was taken in by SMTP: a bare CR.
        settle(&output)
        output.append(ASCII.cr)
        state = .text
      case .text:
        if matched != WireReader.settled, match(octet, &output) {
          index += 1
          continue
        }
        var end = index
        while end < input.count, input[end] != ASCII.cr, input[end] != ASCII.lf { end += 1 }
        output += input.extracting(index..<end)
        index = end
        guard index < input.count else { return }
        if input[index] == ASCII.cr {
          state = .cr
        } else {
          output.append(ASCII.lf)
          beginLine()
        }
        index += 1
      case .cr:
        if octet == ASCII.lf {
          if lineEnd == .crlf { output.append(ASCII.cr) }
          output.append(ASCII.lf)
          beginLine()
          index += 1
        } else {
          output.append(ASCII.cr)
          state = .text
        }
      }
    }
  }

  private mutating func beginLine() {
    state = .lineStart
    matched = quotesFrom ? 0 : WireReader.settled
  }

  /// Takes the line's next octet if it can be part of `>*From `; otherwise the line cannot become one.
  private mutating func match(_ octet: UInt8, _ output: inout Bytes) -> Bool {
    if matched == 0, octet == 0x3E {
      output.append(octet)
      return true
    }
    guard unsafe octet == WireReader.from.utf8Start[matched] else {
      settle(&output)
      return false
    }
    matched += 1
    if matched == WireReader.from.utf8CodeUnitCount {
      output += ">"
      settle(&output)
    }
    return true
  }

  /// Writes what looked like the beginning of "From ".
  private mutating func settle(_ output: inout Bytes) {
    if matched > 0 {
      for index in 0..<matched { output.append(unsafe WireReader.from.utf8Start[index]) }
    }
    matched = WireReader.settled
  }
}
