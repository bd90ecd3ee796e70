import System
import Wire

/// The writing end of the log. It belongs to the committer's thread alone.
///
/// A batch of records is written in one go and flushed once; the next batch is not begun before. So only the last
/// batch of the last segment can be incomplete after a crash, and nobody has been promised any of it.
final class Log {
  private struct Active: ~Copyable {
    let number: UInt32
    let file: Descriptor
    /// Where the next batch goes; all before it has been flushed.
    var tail: Int64
    /// Up to here zeros have been written: a batch within changes no metadata, so its flush costs one write.
    var prepared: Int64
    /// Up to here the file system has set blocks aside.
    var allocated: Int64
  }

  /// A record that has been put into the batch.
  private enum Staged {
    case message(Draft, MessageFacts, Placement)
    case control(ControlFacts, isLast: Bool)
  }

  let place: SpoolFiles
  let files: Files
  let key: UInt32
  private var active: Active?
  private(set) var nextNumber: UInt32
  private(set) var lastSequence: UInt64
  /// The segment before the next one, and where it ends.
  private var previous: (number: UInt32, end: Int64)
  /// The file system can set blocks aside.
  private var allocates = true
  /// It had none left when last asked.
  private var isFull = false

  private var buffer = Bytes()
  private var staged: [Staged] = []
  var outcomes: [Outcome] = []
  /// Files of large messages that are not part of the log yet.
  private var unfinished: [UInt32] = []

  /// Octets of a batch below which preparing the blocks ahead costs the card less than the file system's journal
  /// does: it writes three blocks of 4 KiB for each flush that changes metadata.
  private static let smallBatch = 12 * 1024
  /// Octets of zeros written ahead at a time.
  private static let ahead: Int64 = 256 * 1024
  /// Octets set aside at a time, and when the disk is nearly full.
  private static let allocation: Int64 = 4 * 1024 * 1024
  private static let smallAllocation: Int64 = 128 * 1024
  /// Octets of what was set aside that mail may not use: on a full disk, deletions still need a place.
  private static let reserve: Int64 = 64 * 1024
  /// Octets of a deletion's list of numbers in one record.
  private static let controlBody = 32 * 1024
  /// Octets of records collected before they are written.
  private static let writeSize = 128 * 1024

  init(_ place: SpoolFiles, _ files: Files, key: UInt32, _ end: LogEnd) {
    self.place = place
    self.files = files
    self.key = key
    nextNumber = end.nextNumber
    lastSequence = end.sequence
    previous = (end.segment, end.offset)
    guard end.canContinue, end.offset < Limits.segment else { return }
    if let file = try? files.open(place.segment(end.segment), [.read, .write]) {
      active = Active(number: end.segment, file: file, tail: end.offset, prepared: end.offset, allocated: end.offset)
    }
  }

  /// Files with this number or a higher one may be unfinished.
  var firstUnfinished: UInt32 { unfinished.min() ?? nextNumber }

  /// Takes the answers to all that was asked.
  func takeOutcomes() -> [Outcome] {
    defer { outcomes.removeAll() }
    return outcomes
  }

  // MARK: records

  /// Puts a message into the batch.
  func stage(_ draft: Draft, _ facts: MessageFacts) {
    do throws(SpoolError) {
      // What comes after a part that is missing must not be taken for the message.
      if let failure = draft.failure { throw failure }
      var header = RecordHeader(
        .message, sequence: 0, batch: 0, octets: UInt32(clamping: facts.octets), time: facts.time,
        names: facts.recipients)
      header.needsUTF8 = facts.needsUTF8
      if draft.large != nil {
        try finish(draft)
        guard let large = draft.large, let length = UInt32(exactly: large.length) else { throw .full }
        header.kind = .large
        header.length = length
        header.crc = large.crc.value
        header.extra = UInt64(large.number)
      } else {
        header.length = UInt32(clamping: draft.content.count)
        var crc = CRC32C()
        crc.add(draft.content)
        header.crc = crc.value
      }
      let body = draft.large == nil ? draft.content : []
      let (offset, lineLength) = try stage(&header, body, isMail: true)
      let segment = draft.large?.number ?? active?.number ?? 0
      staged.append(
        .message(
          draft, facts,
          Placement(
            sequence: header.sequence, segment: segment, offset: UInt32(clamping: offset),
            lineLength: draft.large == nil ? lineLength : 0, length: header.length)))
    } catch {
      discard(draft)
      outcomes.append(.refused(draft, error))
    }
  }

