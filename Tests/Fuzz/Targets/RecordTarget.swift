import System
import Wire

@testable import Spool

/// The forms of the spool's files, one at a time, each with a sum that is right: what is read means the same when it is
/// written and read again.
func fuzzRecord(_ bytes: Bytes) {
  var input = Input(bytes)
  let choice = input.octet() % 6
  let text = input.remaining
  switch choice {
  case 0: fuzzLine(text)
  case 1: fuzzFields(&input)
  case 2: fuzzSequences(text)
  case 3: fuzzCheckpoint(text)
  case 4: fuzzEntry(&input)
  default: fuzzIdentity(text)
  }
}

private let key: UInt32 = 0x5EED_0BAD

private func sum(_ text: Bytes, seed: UInt32? = nil) -> Bytes {
  var crc = seed.map { CRC32C(seed: $0) } ?? CRC32C()
  crc.add(text)
  var digits = Bytes()
  digits.append(hexadecimal: UInt64(crc.value), width: 8)
  return digits
}

private func fuzzLine(_ octets: Bytes) {
  let text = Bytes(octets.filter { $0 != ASCII.lf })
  require(RecordHeader(line: text.span, key: key) == nil, "a sum that was guessed")
  let line = text + sum(text, seed: key)
  require(RecordHeader(line: line.span, key: key &+ 1) == nil, "a line with another spool's sum")
  if let header = RecordHeader(line: line.span, key: key) { checkAgain(header) }
}

private func checkAgain(_ header: RecordHeader) {
  var line = Bytes()
  header.append(to: &line, key: key)
  require(line.popLast() == ASCII.lf && !line.contains(ASCII.lf), "not one line")
  // No maildrop is called that, and there is no time before 1970.
  guard header.time >= 0, header.names.allSatisfy({ RecordHeader.isName($0.span) }) else { return }
  require(RecordHeader(line: line.span, key: key) == header, "reads otherwise: \(line.shown), \(header)")
  require(header.extent(lineLength: line.count) >= Int64(line.count), "an extent that is too short")
}

private func fuzzFields(_ input: inout Input) {
  let kinds: [RecordKind] = [.segment, .message, .large, .deletion, .restoration, .gap]
  var header = RecordHeader(
    kinds[input.number(below: kinds.count)], sequence: input.odd(), batch: input.odd(),
    length: UInt32(truncatingIfNeeded: input.odd()), octets: UInt32(truncatingIfNeeded: input.odd()),
    time: Int64(truncatingIfNeeded: input.odd()), crc: UInt32(truncatingIfNeeded: input.odd()), extra: input.odd())
  header.needsUTF8 = input.octet() & 1 == 1
  while !input.isEmpty, header.names.count < 100 {
    let name = Bytes(input.part(before: 0x2C).filter { $0 != ASCII.space && $0 != ASCII.lf })
    if !name.isEmpty { header.names.append(name) }
  }
  if header.names == [Bytes("-")] { return }
  checkAgain(header)
}

private func fuzzSequences(_ text: Bytes) {
  guard let set = SequenceSet(text.span) else { return }
  for range in set.ranges.prefix(5) { require(set.contains(range.upperBound), "an end that is not in its range") }
  for limit in [20, 4096] {
    var ranges: [ClosedRange<UInt64>] = []
    for piece in set.pieces(limit: limit) {
      require(piece.count <= limit + 50, "a piece of \(piece.count)")
      guard let part = SequenceSet(piece.span) else {
        require(false, "cannot be read: \(piece.shown)")
        return
      }
      ranges += part.ranges
    }
    require(ranges == set.ranges, "reads otherwise in pieces")
  }
}

private func fuzzCheckpoint(_ text: Bytes) {
  _ = Checkpoint(text)
  let first = Bytes("restante-checkpoint-1 ") + text + [ASCII.lf]
  for body in [text, first] {
    guard let checkpoint = Checkpoint(body + sum(body) + [ASCII.lf]) else { continue }
    guard let again = Checkpoint(checkpoint.text) else {
      require(false, "cannot be read again: \(checkpoint.text.shown)")
      return
    }
    require(again == checkpoint, "reads otherwise")
  }
}

private func fuzzEntry(_ input: inout Input) {
  var raw = input.octets(36)
  if raw.count == 36 {
    var crc = CRC32C()
    crc.add(raw)
    for shift in [0, 8, 16, 24] { raw.append(UInt8(truncatingIfNeeded: crc.value >> UInt32(shift))) }
  }
  raw += input.remaining
  guard let entry = Entry(raw, at: 0) else { return }
  var again = Bytes()
  entry.append(to: &again)
  require(again.count == Entry.size && Entry(again, at: 0) == entry, "an entry that reads otherwise")
}

private func fuzzIdentity(_ text: Bytes) {
  let disk = MemoryDisk()
  let body = Bytes("restante-spool-1 ") + text
  disk.set("/spool/id", text.count & 1 == 0 ? body + sum(body) + [ASCII.lf] : text)
  guard let identity = try? SpoolIdentity.read(SpoolFiles(Path("/spool")), disk) else { return }
  require(identity.prefix.count == 10, "a prefix of \(identity.prefix.count)")
  // Whoever it says to be, it says so in both files from then on.
  try? disk.makeDirectory(Path("/spool/log"), permissions: 0o700)
  guard let loaded = try? SpoolIdentity.load(SpoolFiles(Path("/spool")), disk) else {
    return require(false, "not loaded")
  }
  require(loaded.key == identity.key && loaded.prefix == identity.prefix, "loaded as another")
  require(disk.contents("/spool/log/id") == disk.contents("/spool/id"), "not in both files")
}
