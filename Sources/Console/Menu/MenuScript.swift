import Wire

/// The console's menus and dialogues as they are written down: see `MenuText` for the language.
struct MenuScript {
  /// A menu or a dialogue.
  struct Page {
    let name: Bytes
    let title: Bytes
    let lines: [Bytes]

    /// The pages that a menu leads to, with what is said of each; empty for a dialogue.
    var entries: [(page: Bytes, label: Bytes)] {
      var entries: [(page: Bytes, label: Bytes)] = []
      for line in lines where line.first == 0x2A {
        let parts = line.dropFirst().split(separator: ASCII.space, maxSplits: 1)
        entries.append((Bytes(parts[0]), parts.count > 1 ? Bytes(parts[1]) : []))
      }
      return entries
    }
  }

  private(set) var pages: [Page] = []

  init(_ text: StaticString) {
    var name = Bytes()
    var title = Bytes()
    var lines: [Bytes] = []
    for piece in Bytes(text).split(separator: ASCII.lf, omittingEmptySubsequences: true) {
      let line = Bytes(piece)
      if line[0] != 0x3A {
        lines.append(line)
        continue
      }
      if !name.isEmpty { pages.append(Page(name: name, title: title, lines: lines)) }
      let end = line.firstIndex(of: ASCII.space) ?? line.count
      name = Bytes(line[1..<end])
      title = Bytes(line[min(end + 1, line.count)...])
      lines = []
    }
    pages.append(Page(name: name, title: title, lines: lines))
  }

  func page(_ name: Bytes) -> Page? { pages.first { $0.name == name } }
}
