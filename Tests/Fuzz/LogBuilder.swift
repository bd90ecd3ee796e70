import System
import Wire

@testable import Spool

/// Writes a log as an input says, record by record with sums that are right, and damages it as a disk would.
struct LogBuilder {
  static let root = Path("/spool")
  static let names = [Bytes("anna"), Bytes("bert"), Bytes("carl")]
  static let place = SpoolFiles(root)
  static let key: UInt32 = 0x5EED_0BAD

  let disk = MemoryDisk()
  let identity: SpoolIdentity
  /// The messages that are to be read, by maildrop and number. Holds as long as the log is sound.
  private(set) var books: [[UInt64: Bytes]] = [[:], [:], [:]]
  /// Whether everything was written as the committer would, and nothing damaged.
  private(set) var isSound = true
  /// Where each record of the log stands, and what the one change to it was that a disk has made, if it was one alone.
  private var places: [Place] = []
  private var changes: [(path: Path, range: Range<Int>)] = []
  private var hasOtherHarm = false
  private var segment: UInt32 = 1
  private var log = Bytes()
  private var sequence: UInt64 = 0
  private var batch: UInt64 = 0
  private var deleted: [[UInt64: Bytes]] = [[:], [:], [:]]
  private var nextNumber: UInt32 = 2
  private var paths: [Path] = []
  private let now: Int64 = 1_800_000_000

  /// Whether a disk has changed the log in one place at the most. After more the first start may see what the next one
  /// cannot know of: what an index tells, or a segment that is gone.
  var isNearlySound: Bool { changes.count <= 1 && !hasOtherHarm }

  private struct Place {
    var segment: UInt32
    var range: Range<Int>
    var sequence: UInt64
    var batch: UInt64
    var kind: RecordKind
    /// The file of a large message.
    var content: UInt32?
  }

  /// The messages that must be there after one place of the log was damaged: all but those it has hit, and in the last
  /// segment those that a crash might have torn. Nil when more has happened.
  var survivors: [Set<UInt64>]? {
    guard changes.count == 1, isNearlySound, !places.contains(where: { $0.kind == .restoration }) else { return nil }
    let (path, range) = changes[0]
    var lost = Set<UInt64>()
    for place in places {
      if let content = place.content, path == LogBuilder.place.large(content) { lost.insert(place.sequence) }
      guard path == LogBuilder.place.segment(place.segment) else { continue }
      // Behind damage a record is known by the LF before it.
      if (place.range.lowerBound - 1..<place.range.upperBound).overlaps(range) { lost.insert(place.sequence) }
      let isLast = place.segment == segment
      let isBehind = place.range.upperBound > range.lowerBound
      let hasLater = places.contains {
        $0.segment == segment && $0.batch > place.batch && $0.range.lowerBound >= range.upperBound
      }
      if isLast && isBehind && !hasLater { lost.insert(place.sequence) }
    }
    return books.map { Set($0.keys).subtracting(lost) }
  }

  init?(_ input: inout Input) {
    var text = Bytes("restante-spool-1 fuzzedfuzz 5eed0bad ")
    var crc = CRC32C()
    crc.add(text)
    text.append(hexadecimal: UInt64(crc.value), width: 8)
    text.append(ASCII.lf)
    let place = LogBuilder.place
    for path in [LogBuilder.root, place.log, place.indexes] { try? disk.makeDirectory(path, permissions: 0o700) }
    LogBuilder.write(text, to: place.id, on: disk)
    LogBuilder.write(text, to: place.secondID, on: disk)
    guard let identity = try? SpoolIdentity.read(place, disk) else { return nil }
    self.identity = identity
    beginSegment(previous: 0, end: 0)
    var steps = 0
    while !input.isEmpty, steps < 50 {
      steps += 1
      step(&input)
    }
    save()
  }

  static func write(_ bytes: Bytes, to path: Path, on disk: MemoryDisk) {
    guard let file = try? disk.open(path, [.write, .create, .truncate], permissions: 0o600) else { return }
    try? disk.writeAll(file.number, bytes.span, at: 0)
    try? disk.flush(file.number)
  }

