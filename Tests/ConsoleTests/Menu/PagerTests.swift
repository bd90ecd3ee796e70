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

  @Test("A long line is broken before the last column, and counts as the lines it takes")
  func long() {
    let pages = Self.pages([octets(String(repeating: "x", count: 79 * 30) + "\n")])
    #expect(pages.map { $0.text.split(separator: "\r\n").count } == [22, 8])
    for line in pages.joined().split(separator: 0x0A) { #expect(line.count <= 80) }
    #expect(Self.pages([octets(String(repeating: "x", count: 79) + "\n")])[0].text.split(separator: "\r\n").count == 1)
  }

  @Test("However the text comes, the pages are the same")
  func pieces() {
    let text = octets(
      "one\ttwo\n" + String(repeating: "ü", count: 90) + "\n" + String(repeating: "a\n", count: 30) + "end")
    let whole = Self.pages([text]).joined()
    splits(text) { pieces in #expect(Bytes(Self.pages(pieces).joined()) == Bytes(whole)) }
  }
}
