import Testing
import Wire

@testable import Console

struct LineEditorTests {
  /// What is taken of `input`, and what is shown.
  static func take(
    _ input: Bytes, isUTF8: Bool = true, echo: LineEditor.Echo = .plain
  ) -> (keys: [LineEditor.Key], shown: Bytes) {
    var editor = LineEditor(isUTF8: isUTF8)
    editor.echo = echo
    var keys: [LineEditor.Key] = []
    var shown = Bytes()
    for octet in input { if let key = editor.take(octet, &shown) { keys.append(key) } }
    return (keys, shown)
  }

  static func lines(_ input: String) -> [String] {
    take(octets(input)).keys.map { if case .line(let line) = $0 { line.text } else { "\($0)" } }
  }

  @Test(
    "A line ends with CR, LF, CRLF, or what telnet sends",
    arguments: ["a\rb\r", "a\nb\n", "a\r\nb\r\n", "a\r\0b\r\0", "a\rb\n", "a\nb\r\n"])
  func ends(_ input: String) { #expect(Self.lines(input) == ["a", "b"]) }

  @Test("Two line ends are two lines, also where they are CRLF")
  func emptyLines() {
    #expect(Self.lines("\r\r") == ["", ""])
    #expect(Self.lines("\n\n") == ["", ""])
    #expect(Self.lines("\r\n\r\n") == ["", ""])
  }

  @Test("Backspace and DEL take a whole character back, and Ctrl-U the line; beyond the beginning there is nothing")
  func rubOut() {
    #expect(Self.lines("ab\u{8}c\r") == ["ac"])
    #expect(Self.lines("aü\u{7F}c\r") == ["ac"])
    #expect(Self.lines("\u{7F}\u{8}\u{8}x\r") == ["x"])
    #expect(Self.lines("wrong\u{15}right\r") == ["right"])
    #expect(Self.take(octets("ab\u{7F}\u{7F}\u{7F}")).shown.text == "ab\u{8} \u{8}\u{8} \u{8}")
  }

  @Test("Arrows, function keys and other controls are nothing")
  func sequences() {
    #expect(Self.lines("a\u{1B}[Ab\u{1B}[15~c\u{1B}OPd\r") == ["abcd"])
    #expect(Self.lines("a\u{1}\u{0}\u{2}\u{11}\u{13}\u{1A}b\r") == ["ab"])
    // A key that sends ESC must not take the line's end away.
    #expect(Self.lines("a\u{1B}\r") == ["a"])
    #expect(Self.lines("a\u{1B}[\r") == ["a"])
  }

  @Test("Ctrl-C interrupts whatever was typed; Ctrl-D ends only where nothing was")
  func interrupts() {
    #expect(Self.take(octets("abc\u{3}x\r")).keys == [.interrupt, .line(octets("x"))])
    #expect(Self.take(octets("\u{4}")).keys == [.end])
    #expect(Self.lines("a\u{4}b\r") == ["ab"])
  }

  @Test("A line that is too long is no answer, and none of it is the next line's beginning")
  func tooLong() {
    let long = String(repeating: "x", count: LineEditor.limit + 1)
    #expect(Self.take(octets(long + "\rremove\r")).keys == [.tooLong, .line(octets("remove"))])
    #expect(Self.lines(String(long.dropLast()) + "\r") == [String(long.dropLast())])
    #expect(Self.lines(long + "\u{15}ok\r") == ["ok"])
    let noise = Bytes(repeating: 0x41, count: 1_000_000)
    var editor = LineEditor(isUTF8: true)
    var shown = Bytes()
    for octet in noise { _ = editor.take(octet, &shown) }
    #expect(editor.text.count <= LineEditor.limit)
  }

  @Test("What is no UTF-8 is dropped, and only text is ever shown")
  func noise() {
    #expect(Self.take([0x61, 0xFF, 0xC3, 0x28, 0x9B, 0x31, 0xE2, 0x82, 0x62, 0x0D]).keys == [.line(octets("a(1b"))])
    #expect(Self.take(octets("ä\r"), isUTF8: false).keys == [.line([])])
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<200 {
      let input = (0..<500).map { _ in UInt8.random(in: 0...255, using: &generator) }
      let (keys, shown) = Self.take(input)
      for key in keys { if case .line(let line) = key { #expect(line.isUTF8) } }
      #expect(shown.isUTF8)
      let allowed: Set<UInt8> = [0x07, 0x08, 0x0A, 0x0D]
      #expect(shown.allSatisfy { $0 >= 0x20 && $0 != 0x7F || allowed.contains($0) }, "from \(input)")
    }
  }

  @Test("A secret is shown as stars, one for each character")
  func secrets() {
    let (keys, shown) = Self.take(octets("12ü\u{7F}4\r"), echo: .stars)
    #expect(keys == [.line(octets("124"))])
    #expect(shown.text == "***\u{8} \u{8}*\r\n")
  }
}
