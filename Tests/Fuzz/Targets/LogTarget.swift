import System
import Wire

@testable import Spool

/// A log, sound or damaged, and what a start makes of it: nothing crashes, what is served is read to its end, and a number
/// is not used again. A sound log gives back what was written; one that is damaged in one place costs what stood there and
/// what a crash might have torn; starting twice is the same as once, and mail that comes later touches none that is there.
func fuzzLog(_ bytes: Bytes) {
  var input = Input(bytes)
  let choice = input.octet()
  guard let builder = LogBuilder(&input) else { return }
  let disk = builder.disk
  let segments = segmentCount(disk)
  let first = served(builder, disk)
  if builder.isSound {
    for (index, name) in LogBuilder.names.enumerated() {
      let found = first[name] ?? []
      require(found.map(\.uid) == builder.books[index].keys.sorted(), "not the messages that were written")
      for message in found { require(message.content == builder.books[index][message.uid], "not what was written") }
    }
  }
  if let survivors = builder.survivors {
    for (index, name) in LogBuilder.names.enumerated() {
      let found = Set((first[name] ?? []).filter(\.isWhole).map(\.uid))
      require(
        found.isSuperset(of: survivors[index]), "one change costs \(survivors[index].subtracting(found)) of \(index)")
    }
  }
  let second = served(builder, disk)
  for (name, messages) in first where builder.isNearlySound && segmentCount(disk) == segments {
    require(
      second[name]?.filter(\.isWhole) == messages.filter(\.isWhole),
      "the second start has found something else:"
        + " \(second[name] ?? []), not \(messages)")
  }

  switch choice & 15 {
  case 0: continueLog(builder, disk)
  case 1...4: repair(builder, disk)
  case 6...8: copy(builder, disk, first)
  case 5 where builder.isSound:
    try? disk.remove(LogBuilder.place.checkpoint)
    let alone = served(builder, disk)
    require(alone == first, "the log alone says something else: \(alone), not \(first)")
  default: break
  }
}

private func segmentCount(_ disk: MemoryDisk) -> Int {
  (try? LogBuilder.place.numbers(disk).segments.count) ?? 0
}

private struct Message: Equatable {
  var uid: UInt64
  var octets: Int
  /// Nil when it is known to be gone.
  var content: Bytes?
  /// Whether it is what its sum says.
  var isWhole = false
}

private typealias Mail = [Bytes: [Message]]

/// Starts on the disk and reads all there is.
private func served(_ builder: LogBuilder, _ disk: MemoryDisk) -> Mail {
  guard let (result, store) = try? builder.recover(disk) else { return [:] }
  var mail = Mail()
  for (name, maildrop) in result.maildrops where !maildrop.isBroken {
    mail[name] = read(Snapshot(maildrop, epoch: 1, store: store), disk)
  }
  return mail
}

private func read(_ snapshot: Snapshot, _ disk: MemoryDisk) -> [Message] {
  var messages: [Message] = []
  do throws(SpoolError) {
    try snapshot.visit(from: 1) { number, octets, uid in
      require(number == messages.count + 1, "number \(number) after \(messages.count)")
      require(uid > messages.last?.uid ?? 0, "the numbers do not grow")
      messages.append(Message(uid: uid, octets: octets))
      return true
    }
  } catch {
    return messages
  }
  require(messages.count == snapshot.count, "\(messages.count) messages, not \(snapshot.count)")
  require(messages.reduce(0) { $0 + Int64($1.octets) } == snapshot.octets, "other octets")
  for index in messages.indices {
    guard let message = try? snapshot.open(index + 1) else { continue }
    require(message.octets == messages[index].octets, "another size when it is opened")
    var content = Bytes()
    let count = Int(min(message.count, 1 << 20))
    let got = try? message.read(into: &content, count: count, at: 0)
    require(got == content.count && content.count <= count, "more than there is")
    messages[index].content = content
    messages[index].isWhole = isWhole(snapshot, index + 1, content, disk)
  }
  return messages
}

/// Whether a message's content has the sum that its record tells.
private func isWhole(_ snapshot: Snapshot, _ number: Int, _ content: Bytes, _ disk: MemoryDisk) -> Bool {
  guard let entry = try? snapshot.entry(number) else { return false }
  // The records of large messages are in another place than their content; those are damaged as a whole or not.
  if entry.isLarge { return content.count == Int(entry.length) }
  var line = Bytes()
  guard let file = try? disk.open(LogBuilder.place.segment(entry.segment), [.read], permissions: 0),
    (try? disk.readAll(file.number, into: &line, count: Int(entry.lineLength) - 1, at: Int64(entry.offset))) != nil,
    let header = RecordHeader(line: line.span, key: LogBuilder.key)
  else { return false }
  var crc = CRC32C()
  crc.add(content)
  return crc.value == header.crc
}

private func open(_ disk: MemoryDisk) -> Spool? {
  try? Spool(LogBuilder.root, files: disk, now: 1_800_000_000) { _ in }
}

