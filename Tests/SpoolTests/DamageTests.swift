import Testing
import Wire

@testable import Spool

@Suite("What damage within the last segment costs")
struct DamageTests {
  static let path: StaticString = "/spool/log/0000000001.log"

  /// A log with a message by itself, three that were flushed together, and one by itself; and where each begins.
  private func log() throws -> (office: Office, starts: [Int]) {
    let office = try Office()
    _ = try office.deliver(Office.content("message 0"), to: ["anna"]).get()
    let key = office.spool.identity.key
    office.close()
    var bytes = office.disk.contents(Self.path)!
    while bytes.last == 0 { bytes.removeLast() }
    // The segment's own line has number 1, the message before number 2.
    var starts: [Int] = []
    for (sequence, batch) in [(3, 3), (4, 3), (5, 3), (6, 6)] as [(UInt64, UInt64)] {
      starts.append(bytes.count)
      let content = Office.content("message \(starts.count)")
      var crc = CRC32C()
      crc.add(content)
      RecordHeader(
        .message, sequence: sequence, batch: batch, length: UInt32(content.count), octets: UInt32(content.count - 3),
        time: office.now, crc: crc.value, names: [Bytes("anna")]
      ).append(to: &bytes, key: key)
      bytes += content
    }
    bytes.append(contentsOf: repeatElement(0, count: 4096))
    office.disk.set(Self.path, bytes)
    office.disk.delete("/spool/checkpoint")
    return (office, starts)
  }

  @Test(
    "A damaged record costs neither those of its batch nor those after it, once a later batch was begun",
    arguments: [0, 1, 2], [true, false])
  func withinBatch(victim: Int, isLine: Bool) throws {
    let (office, starts) = try log()
    var bytes = office.disk.contents(Self.path)!
    bytes[isLine ? starts[victim] + 2 : starts[victim + 1] - 8] ^= 0x40
    office.disk.set(Self.path, bytes)
    try office.restart()
    let expected = (0...4).filter { $0 != victim + 1 }.map { Office.content("message \($0)") }
    #expect(try office.read("anna").map(\.content) == expected)
    #expect(office.journal.contains { $0.contains("damaged at offset") })
    office.close()
  }

  @Test(
    "In the last batch it may be the crash's work: from there on nobody was promised anything",
    arguments: [true, false])
  func withinLastBatch(isLine: Bool) throws {
    let (office, starts) = try log()
    var bytes = office.disk.contents(Self.path)!
    bytes.removeLast(bytes.count - starts[3])
    bytes[isLine ? starts[1] + 2 : starts[2] - 8] ^= 0x40
    office.disk.set(Self.path, bytes)
    try office.restart()
    #expect(try office.read("anna").map(\.content) == [Office.content("message 0"), Office.content("message 1")])
    #expect(!office.journal.contains { $0.contains("damaged at offset") })
    office.close()
  }

  @Test("A torn batch that shows an earlier one to be damaged, not torn, stays; the log goes on in another segment")
  func tornAfterDamage() throws {
    let (office, starts) = try log()
    let disk = office.disk
    var bytes = disk.contents(Self.path)!
    bytes[starts[1] + 2] ^= 0x40
    bytes[bytes.lastIndex { $0 != 0 }! - 7] ^= 0x40
    disk.set(Self.path, bytes)
    office.close()
    disk.delete("/spool/checkpoint")
    let expected = [0, 1, 3].map { Office.content("message \($0)") }
    let first = try Office(disk)
    #expect(try first.read("anna").map(\.content) == expected)
    #expect(disk.contents(Self.path) == bytes)
    _ = try first.deliver(Office.content("message 5"), to: ["anna"]).get()
    first.close()
    disk.delete("/spool/checkpoint")
    let second = try Office(disk)
    #expect(try second.read("anna").map(\.content) == expected + [Office.content("message 5")])
    second.close()
  }
}