  private mutating func step(_ input: inout Input) {
    switch input.octet() % 20 {
    case 0, 1, 2, 3: message(&input)
    case 4: largeMessage(&input)
    case 5, 6: control(.deletion, &input)
    case 7: control(.restoration, &input)
    case 8:
      append(
        RecordHeader(.gap, sequence: sequence, batch: 0, length: UInt32(input.number(below: 300)), time: 0), nil)
    case 9: nextSegment()
    case 10: checkpoint()
    case 11:
      // The committer's own tail.
      log.append(contentsOf: repeatElement(0, count: input.number(below: 128)))
    case 12: oddRecord(&input)
    case 13:
      isSound = false
      hasOtherHarm = true
      log += input.octets(input.number(below: 64))
    default: damage(&input)
    }
  }

  // MARK: what the committer writes

  private mutating func append(_ header: RecordHeader, _ body: Bytes?) {
    trimZeros()
    let start = log.count
    defer {
      places.append(
        Place(
          segment: segment, range: start..<log.count, sequence: header.sequence, batch: header.batch, kind: header.kind,
          content: header.kind == .large ? UInt32(truncatingIfNeeded: header.extra) : nil))
    }
    var header = header
    if let body {
      header.length = UInt32(body.count)
      var crc = CRC32C()
      crc.add(body)
      header.crc = crc.value
    }
    header.append(to: &log, key: identity.key)
    if let body {
      log += body
    } else if header.kind == .gap {
      // What was a record before ends as one.
      log.append(contentsOf: repeatElement(ASCII.lf, count: Int(header.length)))
    }
  }

  /// The next batch is written over the zeros that the last one left behind itself.
  private mutating func trimZeros() {
    while log.last == 0 { log.removeLast() }
  }

  private mutating func next(_ input: inout Input) -> UInt64 {
    sequence += 1
    if input.octet() & 3 != 0 || batch == 0 { batch = sequence }
    return sequence
  }

  private func content(_ input: inout Input) -> Bytes {
    var text = Bytes("Subject: ")
    text.append(decimal: sequence)
    text += "\r\n\r\n"
    // Now and then lines that look like records, and zeros.
    let line = input.octets(input.number(below: 24))
    text += line.filter { $0 != ASCII.cr && $0 != ASCII.lf && $0 != ASCII.dot }
    text += "\r\n.\r\n"
    return text
  }

  private func chosen(_ bits: UInt8) -> [Int] {
    let some = (0..<3).filter { bits >> UInt8($0) & 1 == 1 }
    return some.isEmpty ? [0] : some
  }

  private mutating func message(_ input: inout Input) {
    let to = chosen(input.octet())
    let number = next(&input)
    let content = content(&input)
    for index in to { books[index][number] = content }
    append(
      RecordHeader(
        .message, sequence: number, batch: batch, octets: UInt32(content.count - 3), time: now,
        names: to.map { LogBuilder.names[$0] }), content)
  }

  private mutating func largeMessage(_ input: inout Input) {
    let to = chosen(input.octet())
    let number = next(&input)
    let content = content(&input)
    for index in to { books[index][number] = content }
    var crc = CRC32C()
    crc.add(content)
    let path = LogBuilder.place.large(nextNumber)
    LogBuilder.write(content, to: path, on: disk)
    paths.append(path)
    append(
      RecordHeader(
        .large, sequence: number, batch: batch, length: UInt32(content.count), octets: UInt32(content.count - 3),
        time: now, crc: crc.value, extra: UInt64(nextNumber), names: to.map { LogBuilder.names[$0] }), nil)
    nextNumber += 1
  }

  private mutating func control(_ kind: RecordKind, _ input: inout Input) {
    let index = input.number(below: 3)
    let from = kind == .deletion ? books[index] : deleted[index]
    let choice = input.octet()
    let numbers = from.keys.sorted().enumerated().filter { choice >> UInt8($0.offset % 8) & 1 == 1 }.map(\.element)
    guard !numbers.isEmpty else { return }
    for number in numbers {
      if kind == .deletion {
        deleted[index][number] = books[index].removeValue(forKey: number)
      } else {
        books[index][number] = deleted[index].removeValue(forKey: number)
      }
    }
    let number = next(&input)
    for piece in SequenceSet(numbers).pieces(limit: 4096) {
      append(
        RecordHeader(kind, sequence: number, batch: batch, time: now, names: [LogBuilder.names[index]]), piece)
    }
  }

  private mutating func beginSegment(previous: UInt32, end: Int) {
    log = Bytes()
    batch = 0
    // It has no number of its own, and belongs to the batch that it begins with.
    append(
      RecordHeader(
        .segment, sequence: sequence, batch: sequence + 1, octets: UInt32(end), time: now, extra: UInt64(previous)), nil
    )
  }

