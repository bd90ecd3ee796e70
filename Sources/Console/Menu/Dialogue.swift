import System
import Wire

/// Holds the dialogues that a script describes, at a desk.
final class Dialogue {
  let desk: Desk
  let script: MenuScript
  /// What a script may ask that is no command: appends nothing and returns false where it went wrong.
  private let builtin: (Bytes, inout Bytes) throws(Leaving) -> Bool
  /// The answers of the dialogue under way, `$0` to `$9`.
  private var slots = [Bytes](repeating: [], count: 10)

  init(_ desk: Desk, _ script: MenuScript, builtin: @escaping (Bytes, inout Bytes) throws(Leaving) -> Bool) {
    self.desk = desk
    self.script = script
    self.builtin = builtin
  }

  // MARK: menus

  /// Shows a menu and does what is chosen until somebody leaves it.
  ///
  /// - Parameter head: what is shown above it; nil for a menu that Enter alone does not leave but show again.
  func menu(_ name: StaticString, isMain: Bool = false) throws(Leaving) {
    guard let page = script.page(Bytes(name)) else { return }
    try menu(page, isMain: isMain)
  }

  private func menu(_ page: MenuScript.Page, isMain: Bool) throws(Leaving) {
    let entries = page.entries
    try show(page, isMain: isMain)
    while true {
      var question = Bytes("\n")
      question += page.title
      question += ": 1 to "
      question.append(decimal: entries.count)
      question += isMain ? ", Enter for the menu, q to lock: " : ", Enter for the list, q to go back: "
      let answer = try desk.ask(question, secret: false, fresh: false)
      let word = Bytes(answer.split(separator: ASCII.space).first ?? [])
      if word.isEmpty {
        try show(page, isMain: isMain)
      } else if word.equals("q") || word.equals("Q") || word.equals(".") || word.equals("0") {
        return
      } else if let number = word.span.decimal, number > 0, number <= UInt64(entries.count),
        let chosen = script.page(entries[Int(number) - 1].page)
      {
        try open(chosen, isMain: isMain)
      } else {
        try desk.say(Bytes("There is no such entry.\n"))
      }
    }
  }

  private func open(_ page: MenuScript.Page, isMain: Bool) throws(Leaving) {
    do throws(Leaving) {
      if page.entries.isEmpty { try hold(page) } else { try menu(page, isMain: false) }
    } catch {
      switch error {
      case .back: try desk.say(Bytes("Nothing more was done.\n"))
      case .menu where isMain: break
      default: throw error
      }
    }
  }

  private func show(_ page: MenuScript.Page, isMain: Bool) throws(Leaving) {
    var text = Bytes("\n")
    if isMain { _ = try builtin(Bytes("head"), &text) } else { text += page.title + Bytes("\n\n") }
    for line in page.lines where line.first == 0x27 { text += expand(line, from: 1) + Bytes("\n") }
    for (index, entry) in page.entries.enumerated() {
      text.append(right: 4, decimal(index + 1))
      text += "  "
      text += entry.label
      text += "\n"
    }
    try desk.say(text)
  }

  private func decimal(_ number: Int) -> Bytes {
    var text = Bytes()
    text.append(decimal: number)
    return text
  }

  // MARK: dialogues

  /// Holds a dialogue from its first line to its last.
  func hold(_ name: StaticString) throws(Leaving) {
    guard let page = script.page(Bytes(name)) else { return }
    try hold(page)
  }

  func hold(_ page: MenuScript.Page) throws(Leaving) {
    for index in slots.indices { Crypto.cleanse(&slots[index]) }
    defer { for index in slots.indices { Crypto.cleanse(&slots[index]) } }
    try desk.say(Bytes("\n") + page.title + Bytes("\n"))
    var isWell = true
    var index = 0
    while index < page.lines.count {
      let line = page.lines[index]
      index += 1
      guard let line = applying(line) else { continue }
      switch line[0] {
      case 0x5E:  // ^LABEL
        let label = Bytes("#") + line[1...]
        if !isWell, let back = page.lines.firstIndex(of: label) { index = back }
      case 0x26:  // &
        if !isWell { return }
      case 0x3E:  // >PAGE
        if let next = script.page(Bytes(line[1...])) { return try open(next, isMain: false) }
      default:
        // A question begins anew, whatever was shown to help with it.
        if line[0] == 0x3F { isWell = true }
        if let result = try perform(line) { isWell = result }
      }
    }
  }

  /// Does what a line says; whether that went well, nil where it cannot go wrong.
  private func perform(_ line: Bytes) throws(Leaving) -> Bool? {
    switch line[0] {
    case 0x27: try desk.say(expand(line, from: 1) + Bytes("\n"))
    case 0x3F: try question(line)
    case 0x21: try confirm(line)
    case 0x24: return try run(line)
    case 0x7E: try capture(line)
    case 0x25:
      var text = Bytes()
      return try builtin(expand(line, from: 1), &text)
    default: break
    }
    return nil
  }

