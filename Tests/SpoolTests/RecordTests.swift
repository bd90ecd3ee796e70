import Testing
import Wire

@testable import Spool

@Suite("A record's line")
struct RecordTests {
  let key: UInt32 = 0x1234_5678

  func sample() -> RecordHeader {
    var header = RecordHeader(
      .message, sequence: 1042, batch: 1040, length: 4531, octets: 4380, time: 1_763_712_345, crc: 0x1a2b_3c4d,
      names: [Bytes("anna"), Bytes("bert")])
    header.needsUTF8 = true
    return header
  }

  func line(_ header: RecordHeader) -> Bytes {
    var bytes = Bytes()
    header.append(to: &bytes, key: key)
    return bytes
  }

  @Test("is readable with less(1) and reads back as it was")
  func roundTrip() {
    let bytes = line(sample())
    #expect(bytes.text.hasPrefix("M 1042 1040 4531 4380 1763712345 u 1a2b3c4d 0 anna,bert "))
    #expect(bytes.last == ASCII.lf)
    #expect(RecordHeader(line: bytes.span.extracting(0..<(bytes.count - 1)), key: key) == sample())
  }

  @Test("is refused when any one bit of it has changed")
  func everyBit() {
    let bytes = line(sample())
    for index in 0..<(bytes.count - 1) {
      for bit in 0..<8 {
        var bad = bytes
        bad[index] ^= 1 << UInt8(bit)
        // A digit of a hexadecimal sum reads the same in upper case.
        if index >= bytes.count - 9 && ASCII.lower(bad[index]) == bytes[index] { continue }
        #expect(RecordHeader(line: bad.span.extracting(0..<(bad.count - 1)), key: key) == nil)
      }
    }
  }

  @Test("is refused whole when cut anywhere")
  func everyCut() {
    let bytes = line(sample())
    for length in 0..<(bytes.count - 1) {
      #expect(RecordHeader(line: bytes.span.extracting(0..<length), key: key) == nil)
    }
  }

  @Test("written by somebody who does not know this spool's key is no record")
  func foreignKey() {
    let bytes = line(sample())
    #expect(RecordHeader(line: bytes.span.extracting(0..<(bytes.count - 1)), key: key + 1) == nil)
  }

  @Test("with a name that would lead to another maildrop's index, or out of the spool, is no record")
  func names() {
    for name in [Bytes("anna\0"), Bytes("../anna"), Bytes(".."), Bytes("a/b")] {
      var header = sample()
      header.names = [name, Bytes("bert")]
      let bytes = line(header)
      #expect(RecordHeader(line: bytes.span.extracting(0..<(bytes.count - 1)), key: key) == nil)
    }
  }

  @Test("of a gap fills any run of records exactly")
  func gaps() throws {
    for length in Int64(48)...1200 {
      let run = Reclamation.Run(offset: 0, length: length, sequence: 7)
      guard let bytes = RecordHeader.gap(run, key: key) else { continue }
      let parsed = RecordHeader(line: bytes.span.extracting(0..<(bytes.count - 1)), key: key)
      let header = try #require(parsed)
      #expect(header.extent(lineLength: bytes.count) == length)
    }
    #expect(RecordHeader.gap(.init(offset: 0, length: 48, sequence: 7), key: key) != nil)
    for length: Int64 in [99, 100, 101, 999, 1000, 1001, 10_046, 99_999, 100_048, 16_777_216] {
      #expect(RecordHeader.gap(.init(offset: 0, length: length, sequence: 7), key: key) != nil)
    }
  }

  @Test("The sum is the Castagnoli CRC of RFC 3720")
  func knownSums() {
    func sum(_ bytes: Bytes) -> UInt32 {
      var crc = CRC32C()
      crc.add(bytes)
      return crc.value
    }
    #expect(sum(Bytes(repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(sum(Bytes(repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(sum(Bytes(0...31)) == 0x46DD_794E)
    #expect(sum(Bytes("123456789")) == 0xE306_9283)
  }

  @Test("The sum is the same in pieces of any size")
  func sumInPieces() {
    let bytes = Bytes((0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    var whole = CRC32C()
    whole.add(bytes)
    for piece in 1...40 {
      var parts = CRC32C()
      var at = 0
      while at < bytes.count {
        parts.add(Bytes(bytes[at..<min(at + piece, bytes.count)]))
        at += piece
      }
      #expect(parts == whole)
    }
  }

  @Test("Sequence numbers read back from their text, in pieces too")
  func sequenceSets() throws {
    var set = SequenceSet()
    for start in stride(from: UInt64(1), to: 9000, by: 7) { set.append(start...(start + start % 3)) }
    var back = SequenceSet()
    for piece in set.pieces(limit: 100) {
      #expect(piece.count < 150)
      let parsed = SequenceSet(piece.span)
      for range in try #require(parsed).ranges { back.append(range) }
    }
    #expect(back == set)
    for bad in ["5-", "-5", "7-5", "a", "5,,6", "99999999999999999999", "5 6"] {
      #expect(SequenceSet(Bytes(Array(bad.utf8)).span) == nil)
    }
  }

  @Test("An index entry is refused when any one bit of it has changed")
  func entryBits() {
    let entry = Entry(
      sequence: 77, offset: 4096, segment: 3, length: 5000, octets: 4900, time: 1_800_000_000, needsUTF8: true,
      lineLength: 99)
    var bytes = Bytes()
    entry.append(to: &bytes)
    #expect(bytes.count == Entry.size)
    #expect(Entry(bytes, at: 0) == entry)
    for index in bytes.indices {
      for bit in 0..<8 {
        var bad = bytes
        bad[index] ^= 1 << UInt8(bit)
        #expect(Entry(bad, at: 0) == nil)
      }
    }
  }

  @Test("The n-th zero bit of a bitmap is where counting finds it")
  func bitmapRank() {
    var bits = Bitmap()
    for index in [0, 1, 5, 63, 64, 65, 127, 128, 300] { bits.set(index, true) }
    bits.set(5, false)
    let zeros = (0..<600).filter { !bits.contains($0) }
    for (rank, index) in zeros.enumerated() { #expect(bits.zero(rank: rank) == index) }
    #expect(bits.setCount == 8)
  }
}
