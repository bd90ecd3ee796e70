import Testing
import Wire

@testable import POP3

@Suite("Texts")
struct TextTests {
  @Test("Every text fits into a line of 512 octets (RFC 1939 §3), with the largest numbers")
  func length() {
    for text in Text.allCases {
      for language in [Language.standard, .english, .german] {
        var line = Bytes()
        line.appendStatus("-ERR", text.words(in: language), Int.max, Int.max)
        #expect(line.count <= 512, "\(line.text)")
        #expect(line.filter { $0 < 0x20 } == [13, 10])
      }
    }
  }

  @Test("What is said before a language is chosen is ASCII (RFC 2277 §4.5)")
  func ascii() {
    for text in Text.allCases {
      #expect(Bytes(text.words(in: .standard)).allSatisfy { $0 < 0x80 })
    }
  }

  @Test("A code and a number are the same in every language")
  func codes() {
    for text in Text.allCases {
      let texts = [Bytes(text.english).text, Bytes(text.german).text]
      let codes = texts.map { $0.hasPrefix("[") ? $0.prefix { $0 != " " } : "" }
      #expect(codes[0] == codes[1])
      for mark in ["#", "%"] {
        #expect(texts[0].contains(mark) == texts[1].contains(mark), "\(texts)")
      }
    }
  }
}

@Suite("Memory")
struct MemoryTests {
  @Test("An idle session is small, and takes memory for marks only at the first of them")
  func size() {
    #expect(MemoryLayout<Session<MemoryMaildrop>>.size <= 96)
    var marks = DeletionMarks()
    #expect(!marks.contains(1) && marks.first(from: 0) == nil)
    for number in [200, 1, 64, 63, 64] { marks.insert(number, octets: 10, messages: 200) }
    #expect(Array(marks) == [1, 63, 64, 200] && marks.count == 4 && marks.octets == 40)
    #expect(marks.first(from: 65) == 200 && marks.first(from: 201) == nil)
  }
}