private func read(_ spool: Spool, _ disk: MemoryDisk) -> Mail {
  var mail = Mail()
  for name in spool.names { if let snapshot = try? spool.open(name) { mail[name] = read(snapshot, disk) } }
  return mail
}

/// The daemon goes on where the log ends.
private func continueLog(_ builder: LogBuilder, _ disk: MemoryDisk) {
  let segments = segmentCount(disk)
  var before = served(builder, disk)
  guard let spool = open(disk) else { return }
  for (name, messages) in read(spool, disk) where builder.isNearlySound && segmentCount(disk) == segments {
    require(messages.filter(\.isWhole) == before[name]?.filter(\.isWhole), "the daemon has found something else")
  }

  before = read(spool, disk)
  let name = LogBuilder.names[0]
  let content = Bytes("Subject: new\r\n\r\n.\r\n")
  let draft = spool.begin(tag: 1)
  draft.content = content
  spool.commit(draft, recipients: [name], octets: content.count - 3, utf8: false, now: 1_800_000_001)
  var answer: Result<UInt64, SpoolError>?
  var poll = try! Poll()
  try! poll.add(spool.wakeUp, .read, token: 0)
  while answer == nil {
    try! poll.wait(milliseconds: 10_000) { _, _ in }
    spool.collect {
      switch $0 {
      case .stored(_, let sequence): answer = .success(sequence)
      case .refused(_, let error): answer = .failure(error)
      default: break
      }
    }
  }
  var expected = before
  if case .success(let sequence)? = answer {
    let highest = before.values.reduce(0) { $1.reduce($0) { max($0, $1.uid) } }
    require(sequence > highest, "number \(sequence) after \(highest)")
    expected[name, default: []].append(
      Message(uid: sequence, octets: content.count - 3, content: content, isWhole: true))
    require(
      read(spool, disk)[name] == expected[name], "what was delivered is not there: \(read(spool, disk)), \(expected)")
  } else {
    require(!builder.isSound, "a sound log takes no mail")
  }
  spool.close()
  trimZeros(disk)
  guard let again = open(disk) else {
    require(false, "it does not start again")
    return
  }
  let found = read(again, disk)
  for (name, messages) in expected where builder.isNearlySound {
    require(
      found[name]?.filter(\.isWhole) == messages.filter(\.isWhole),
      "after the next start: \(found[name] ?? []), not \(messages)")
  }
  again.close()
}

/// Takes away the zeros that the committer writes ahead: reading a quarter of a megabyte of them costs more than all else.
private func trimZeros(_ disk: MemoryDisk) {
  guard let segments = try? LogBuilder.place.numbers(disk).segments else { return }
  for segment in segments {
    let path = LogBuilder.place.segment(segment)
    guard let bytes = try? disk.contents(path, limit: 1 << 20) else { continue }
    LogBuilder.write(Bytes(bytes[..<(bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0)]), to: path, on: disk)
  }
}

/// A backup of the log, and a spool that begins with it.
private func copy(_ builder: LogBuilder, _ disk: MemoryDisk, _ first: Mail) {
  guard let copy = try? SpoolCopy(LogBuilder.root, files: disk, position: nil) else {
    return require(!builder.isSound, "a sound log cannot be copied")
  }
  let fresh = MemoryDisk()
  for path in [LogBuilder.root, LogBuilder.place.log, LogBuilder.place.indexes] {
    try? fresh.makeDirectory(path, permissions: 0o700)
  }
  for part in copy.parts {
    var octets = Bytes()
    copy.read(part) { octets += $0 }
    require(Int64(octets.count) == part.size, "a part of \(octets.count) octets, not \(part.size)")
    LogBuilder.write(octets, to: LogBuilder.root.appending(part.name), on: fresh)
  }
  let restored = served(builder, fresh)
  for (name, messages) in first where builder.isNearlySound {
    require(
      restored[name]?.filter(\.isWhole) ?? [] == messages.filter(\.isWhole),
      "the copy has something else: \(restored[name] ?? []), not \(messages)")
  }
  guard let again = open(fresh) else { return require(false, "the copy cannot be opened") }
  let highest = first.values.reduce(0) { $1.reduce($0) { max($0, $1.uid) } }
  require(!builder.isNearlySound || again.position?.sequence ?? 0 >= highest, "a number would be used again")
  again.close()
}

/// `check` and `check --repair`.
private func repair(_ builder: LogBuilder, _ disk: MemoryDisk) {
  let check = SpoolCheck(LogBuilder.root, files: disk, whileRunning: false)
  if builder.isSound {
    let isWell = check.problems.allSatisfy { if case .badIndex = $0 { true } else { $0 == .noCheckpoint } }
    require(isWell, "a sound log, and \(check.problems)")
  }
  _ = try? check.repair()
  let mended = served(builder, disk)
  _ = SpoolCheck(LogBuilder.root, files: disk, whileRunning: true)
  let segments = segmentCount(disk)
  let again = served(builder, disk)
  for (name, messages) in mended where builder.isNearlySound && segmentCount(disk) == segments {
    require(again[name]?.filter(\.isWhole) == messages.filter(\.isWhole), "after a repair it is not the same twice")
  }
}
