import System
import Testing
import Wire

@testable import Console

@Suite("A backup's file")
struct ArchiveTests {
  @Test("has headers that read back as they were written, up to the largest size")
  func header() throws {
    for size: Int64 in [0, 1, 511, 512, 8_589_934_591] {
      let header = try #require(Archive.header(Bytes("spool/log/0000000001.log"), size: size, time: 1_800_000_000))
      #expect(header.count == 512)
      let found = Archive.read(header.span)
      let read = try #require(found)
      #expect(read.name == Bytes("spool/log/0000000001.log") && read.size == size)
      #expect((Int64(Archive.padding(size)) + size) % 512 == 0)
    }
  }

  @Test("has no room for a name of more than 100 octets, and says so")
  func longName() {
    #expect(Archive.header(Bytes(repeating: 0x61, count: 100), size: 0, time: 0) == nil)
  }

  @Test("is refused when any one bit of a header has changed")
  func everyBit() throws {
    let header = try #require(Archive.header(Bytes("state/accounts"), size: 700, time: 1_800_000_000))
    for index in header.indices {
      for bit in 0..<8 {
        var bad = header
        bad[index] ^= 1 << UInt8(bit)
        // Within the sum itself a blank means nothing.
        if (148..<156).contains(index), bad[index] == 0 || bad[index] == 0x20 { continue }
        let isRefused = Archive.read(bad.span) == nil
        #expect(isRefused, "octet \(index), bit \(bit)")
      }
    }
  }
}

@Suite("A proposed password")
struct ProposedPasswordTests {
  @Test("is ten syllables that nobody mistakes, and never the same")
  func form() throws {
    var seen: [Bytes] = []
    var syllables = Set<String>()
    for _ in 0..<500 {
      let password = try AccountSheet.password()
      #expect(password.count == 24)
      #expect(!seen.contains(password))
      seen.append(password)
      for group in password.split(separator: 0x2D) {
        #expect(group.count == 4)
        let letters = Array(String(decoding: group, as: UTF8.self))
        for at in [0, 2] {
          #expect("bdfghjklmnprstvw".contains(letters[at]))
          #expect("aiou".contains(letters[at + 1]))
          syllables.insert(String(letters[at...at + 1]))
        }
      }
    }
    // 64 of them, ten times: 60 bits.
    #expect(syllables.count == 64)
  }
}
