import System
import Testing
import Wire

@testable import Console

struct OfficeTests {
  @Test("Message numbers are given one by one and as ranges")
  func sequences() throws {
    let some = try Sequences([octets("5,7-9"), octets("20")])
    #expect((1...25).filter { some.contains($0) } == [5, 7, 8, 9, 20])
    #expect(some.missing(from: [1, 8, 21]) == [5...5, 20...20])
    #expect(try Sequences([octets("1-18446744073709551615")]).contains(.max))
  }

  @Test(
    "What is no message number is refused",
    arguments: ["", "x", "5,", ",5", "5-", "-5", "9-7", "1-2-3", "5 6", "18446744073709551616", "+5"])
  func notSequences(_ word: String) {
    #expect(throws: Failure.self) { try Sequences([octets(word)]) }
  }

  @Test("Requests name neighbours as ranges, and neither their length nor their number passes the limit")
  func lines() throws {
    func lines(_ sequences: [UInt64], limit: Int = 1000, most: Int = 1000) -> [String] {
      Sequences.lines(sequences, limit: limit, most: most).map(\.text)
    }
    #expect(lines([]) == [])
    #expect(lines([5, 7, 8, 9, 20]) == ["5,7-9,20"])
    #expect(lines([1, 3, 5, 7, 9], limit: 5) == ["1,3,5", "7,9"])
    #expect(lines(Array(1...10), most: 4) == ["1-4", "5-8", "9-10"])
    let scattered = (0..<5000).map { UInt64($0 * $0 + 1) }
    let all = Sequences.lines(scattered, limit: 100, most: 7)
    #expect(all.allSatisfy { $0.count <= 100 })
    var back: [UInt64] = []
    for line in all {
      let set = try Sequences([line])
      let named = scattered.filter(set.contains)
      #expect(named.count <= 7)
      back += named
    }
    #expect(back == scattered)
  }

  @Test("A parcel gives back what was put into it, also where it did not fit into memory")
  func parcel() throws {
    try MaildirTests.withDirectory { directory in
      let parcel = Parcel(in: directory, Files())
      for size in [0, 1, 70_000, 256 * 1024, 256 * 1024 + 1, 1_000_000] {
        parcel.removeAll()
        var expected = Bytes()
        while expected.count < size {
          let piece = Bytes(
            (0..<min(10_007, size - expected.count)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ size) })
          expected += piece
          try parcel.append(piece)
        }
        #expect(parcel.count == Int64(size))
        var got = Bytes()
        var chunk = Bytes()
        var position: Int64 = 0
        while try parcel.read(&chunk, &position) { got += chunk }
        #expect(got == expected)
        #expect(try Files().list(directory).isEmpty, "the file is nobody else's")
      }
    }
  }

  @Test("Text for a terminal is cut nowhere within a character, however it comes")
  func screen() {
    let text = octets("grüße 漢字\t€\u{1b}[1m\nx\u{7}y😀\r\nend\u{301}") + [0xE2, 0x82]
    var whole = text
    var screen = ScreenText(Printable(isUTF8: true))
    screen.filter(&whole)
    #expect(whole.text == "grüße 漢字\t€ [1m\nx y😀 \nend\u{301}")
    splits(text) { pieces in
      var screen = ScreenText(Printable(isUTF8: true))
      var out = Bytes()
      for var piece in pieces {
        screen.filter(&piece)
        out += piece
      }
      #expect(out == whole)
    }
  }
}
