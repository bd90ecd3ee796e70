import Testing
import Wire

@Suite("UTF-8")
struct UTF8ValidationTests {
  @Test("One to four octets are judged as the standard library does, every one of them that could matter")
  func exhaustive() {
    let interesting: [UInt8] = [
      0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
      0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFF,
    ]
    for octets in everyText(of: interesting, upTo: 4) {
      let expected = String(validating: octets, as: UTF8.self) != nil
      if octets.isUTF8 != expected {
        Issue.record("\(octets)")
        return
      }
    }
  }

  @Test("A character cut short is not taken")
  func cut() {
    let octets = Bytes("aé€😀")
    let wholes: Set = [0, 1, 3, 6, 10]
    for end in 0...octets.count { #expect(Bytes(octets[..<end]).isUTF8 == wholes.contains(end)) }
  }
}
