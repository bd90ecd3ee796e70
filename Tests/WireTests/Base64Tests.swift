import Foundation
import Testing
import Wire

@Suite("Base 64")
struct Base64Tests {
  @Test("Octets of every length come back, in the form others write")
  func roundTrip() {
    for length in 0..<100 {
      let octets = Bytes((0..<length).map { UInt8(truncatingIfNeeded: $0 * 151 + length * 7) })
      var text = Bytes()
      Base64.encode(octets.span, to: &text)
      #expect(text.text == Data(octets).base64EncodedString())
      #expect(Base64.decode(text.span) == octets)
    }
  }

  @Test("Every single octet and every pair comes back")
  func small() {
    for first in 0...255 {
      for second in stride(from: 0, through: 255, by: 5) {
        let octets: Bytes = [UInt8(first), UInt8(second)]
        var text = Bytes()
        Base64.encode(octets.span, to: &text)
        #expect(Base64.decode(text.span) == octets)
      }
    }
  }

  @Test(
    "What no encoder writes is refused",
    arguments: [
      "A", "AA", "AAA", "AAAAA", "AA=A", "A===", "====", "=AAA", "AA==AAAA", "AAA=AAAA", "AB==", "AAB=", "AA==\n",
      "AA= =",
      "AAA\0", "A-_A", " AAAA", "AAAA ", "AA\r\n", "AAé=",
    ])
  func refused(text: String) { #expect(Base64.decode(Bytes(text).span) == nil) }
}