  /// What is to be done of `@3f LINE`: only if answer 3 begins with f; `@3!f LINE`: only if not; `@3 LINE`: if there is
  /// one. Any other line as it is.
  private func applying(_ line: Bytes) -> Bytes? {
    guard line[0] == 0x40 else { return line }
    let value = slots[digit(line, 1)]
    if line[2] == ASCII.space { return value.isEmpty ? nil : Bytes(line[3...]) }
    let isNot = line[2] == 0x21
    let at = isNot ? 3 : 2
    return (value.first.map(ASCII.lower) == line[at]) != isNot ? Bytes(line[(at + 2)...]) : nil
  }

  /// `?3 QUESTION [DEFAULT]`; `?3* QUESTION` is a secret that is typed as stars. A hyphen alone answers nothing.
  private func question(_ line: Bytes) throws(Leaving) {
    let slot = digit(line, 1)
    let isSecret = line[2] == 0x2A
    var text = expand(line, from: isSecret ? 4 : 3)
    var preset: Bytes?
    if text.last == 0x5D, let open = text.lastIndex(of: 0x5B) {
      preset = Bytes(text[(open + 1)..<(text.count - 1)])
      if preset?.isEmpty ?? false { text.removeSubrange(open...) }
    }
    while text.last == ASCII.space { text.removeLast() }
    text += ": "
    let answer = trimmed(try desk.ask(text, secret: isSecret, fresh: false))
    if answer.equals(".") { throw .back }
    if answer.isEmpty, preset == nil { throw .back }
    slots[slot] = answer.isEmpty ? preset ?? [] : answer
    if slots[slot].equals("-") { slots[slot] = [] }
  }

  /// `!WORD TEXT`: goes on only when the word is typed.
  private func confirm(_ line: Bytes) throws(Leaving) {
    let space = line.firstIndex(of: ASCII.space) ?? line.count
    let word = Bytes(line[1..<space])
    var text = space < line.count ? expand(line, from: space + 1) + Bytes("\n") : Bytes()
    text += "Type "
    text += word
    text += " to go on, Enter to go back: "
    if trimmed(try desk.ask(text, secret: false, fresh: true)) != word { throw .back }
  }

  /// `$ WORDS`: runs a command and shows what it says. `$f`: until a key is pressed. `$q`: only if it fails. A digit:
  /// with that answer on its standard input.
  private func run(_ line: Bytes) throws(Leaving) -> Bool {
    var showing = Desk.Showing.paged
    var input: Bytes?
    var at = 1
    while at < line.count, line[at] != ASCII.space {
      switch line[at] {
      case 0x66: showing = .following
      case 0x71: showing = .quiet
      default: input = slots[digit(line, at)] + [ASCII.lf]
      }
      at += 1
    }
    guard let words = words(line, from: at + 1) else {
      try desk.say(Bytes("No answer here begins with a dash.\n"))
      return false
    }
    return try desk.run(words, input: input, showing) == 0
  }

  /// `~3 WORDS`: puts the first line that a command says into slot 3; `~3 %NAME`: what the console itself knows.
  private func capture(_ line: Bytes) throws(Leaving) {
    let slot = digit(line, 1)
    var value = Bytes()
    if line[3] == 0x25 {
      _ = try builtin(expand(line, from: 4), &value)
    } else if let words = words(line, from: 3) {
      value = desk.capture(words) ?? []
    }
    slots[slot] = Bytes(value.split(separator: ASCII.lf).first ?? [])
  }

  // MARK: words

  /// The words from `start` on. `$3` is an answer and stays one word, `$*3` is as many as it has. What stands between
  /// brackets is left out when an answer in it is empty. Nil when an answer would be taken for an option.
  private func words(_ line: Bytes, from start: Int) -> [Bytes]? {
    var words: [Bytes] = []
    var group: Int?
    var isEmpty = false
    for piece in line[start...].split(separator: ASCII.space) {
      let word = Bytes(piece)
      if word.equals("[") {
        group = words.count
        isEmpty = false
      } else if word.equals("]") {
        if isEmpty, let group { words.removeSubrange(group...) }
        group = nil
      } else if word.hasPrefix("$*"), word.count == 3 {
        for part in slots[digit(word, 2)].split(whereSeparator: { $0 == ASCII.space || $0 == 0x2C }) {
          if part.first == 0x2D { return nil }
          words.append(Bytes(part))
        }
      } else {
        let expanded = expand(word, from: 0)
        if word.contains(0x24) {
          if expanded.isEmpty { isEmpty = true }
          if expanded.first == 0x2D, word[0] == 0x24 { return nil }
        }
        words.append(expanded)
      }
    }
    return words
  }

  /// `text` from `start` on with the answers in it.
  private func expand(_ text: Bytes, from start: Int) -> Bytes {
    var out = Bytes()
    var index = min(start, text.count)
    while index < text.count {
      if text[index] == 0x24, index + 1 < text.count, ASCII.isDigit(text[index + 1]) {
        out += slots[digit(text, index + 1)]
        index += 1
      } else {
        out.append(text[index])
      }
      index += 1
    }
    return out
  }

  private func digit(_ text: Bytes, _ index: Int) -> Int {
    index < text.count && ASCII.isDigit(text[index]) ? Int(text[index] - 0x30) : 0
  }

  private func trimmed(_ text: Bytes) -> Bytes {
    var start = 0
    var end = text.count
    while start < end, text[start] == ASCII.space { start += 1 }
    while end > start, text[end - 1] == ASCII.space { end -= 1 }
    return Bytes(text[start..<end])
  }
}
