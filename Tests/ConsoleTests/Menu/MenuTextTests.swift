import Testing
import Wire

@testable import Console

struct MenuTextTests {
  static let script = MenuScript(MenuText.all)

  /// What a line does, without what it depends on; and the page's name for complaints.
  static let lines: [(page: MenuScript.Page, line: String)] = script.pages.flatMap { page in
    page.lines.map { line in
      var text = line.text
      if text.first == "@" { text = String(text[text.index(after: text.firstIndex(of: " ")!)...]) }
      return (page, text)
    }
  }

  @Test("Each page that is led to is there, once, and each that is there is led to")
  func pages() {
    var led: Set<String> = ["main", "welcome", "forgotten"]
    for (page, line) in Self.lines {
      if line.first == "*" { led.insert(String(line.dropFirst().prefix { $0 != " " })) }
      if line.first == ">" { led.insert(String(line.dropFirst())) }
      #expect("*'?!$~%@&#^>".contains(line.first!), "\(page.name.text): \(line)")
    }
    let names = Self.script.pages.map(\.name.text)
    #expect(Set(names) == led)
    #expect(Set(names).count == names.count)
  }

  @Test("Every line fits a terminal of 80 columns, and every menu its page")
  func width() {
    for (page, line) in Self.lines where "'*".contains(line.first!) {
      #expect(line.count <= 80, "\(page.name.text): \(line)")
    }
    for page in Self.script.pages where !page.entries.isEmpty { #expect(page.entries.count <= 12, "\(page.name.text)") }
  }

  @Test("Every label that is gone back to is there, before it, with a question between, so that nothing goes round")
  func labels() {
    for page in Self.script.pages {
      let lines = page.lines.map(\.text)
      for (index, line) in lines.enumerated() where line.first == "^" {
        let label = lines.firstIndex(of: "#" + line.dropFirst())
        #expect(label != nil && label! < index, "\(page.name.text): \(line)")
        #expect(lines[(label ?? index)..<index].contains { $0.first == "?" || $0.first == "%" }, "\(page.name.text)")
      }
    }
  }

  @Test("Every answer that is used was asked for")
  func answers() {
    for page in Self.script.pages {
      var known: Set<Character> = []
      for line in page.lines.map(\.text) {
        let text = line.first == "@" ? String(line[line.index(after: line.firstIndex(of: " ")!)...]) : line
        if line.first == "@" { #expect(known.contains(line.dropFirst().first!), "\(page.name.text): \(line)") }
        if text.first == "?" || text.first == "~" { known.insert(text.dropFirst().first!) }
        for (mark, next) in zip(text, text.dropFirst()) where mark == "$" && next.isNumber {
          // `$6 WORDS`: the answer is standard input.
          #expect(known.contains(next), "\(page.name.text): \(line)")
        }
      }
    }
  }

  /// Command lines as the console would call them, every answer being `a`.
  static let commands: [(page: String, words: [String])] = lines.compactMap { page, line in
    guard line.first == "$" || line.first == "~" && !line.contains("%") else { return nil }
    let text = line[line.index(after: line.firstIndex(of: " ")!)...]
    let words = text.split(separator: " ").filter { $0 != "[" && $0 != "]" }
    return (page.name.text, words.map { $0.contains("$") ? "a" : String($0) })
  }

  @Test("Every command that the console runs is one of the program's, called as it wants to be")
  func calls() {
    for (page, words) in Self.commands {
      guard case .failure(let failure) = InvocationTests.parse(words) else { continue }
      Issue.record("\(page): \(words.joined(separator: " ")): \(failure.text.text)")
    }
  }

  @Test("What loses mail, accounts or the way to the device is done only after a word was typed")
  func confirmed() {
    let destructive = [
      "account remove", "alias remove", "mail move", "mail discard", "mail show", "backup restore", "update install",
      "update back", "restart", "poweroff", "reset", "network dhcp", "network static",
    ]
    var confirmed: Set<String> = []
    for (page, line) in Self.lines where !page.name.text.hasPrefix("first") {
      if line.first == "!" { confirmed.insert(page.name.text) }
      guard line.first == "$", let space = line.firstIndex(of: " ") else { continue }
      let words = line[line.index(after: space)...]
      if destructive.contains(where: { words.hasPrefix($0) }) {
        #expect(confirmed.contains(page.name.text), "\(page.name.text): \(line)")
      }
    }
  }

  @Test("Every dialogue is left by a dot at each of its questions, and has changed nothing until the last one")
  func back() {
    let looks = ["status", "refusals", "show", "list", "verify", "confirm", "pin", "mount", "eject", "bans"]
    for page in Self.script.pages where page.entries.isEmpty && !page.name.text.hasPrefix("first") {
      let questions = page.lines.filter { $0.first == 0x3F || $0.first == 0x21 }.count
      for answered in 0..<questions {
        let desk = ScriptedDesk(Array(repeating: "1", count: answered) + ["."])
        let dialogue = Dialogue(desk, Self.script) { _, _ in true }
        var hasLeft = false
        do throws(Leaving) { try dialogue.hold(page) } catch {
          if case .back = error { hasLeft = true }
        }
        // A word that was to be typed may have come before.
        #expect(hasLeft || !desk.answers.isEmpty, "\(page.name.text) after \(answered)")
        for command in desk.commands {
          #expect(looks.contains { command.contains($0) }, "\(page.name.text): \(command)")
        }
      }
    }
  }
}