  /// Puts deletions or restorations into the batch.
  func stage(_ facts: ControlFacts) {
    let pieces = facts.set.pieces(limit: Log.controlBody)
    var done = 0
    do throws(SpoolError) {
      for body in pieces {
        var crc = CRC32C()
        crc.add(body)
        var header = RecordHeader(
          facts.kind, sequence: 0, batch: 0, length: UInt32(clamping: body.count), time: facts.time,
          crc: crc.value, extra: facts.purges ? 1 : 0, names: [facts.maildrop])
        _ = try stage(&header, body, isMail: false)
        done += 1
        staged.append(.control(facts, isLast: done == pieces.count))
      }
      if pieces.isEmpty { outcomes.append(.controlled(facts, nil)) }
    } catch {
      outcomes.append(.controlled(facts, error))
    }
  }

  private func stage(
    _ header: inout RecordHeader, _ body: Bytes, isMail: Bool
  ) throws(SpoolError) -> (offset: Int64, lineLength: Int) {
    let size = Int64(body.count) + Int64(header.names.reduce(160) { $0 + $1.count + 1 })
    if let open = active?.tail, open + Int64(buffer.count) + size > Limits.segment, open + Int64(buffer.count) > 256 {
      flush()
      closeSegment()
    }
    if buffer.count > Log.writeSize { flush() }
    if active == nil { try openSegment() }
    guard let tail = active?.tail else { throw .failed(.io) }
    let offset = tail + Int64(buffer.count)
    try makeRoom(upTo: offset + size, isMail: isMail)
    lastSequence += 1
    header.sequence = lastSequence
    header.batch = lastSequence - UInt64(staged.count)
    let start = buffer.count
    header.append(to: &buffer, key: key)
    let lineLength = buffer.count - start
    buffer += body
    return (offset, lineLength)
  }

  /// Sees to it that blocks are set aside up to `end`. On a full disk mail is refused while deletions go on.
  private func makeRoom(upTo end: Int64, isMail: Bool) throws(SpoolError) {
    guard allocates, let number = active?.file.number, let allocated = active?.allocated else { return }
    if end <= allocated - (isMail && isFull ? Log.reserve : 0) { return }
    for step in [Log.allocation, Log.smallAllocation] {
      let wanted = max(step, end - allocated + (isMail ? Log.reserve : 0))
      do throws(Errno) {
        try files.allocate(number, at: allocated, count: wanted)
        active?.allocated = allocated + wanted
        isFull = false
        return
      } catch {
        if !error.isDiskFull {
          // Not every file system can; there a write is what finds out.
          allocates = false
          return
        }
      }
    }
    isFull = true
    if isMail { throw .full }
  }

  /// Writes and flushes the batch, and answers for every record in it.
  func flush() {
    guard !staged.isEmpty, let number = active?.number, let file = active?.file.number, let tail = active?.tail
    else { return }
    let first = lastSequence - UInt64(staged.count)
    do throws(Errno) {
      try files.writeAll(file, buffer.span, at: tail)
      prepareAhead(of: tail + Int64(buffer.count))
    } catch {
      fail(SpoolError(error), .writeFailed(error))
      // What did get written must not be taken for mail later.
      do throws(Errno) {
        if tail == 0 { throw .io }
        try files.truncate(file, to: tail)
        try files.flush(file)
        active?.prepared = tail
        lastSequence = first
      } catch {
        closeSegment()
      }
      return
    }
    do throws(Errno) {
      try files.flush(file)
    } catch {
      // The kernel may have dropped the octets and forgotten: a second flush would prove nothing.
      fail(SpoolError(error), .flushFailed(segment: number, error))
      closeSegment()
      return
    }
    active?.tail = tail + Int64(buffer.count)
    previous = (number, tail + Int64(buffer.count))
    buffer.removeAll(keepingCapacity: buffer.capacity <= 2 * Log.writeSize)
    for record in staged {
      switch record {
      case .message(let draft, let facts, let placement):
        if draft.large != nil { unfinished.removeAll { $0 == placement.segment } }
        outcomes.append(.stored(draft, facts, placement))
      case .control(let facts, let isLast):
        if isLast { outcomes.append(.controlled(facts, nil)) }
      }
    }
    staged.removeAll()
  }

  private func fail(_ error: SpoolError, _ event: SpoolEvent) {
    for record in staged {
      switch record {
      case .message(let draft, _, _):
        discard(draft)
        outcomes.append(.refused(draft, error))
      case .control(let facts, let isLast):
        if isLast { outcomes.append(.controlled(facts, error)) }
      }
    }
    staged.removeAll()
    buffer.removeAll()
    outcomes.append(.noticed(event))
  }

