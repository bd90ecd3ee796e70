import Wire

/// Takes a mbox file apart (RFC 4155, mbox(5)): mboxrd, where every line `>*From ` of a message has one `>` more, and
/// the older mboxo, where it is only `From ` that has. LF or CRLF. The input may come in any pieces.
///
/// A line ends the message before it when it begins with `From ` and ends in a date; after an empty line, also when it
/// has one word only. So text that nobody quoted (`From here on …`) stays text.
struct MboxReader {
  enum Effect: Equatable {
    /// All that was offered is read.
    case more
    /// A message begins here, and the one before, if there was one, is complete. `received` is the From_ line's date.
    case begin(received: Int64?)
    /// This is not a mbox file: it begins with something else than a From_ line.
    case notMbox
  }

  /// What a From_ line says.
  private struct Envelope { var time: Int64? }

  private enum State { case lineStart, fromLine, text }

  private var state = State.lineStart
  private var hasBegun = false
  /// Of the line's beginning, what may yet turn out to be a From_ line.
  private var line = Bytes()
  /// How many `>` the line began with; the last one is not written yet.
  private var marks = 0
  /// An empty line that belongs to the message only if the message goes on.
  private var blank = Bytes()
  /// Whether the line before was empty, or there is none.
  private var afterBlank = true

  /// Octets of a line past which it is text whatever it begins with.
  private static let longestFromLine = 1024
  private static let from: StaticString = "From "

  /// Reads some of `input` and appends what belongs to a message, as it is but for the quotation marks. Stops behind
  /// what causes an effect: call it again with the rest.
  mutating func read(_ input: Span<UInt8>, into content: inout Bytes) -> (consumed: Int, effect: Effect) {
    var index = 0
    while index < input.count {
      let octet = input[index]
      switch state {
      case .lineStart:
        if line.isEmpty, octet == 0x3E {
          write(mark: &content)
          marks += 1
          index += 1
        } else if unsafe octet == MboxReader.from.utf8Start[line.count] {
          line.append(octet)
          index += 1
          if line.count == MboxReader.from.utf8CodeUnitCount {
            if marks > 0 {
              // Quoted: the last `>` goes.
              marks = 0
              guard writeHeld(&content) else { return (index, .notMbox) }
              state = .text
            } else {
              state = .fromLine
            }
          }
        } else if marks == 0, octet == ASCII.lf || octet == ASCII.cr, line.isEmpty || line.equals("\r") {
          line.append(octet)
          index += 1
          if octet == ASCII.lf { endBlankLine(&content) }
        } else {
          if marks > 0 { write(mark: &content) }
          marks = 0
          guard writeHeld(&content) else { return (index, .notMbox) }
          state = .text
        }

      case .fromLine:
        line.append(octet)
        index += 1
        if octet == ASCII.lf {
          if let received = envelope() {
            begin()
            return (index, .begin(received: received.time))
          }
          guard writeHeld(&content) else { return (index, .notMbox) }
          beginLine(afterBlank: false)
        } else if line.count > MboxReader.longestFromLine {
          guard writeHeld(&content) else { return (index, .notMbox) }
          state = .text
        }

      case .text:
        let end = input.firstIndex(of: ASCII.lf, from: index)
        content += input.extracting(index..<(end.map { $0 + 1 } ?? input.count))
        guard let end else { return (input.count, .more) }
        index = end + 1
        beginLine(afterBlank: false)
      }
    }
    return (index, .more)
  }

  /// The file ends here: appends what was held back of the last message. A last From_ line without its end counts.
  mutating func finish(_ content: inout Bytes) -> Effect {
    if state == .fromLine, let received = envelope() {
      begin()
      return .begin(received: received.time)
    }
    if marks > 0 {
      guard hasBegun else { return .notMbox }
      write(mark: &content)
    }
    // A blank line at the end was put there by the file's writer.
    if !line.isEmpty, !line.equals("\r"), !writeHeld(&content) { return .notMbox }
    return .more
  }

  private mutating func beginLine(afterBlank: Bool) {
    self.afterBlank = afterBlank
    state = .lineStart
    line.removeAll(keepingCapacity: true)
    marks = 0
  }

  private mutating func begin() {
    hasBegun = true
    blank.removeAll()
    beginLine(afterBlank: false)
  }

  private mutating func endBlankLine(_ content: inout Bytes) {
    // Before the first message they mean nothing.
    if hasBegun {
      content += blank.span
      blank = line
    }
    beginLine(afterBlank: true)
  }

  /// The line goes on after a `>`: the one before is part of the message for certain.
  private mutating func write(mark content: inout Bytes) {
    if marks == 0 {
      if !hasBegun { return }
      content += blank.span
      blank.removeAll()
    } else {
      content.append(0x3E)
    }
  }

  /// The line is text: writes what was held back. False when no message has begun, so that it is no mbox.
  private mutating func writeHeld(_ content: inout Bytes) -> Bool {
    guard hasBegun else { return false }
    content += blank.span
    blank.removeAll()
    content += line.span
    line.removeAll(keepingCapacity: true)
    return true
  }

  /// The date of the From_ line that `line` is; nil when it is none.
  private func envelope() -> Envelope? {
    var end = line.count
    while end > 5, line[end - 1] == ASCII.lf || line[end - 1] == ASCII.cr || line[end - 1] == ASCII.space { end -= 1 }
    guard end > 5 else { return nil }
    let rest = line.span.extracting(5..<end)
    // The sender stands first and may have spaces in it.
    var start = 0
    while start < rest.count {
      let date = rest.extracting(start...)
      if let time = DateParser.asctime(date) ?? DateParser.rfc5322(date) { return Envelope(time: time) }
      guard let space = rest.firstIndex(of: ASCII.space, from: start) else { break }
      start = space + 1
    }
    return afterBlank && rest.firstIndex(of: ASCII.space) == nil ? Envelope(time: nil) : nil
  }
}
