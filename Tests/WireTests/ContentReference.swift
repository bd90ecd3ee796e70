import Wire

/// What the content scanner must do, said a second time: slowly, with the whole text at hand, line by line.
struct ContentReference: Equatable {
  var consumed: Int
  var ended: Bool
  var wire: Bytes
  var octets: Int
  var hasBareNewline: Bool

  struct Line {
    var text: Bytes
    /// Its line end as it came; empty for the last line if it has none.
    var newline: Bytes
  }

  /// Cuts at CRLF, at CRs before a LF, and at bare CRs and LFs.
  static func lines(_ text: Bytes) -> [Line] {
    var lines: [Line] = []
    var line = Bytes()
    var index = 0
    while index < text.count {
      if text[index] == 0x0A {
        lines.append(Line(text: line, newline: [0x0A]))
        line = []
        index += 1
      } else if text[index] == 0x0D {
        let run = text[index...].prefix { $0 == 0x0D }
        if run.endIndex < text.count, text[run.endIndex] == 0x0A {
          lines.append(Line(text: line, newline: run + [0x0A]))
          index = run.endIndex + 1
        } else {
          lines.append(Line(text: line, newline: [0x0D]))
          index += 1
        }
        line = []
      } else {
        line.append(text[index])
        index += 1
      }
    }
    if !line.isEmpty { lines.append(Line(text: line, newline: [])) }
    return lines
  }

  static func hasBareNewline(_ text: Bytes) -> Bool {
    for (index, octet) in text.enumerated() {
      if octet == 0x0A, index == 0 || text[index - 1] != 0x0D { return true }
      if octet == 0x0D, index + 1 == text.count || text[index + 1] != 0x0A { return true }
    }
    return false
  }

  static func stuffed(_ lines: [Bytes]) -> Bytes {
    lines.flatMap { ($0.first == 0x2E ? [0x2E] : []) + $0 + [0x0D, 0x0A] } + Bytes(".\r\n")
  }

  /// Content as DATA brings it; nil if it has no end.
  static func data(_ input: Bytes, _ policy: BareNewline) -> ContentReference? {
    let whole = Bytes("\r\n") + input
    let mark = Bytes("\r\n.\r\n")
    guard let end = (0..<max(0, whole.count - 4)).first(where: { Bytes(whole[$0..<$0 + 5]) == mark }) else {
      return nil
    }
    // `end` in `whole` is where the last line's CRLF begins; in `input` that CRLF ends there.
    let content = Bytes(input[..<end])
    let consumed = end + 3
    if policy == .reject {
      // CRLF alone cuts, and the dots at the starts are the sender's.
      var stuffing = 0
      for index in 0..<content.count where content[index] == 0x2E {
        if index == 0 || (index >= 2 && content[index - 2] == 0x0D && content[index - 1] == 0x0A) { stuffing += 1 }
      }
      return ContentReference(
        consumed: consumed, ended: true, wire: Bytes(input[..<consumed]), octets: content.count - stuffing,
        hasBareNewline: hasBareNewline(content))
    }
    // A dot the sender stuffed stays, even one that needed no stuffing; a line that is a dot alone got none.
    var wire = Bytes()
    var octets = 0
    var isReal = true
    for line in lines(content) {
      let isStuffed = isReal && line.text.first == 0x2E && line.text.count > 1
      wire += isStuffed ? line.text + [0x0D, 0x0A] : stuffed([line.text]).dropLast(3)
      octets += line.text.count + 2 - (isStuffed ? 1 : 0)
      isReal = line.newline.count > 1
    }
    return ContentReference(
      consumed: consumed, ended: true, wire: wire + Bytes(".\r\n"), octets: octets,
      hasBareNewline: hasBareNewline(content))
  }

  /// Content that was counted, as the dot stuffer gets it.
  static func raw(_ input: Bytes, _ policy: BareNewline) -> ContentReference {
    var texts: [Bytes] = []
    if policy == .normalize {
      texts = lines(input).map(\.text)
    } else {
      var line = Bytes()
      for octet in input {
        line.append(octet)
        if line.count >= 2, line.suffix(2) == [0x0D, 0x0A] {
          texts.append(line.dropLast(2))
          line = []
        }
      }
      // A CR at the very end gets its LF.
      if line.last == 0x0D {
        line.removeLast()
        texts.append(line)
      } else if !line.isEmpty {
        texts.append(line)
      }
    }
    return ContentReference(
      consumed: input.count, ended: true, wire: stuffed(texts), octets: texts.reduce(0) { $0 + $1.count + 2 },
      hasBareNewline: hasBareNewline(input))
  }
}