  /// The place up to which everything is on disk.
  var position: (segment: UInt32, offset: Int64, sequence: UInt64) { (previous.number, previous.end, lastSequence) }

  // MARK: segments

  private func openSegment() throws(SpoolError) {
    let number = nextNumber
    do throws(Errno) {
      nextNumber += 1
      let file = try files.open(place.segment(number), [.read, .write, .create, .exclusive])
      try files.flushDirectory(place.log)
      active = Active(number: number, file: file, tail: 0, prepared: 0, allocated: 0)
    } catch {
      try? files.remove(place.segment(number))
      outcomes.append(.noticed(.writeFailed(error)))
      throw SpoolError(error)
    }
    let header = RecordHeader(
      .segment, sequence: lastSequence, batch: lastSequence + 1, octets: UInt32(clamping: previous.end), time: 0,
      extra: UInt64(previous.number))
    header.append(to: &buffer, key: key)
  }

  /// Ends the segment where its last flushed record ends. The next one's first record says so, too.
  private func closeSegment() {
    guard let file = active?.file.number, let tail = active?.tail, let number = active?.number else { return }
    if tail == 0 {
      // It never got its first record: as if it had not been begun.
      try? files.remove(place.segment(number))
    } else {
      // Flushed so that what a failed batch left there does not come back; should that fail too, the next segment's
      // first record still says where this one ends.
      try? files.truncate(file, to: tail)
      try? files.flush(file)
      previous = (number, tail)
    }
    active = nil
  }

  /// Has the next record begin a new segment.
  func endSegment() {
    flush()
    closeSegment()
    outcomes.append(.segmentEnded)
  }

  /// Writes zeros behind a small batch, so that the next ones find blocks that are already written.
  private func prepareAhead(of end: Int64) {
    guard let file = active?.file.number, let prepared = active?.prepared else { return }
    if end <= prepared { return }
    active?.prepared = end
    guard buffer.count < Log.smallBatch, !isFull, let allocated = active?.allocated else { return }
    let target = min((end + Log.ahead) & ~4095, allocated)
    guard target > end else { return }
    let zeros = Bytes(repeating: 0, count: Int(target - end))
    do throws(Errno) {
      try files.writeAll(file, zeros.span, at: end)
      active?.prepared = target
    } catch {
      // Only a saving is lost.
    }
  }

  // MARK: large messages

  /// Writes what a draft has collected to a file of its own.
  func offload(_ draft: Draft) {
    if draft.failure != nil {
      // That was told when it happened.
      discard(draft)
      draft.content.removeAll(keepingCapacity: true)
      outcomes.append(.offloaded(draft, nil))
      return
    }
    do throws(SpoolError) {
      try write(draft)
      outcomes.append(.offloaded(draft, nil))
    } catch {
      discard(draft)
      draft.failure = error
      draft.content.removeAll(keepingCapacity: true)
      outcomes.append(.offloaded(draft, error))
    }
  }

  private func write(_ draft: Draft) throws(SpoolError) {
    do throws(Errno) {
      if draft.large == nil {
        let number = nextNumber
        nextNumber += 1
        let file = try files.open(place.large(number), [.read, .write, .create, .exclusive])
        draft.large = LargeMessage(number: number, file: file)
        unfinished.append(number)
      }
      guard let large = draft.large else { return }
      var content = Bytes()
      swap(&content, &draft.content)
      defer { swap(&content, &draft.content) }
      try files.writeAll(large.file.number, content.span, at: large.length)
      files.startWriteback(large.file.number, at: large.length, count: Int64(content.count))
      large.crc.add(content)
      large.length += Int64(content.count)
      content.removeAll(keepingCapacity: true)
    } catch {
      outcomes.append(.noticed(.writeFailed(error)))
      throw SpoolError(error)
    }
  }

  /// Flushes a large message's file, so that a record may name it.
  private func finish(_ draft: Draft) throws(SpoolError) {
    try write(draft)
    draft.content = Bytes()
    guard let large = draft.large else { return }
    do throws(Errno) {
      try files.flush(large.file.number)
      try files.flushDirectory(place.log)
    } catch {
      outcomes.append(.noticed(.flushFailed(segment: large.number, error)))
      throw SpoolError(error)
    }
  }

  /// Forgets a draft; its file goes.
  func discard(_ draft: Draft) {
    guard let large = draft.large else { return }
    try? files.remove(place.large(large.number))
    unfinished.removeAll { $0 == large.number }
    draft.large = nil
  }
}
