import Testing
import Wire

@testable import Console

struct PagerTests {
  /// The pages that `pieces` are shown in.
  static func pages(_ pieces: [Bytes]) -> [Bytes] {
    var pager = Pager()
    var pages = [Bytes()]
    for piece in pieces {
      pager.add(piece)
      while pager.page(&pages[pages.count - 1]) {
        pager.turn()
        pages.append([])
      }
    }
    pager.finish(&pages[pages.count - 1])
    return pages
  }

  @Test("Twenty-two lines are a page, and the reader is asked only when there is more")
  func lines() {
    let text = (1...44).map { "line \($0)\n" }.joined()
    let pages = Self.pages([octets(text)])
    #expect(pages.count == 2)
    #expect(pages[0].text.split(separator: "\r\n").count == 22)
    #expect(pages.map(\.text).joined() == text.split(separator: "\n").map { $0 + "\r\n" }.joined())
  }

  @Test("A long line is broken between words, before the last column, and counts as the lines it takes")
  func long() {
    let text = "begun " + (1...400).map { "word\($0)" }.joined(separator: " ") + "\n"
    let pages = Self.pages([octets(text)])
    let lines = pages.joined().split(separator: 0x0A).map { $0.dropLast().text }
    #expect(pages.count == (lines.count + 21) / 22 && pages[0].text.split(separator: "\r\n").count == 22)
    for (number, line) in lines.enumerated() {
      #expect(line.utf8.count <= 79 && line.hasPrefix("    ") == (number > 0))
    }
    #expect(lines.flatMap { $0.split(separator: " ") } == text.dropLast().split(separator: " "))
  }

  @Test("What is broken under a label stands under what the label says")
  func label() {
    let text = "  written       " + String(repeating: "flash ", count: 20) + "\nnext\n"
    let lines = Self.pages([octets(text)]).joined().split(separator: 0x0A).map { $0.dropLast().text }
    #expect(lines.count == 3 && lines[2] == "next")
    #expect(lines[1].hasPrefix(String(repeating: " ", count: 16) + "flash"))
  }

  @Test("A word longer than a line is broken where the line ends")
  func longWord() {
    let lines = Self.pages([octets(String(repeating: "x", count: 200))]).joined().split(separator: 0x0A)
    #expect(lines.map { $0.dropLast().filter { $0 == 0x78 }.count } == [79, 75, 46])
  }

  @Test("However the text comes, the pages are the same")
  func pieces() {
    let text = octets(
      "one\ttwo\n  label\t" + String(repeating: "word ", count: 40) + "\n" + String(repeating: "ü", count: 90) + "\n"
        + String(repeating: "a\n", count: 30) + "end")
    let whole = Self.pages([text]).joined()
    splits(text) { pieces in #expect(Bytes(Self.pages(pieces).joined()) == Bytes(whole)) }
  }
}
