import Wire

/// Makes a text of many lines fit to be shown on a terminal, as it comes in pieces: line ends and tabs stay, what
/// could disturb the terminal is replaced.
struct ScreenText {
  private let printable: Printable
  /// The beginning of a character whose end is in the next piece.
  private var held = Bytes()

  init(_ printable: Printable) { self.printable = printable }

  /// Replaces `text` by what is shown of it.
  mutating func filter(_ text: inout Bytes) {
    let all = held + text
    held.removeAll()
    text.removeAll(keepingCapacity: true)
    var start = 0
    for index in all.indices where all[index] == ASCII.lf || all[index] == ASCII.tab {
      printable.append(Bytes(all[start..<index]), to: &text)
      text.append(all[index])
      start = index + 1
    }
    var end = all.count
    // A character of UTF-8 has at most four octets.
    for back in 1...3 where all.count - back >= start && all[all.count - back] >= 0xC0 {
      if all.span.extracting((all.count - back)...).utf8SequenceLength(at: 0) == nil { end = all.count - back }
      break
    }
    printable.append(Bytes(all[start..<end]), to: &text)
    held = Bytes(all[end...])
  }
}