  private mutating func nextSegment() {
    trimZeros()
    save()
    let previous = segment
    let end = log.count
    segment = nextNumber
    nextNumber += 1
    beginSegment(previous: previous, end: end)
  }

  private mutating func save() {
    let path = LogBuilder.place.segment(segment)
    LogBuilder.write(log, to: path, on: disk)
    if !paths.contains(path) { paths.append(path) }
  }

  /// Brings indexes and checkpoint up to date, as if the daemon had run up to here.
  private mutating func checkpoint() {
    guard isSound else { return }
    trimZeros()
    save()
    try? disk.remove(LogBuilder.place.checkpoint)
    guard let found = try? recover(disk).result else { return }
    let checkpoint = Checkpoint(
      segment: segment, offset: Int64(log.count), sequence: sequence, nextNumber: nextNumber,
      maildrops: found.maildrops.values.map { ($0.name, $0.count) })
    LogBuilder.write(checkpoint.text, to: LogBuilder.place.checkpoint, on: disk)
    let names = LogBuilder.names.filter { found.maildrops[$0] != nil }
    for path in [LogBuilder.place.checkpoint] + names.map({ LogBuilder.place.index($0) }) where !paths.contains(path) {
      paths.append(path)
    }
  }

  /// Reads the spool as a start does.
  func recover(_ disk: MemoryDisk) throws -> (result: Recovery.Result, store: MessageStore) {
    let recovery = Recovery(place: LogBuilder.place, files: disk, identity: identity) { _ in }
    let result = try recovery.run()
    return (result, MessageStore(LogBuilder.place, disk, key: identity.key) { _ in })
  }

  // MARK: what only damage, or a fault of ours, would write

  private mutating func oddRecord(_ input: inout Input) {
    isSound = false
    hasOtherHarm = true
    let kinds: [RecordKind] = [.segment, .message, .large, .deletion, .restoration, .gap]
    var header = RecordHeader(
      kinds[input.number(below: kinds.count)], sequence: input.odd(), batch: input.odd(),
      length: UInt32(truncatingIfNeeded: input.odd()), octets: UInt32(truncatingIfNeeded: input.odd()),
      time: Int64(truncatingIfNeeded: input.odd()), extra: input.odd(),
      names: [LogBuilder.names[input.number(below: 3)]])
    if input.octet() & 1 == 0 { header.sequence = sequence &+ header.sequence }
    // Segments and large messages are numbered together: no number is both.
    if header.kind == .large { header.extra |= 1 << 20 }
    // Nobody lives to see more messages than that.
    header.sequence &= 1 << 62 - 1
    let name = input.octets(input.number(below: 8))
    if !name.isEmpty { header.names.append(Bytes(name.filter { $0 != ASCII.space && $0 != ASCII.lf })) }
    if input.octet() & 3 == 0 {
      header.append(to: &log, key: identity.key)
      log += input.octets(Int(min(header.length, 64)))
    } else {
      append(header, input.octets(input.number(below: 64)))
    }
  }

  private mutating func damage(_ input: inout Input) {
    save()
    isSound = false
    let path = paths[input.number(below: paths.count)]
    guard var bytes = try? disk.contents(path, limit: 1 << 20), !bytes.isEmpty else { return }
    let at = input.number(below: bytes.count)
    let count = min(bytes.count - at, input.number(below: 256))
    var end = at + count
    switch input.octet() % 7 {
    case 0:
      bytes[at] ^= max(1, input.octet())
      end = at + 1
    case 1:
      bytes.removeLast(bytes.count - at)
      hasOtherHarm = true
    case 2: for index in at..<(at + count) { bytes[index] = 0 }
    case 3, 4:
      // An old sector comes back, or one is written in the wrong place, and with it records that are right.
      hasOtherHarm = true
      let from = input.number(below: bytes.count)
      let copied = Bytes(bytes[from..<min(bytes.count, from + count)])
      bytes.replaceSubrange(at..<min(bytes.count, at + copied.count), with: copied)
      end = at + copied.count
    case 5:
      let octets = input.octets(count)
      bytes.replaceSubrange(at..<(at + octets.count), with: octets)
    default:
      hasOtherHarm = true
      try? disk.remove(path)
      if path == LogBuilder.place.segment(segment) { log = Bytes() }
      return
    }
    changes.append((path, at..<max(at + 1, end)))
    LogBuilder.write(bytes, to: path, on: disk)
    if path == LogBuilder.place.segment(segment) { log = bytes }
  }
}
