import System
import Wire

/// Reads what the last run left behind. The log alone decides: indexes and checkpoint only save reading it all.
struct Recovery {
  let place: SpoolFiles
  let files: Files
  let identity: SpoolIdentity
  let report: (SpoolEvent) -> Void
  /// Called before each segment is read: which it is of how many.
  var progress: (Int, Int) -> Void = { _, _ in }

  /// What was found.
  struct Result {
    var maildrops: [Bytes: Maildrop] = [:]
    var end = LogEnd()
    /// Records that were read again.
    var replayed = 0
  }

  /// The file of a large message that was read of.
  private struct Content {
    var number: UInt32
    var sequence: UInt64
    var names: [Bytes]
  }

  /// Octets that one batch and the zeros written behind it can have at the most.
  static let longestTail: Int64 = 2 * 1024 * 1024

  func run() throws(SpoolError) -> Result {
    var result = Result()
    let numbers: (segments: [UInt32], large: [UInt32])
    do throws(Errno) { numbers = try place.numbers(files) } catch { throw SpoolError(error) }
    let checkpoint = Checkpoint.load(place, files)
    var rebuild: [Bytes] = []
    if let checkpoint {
      for known in checkpoint.maildrops {
        if let maildrop = open(known.name, upTo: checkpoint.sequence), maildrop.count == known.count {
          result.maildrops[known.name] = maildrop
        } else {
          result.maildrops[known.name] = try make(known.name)
          rebuild.append(known.name)
        }
      }
      result.end.sequence = checkpoint.sequence
      result.end.nextNumber = checkpoint.nextNumber
    }
    result.end.nextNumber = max(
      result.end.nextNumber, (numbers.segments.last ?? 0) + 1, (numbers.large.last ?? 0) + 1)

    let bounds = Recovery.bounds(numbers.segments, place, files, identity)
    var referenced: [Content] = []
    for (index, segment) in numbers.segments.enumerated() {
      progress(index + 1, numbers.segments.count)
      var from: Int64 = 0
      if let checkpoint, rebuild.isEmpty {
        if segment < checkpoint.segment { continue }
        if segment == checkpoint.segment { from = checkpoint.offset }
      }
      let isLast = segment == numbers.segments.last
      do throws(Errno) {
        try replay(
          segment, from: from, limit: bounds[UInt64(segment)].map { Int64($0) }, isLast: isLast, checkpoint, rebuild,
          &result, &referenced)
      } catch {
        report(.unreadable(segment: segment, error))
      }
    }
    removeUnfinished(numbers.large, from: checkpoint?.nextNumber ?? 0, referenced)
    reportMissing(referenced, numbers.large, result)
    if checkpoint == nil {
      if result.end.sequence > 0 { report(.checkpointLost) }
    } else {
      for name in rebuild { report(.indexRebuilt(name)) }
    }
    return result
  }

  private func open(_ name: Bytes, upTo sequence: UInt64) -> Maildrop? {
    try? Maildrop(name, at: place.index(name), identity, files, upTo: sequence)
  }

  private func make(_ name: Bytes) throws(SpoolError) -> Maildrop {
    let maildrop = try Maildrop(name, at: place.index(name), identity, files, upTo: nil)
    maildrop.isDirty = true
    return maildrop
  }

  /// Where each segment ends, as the first record of the one after it says.
  static func bounds(
    _ segments: [UInt32], _ place: SpoolFiles, _ files: Files, _ identity: SpoolIdentity
  ) -> [UInt64: Int] {
    var bounds: [UInt64: Int] = [:]
    for segment in segments {
      guard var scanner = try? SegmentScanner(place.segment(segment), files, key: identity.key),
        let item = try? scanner.next(), case .record(let header, _, _) = item, header.kind == .segment,
        let before = UInt32(exactly: header.extra)
      else { continue }
      bounds[UInt64(before)] = Int(clamping: header.octets)
    }
    return bounds
  }

  private func replay(
    _ segment: UInt32, from: Int64, limit: Int64?, isLast: Bool, _ checkpoint: Checkpoint?, _ rebuild: [Bytes],
    _ result: inout Result, _ referenced: inout [Content]
  ) throws(Errno) {
    var scanner = try SegmentScanner(place.segment(segment), files, key: identity.key, from: from, limit: limit)
    var isDamaged = false
    while true {
      let item = try scanner.next()
      switch item {
      case .end(let offset, let torn):
        if isLast { try cut(segment, at: offset, torn: torn, size: scanner.limit, keeps: isDamaged, &result) }
        if !isLast && torn {
          report(.damaged(segment: segment, offset: offset, octets: scanner.limit - offset))
        }
        return
      case .damage(let offset, let count, _):
        // What follows was flushed together with what is missing: nobody was promised either.
        if isLast, try !hasLaterBatch(&scanner, than: result.end.sequence &+ 1) {
          try cut(segment, at: offset, torn: true, size: scanner.limit, keeps: isDamaged, &result)
          return
        }
        report(.damaged(segment: segment, offset: offset, octets: count))
        isDamaged = true
      case .record(let header, let offset, let lineLength):
        if isLast && header.kind != .large && header.length > 0 {
          let sum = try scanner.sum(at: offset + Int64(lineLength), count: Int64(header.length))
          if sum != header.crc && header.kind != .gap {
            if try hasLaterBatch(&scanner, than: header.sequence) {
              // A later batch was begun, so this one had been flushed: the card has lost it since.
              let octets = header.extent(lineLength: lineLength)
              report(.damaged(segment: segment, offset: offset, octets: octets))
              isDamaged = true
              continue
            }
            try cut(segment, at: offset, torn: true, size: scanner.limit, keeps: isDamaged, &result)
            return
          }
        }
        let isKnown = header.sequence <= checkpoint?.sequence ?? 0
        try apply(
          header, segment, offset, lineLength, &scanner, only: isKnown ? rebuild : nil, &result, &referenced)
        if !isKnown && header.kind != .segment { result.replayed += 1 }
        result.end.sequence = max(result.end.sequence, header.sequence)
      }
    }
  }

  /// Whether one of the records to come was flushed after those of the batch that begins with `sequence`: that is how a
  /// torn tail is told from damage. Not the next alone: what is damaged may be followed by more of its own batch.
  private func hasLaterBatch(_ scanner: inout SegmentScanner, than sequence: UInt64) throws(Errno) -> Bool {
    let position = scanner.position
    defer { scanner.seek(position) }
    while true {
      switch try scanner.next() {
      case .end: return false
      case .damage: continue
      case .record(let header, _, _): if header.batch > sequence { return true }
      }
    }
  }

  /// Takes one record into the indexes: of all its maildrops, or only those in `only`.
  private func apply(
    _ header: RecordHeader, _ segment: UInt32, _ offset: Int64, _ lineLength: Int, _ scanner: inout SegmentScanner,
    only: [Bytes]?, _ result: inout Result, _ referenced: inout [Content]
  ) throws(Errno) {
    switch header.kind {
    case .segment, .gap: return
    case .message, .large:
      let isLarge = header.kind == .large
      let number = isLarge ? UInt32(truncatingIfNeeded: header.extra) : segment
      if isLarge { referenced.append(Content(number: number, sequence: header.sequence, names: header.names)) }
      let entry = Entry(
        sequence: header.sequence, offset: isLarge ? 0 : UInt32(clamping: offset), segment: number,
        length: header.length, octets: header.octets, time: UInt32(clamping: header.time),
        needsUTF8: header.needsUTF8, lineLength: isLarge ? 0 : UInt16(clamping: lineLength))
      for name in header.names where only?.contains(name) ?? true {
        if let known = result.maildrops[name] {
          known.add(entry)
        } else if let made = try? make(name) {
          result.maildrops[name] = made
          made.add(entry)
        } else {
          report(.indexBroken(name))
        }
      }
    case .deletion, .restoration:
      let body = try scanner.octets(at: offset + Int64(lineLength), count: Int(header.length))
      guard let set = SequenceSet(body.span) else { return }
      for name in header.names where only?.contains(name) ?? true {
        guard let maildrop = result.maildrops[name] else { continue }
        do throws(SpoolError) {
          try maildrop.apply(header.kind, set, at: header.time, purges: header.extra == 1)
        } catch {
          report(.indexBroken(name))
        }
      }
    }
  }

  /// Ends the last segment at `offset`; what stands behind it was never acknowledged. With `keeps` it stays there all the
  /// same, and the log goes on in another segment: a later batch, even half of one, is what shows the next start too that
  /// damage before it was no torn tail.
  private func cut(
    _ segment: UInt32, at offset: Int64, torn: Bool, size: Int64, keeps: Bool, _ result: inout Result
  ) throws(Errno) {
    result.end.segment = segment
    result.end.offset = offset
    if torn && size - offset > Recovery.longestTail {
      // No batch is that long: this was mail. It stays as it is, and the log goes on in another segment.
      report(.damaged(segment: segment, offset: offset, octets: size - offset))
      return
    }
    if torn { report(.tornTail(segment: segment, offset: offset, octets: size - offset)) }
    if torn && keeps { return }
    if offset == 0 {
      // Not even its first record was written: it never was a segment.
      try files.remove(place.segment(segment))
      return
    }
    let file = try files.open(place.segment(segment), [.read, .write])
    let length = try files.status(of: file.number).size
    if length < offset {
      // The checkpoint knows of more: its end is gone. Written over, what is left of the mail there would change.
      report(.damaged(segment: segment, offset: length, octets: offset - length))
      return
    }
    if length > offset {
      try files.truncate(file.number, to: offset)
      try files.flush(file.number)
    }
    result.end.canContinue = true
  }

  private func removeUnfinished(_ large: [UInt32], from first: UInt32, _ referenced: [Content]) {
    var removed = 0
    for number in large where number >= first && !referenced.contains(where: { $0.number == number }) {
      if (try? files.remove(place.large(number))) != nil { removed += 1 }
    }
    if removed > 0 { report(.unfinishedRemoved(removed)) }
  }
}

extension Recovery {
  /// A maildrop as the log has it up to a place where it is known to be whole.
  func rebuild(
    _ name: Bytes, upTo end: (segment: UInt32, offset: Int64, sequence: UInt64)
  ) throws(SpoolError) -> Maildrop {
    var result = Result()
    // Another file of that name: open snapshots read from the old one.
    try? files.remove(place.index(name))
    result.maildrops[name] = try make(name)
    do throws(Errno) {
      let segments = try place.numbers(files).segments.filter { $0 <= end.segment }
      let bounds = Recovery.bounds(segments, place, files, identity)
      var referenced: [Content] = []
      for segment in segments {
        let limit = segment == end.segment ? end.offset : bounds[UInt64(segment)].map { Int64($0) }
        var scanner = try SegmentScanner(place.segment(segment), files, key: identity.key, limit: limit)
        reading: while true {
          switch try scanner.next() {
          case .end: break reading
          case .damage: continue
          case .record(let header, let offset, let lineLength):
            try apply(header, segment, offset, lineLength, &scanner, only: [name], &result, &referenced)
          }
        }
      }
    } catch {
      throw SpoolError(error)
    }
    guard let maildrop = result.maildrops[name], !maildrop.isBroken else { throw .damaged }
    return maildrop
  }

  /// Names the large messages that somebody should be able to read and that have lost their files.
  private func reportMissing(_ referenced: [Content], _ large: [UInt32], _ result: Result) {
    for content in referenced where !large.contains(content.number) {
      let isLive = content.names.contains { name in
        guard let entry = try? result.maildrops[name]?.entry(of: content.sequence) else { return false }
        return entry.state == .live
      }
      if isLive { report(.contentMissing(sequence: content.sequence, file: content.number)) }
    }
  }
}

extension Maildrop {
  /// Applies a deletion or a restoration. Doing it twice is the same as once. What a deletion `purges` cannot be restored.
  func apply(_ kind: RecordKind, _ set: SequenceSet, at time: Int64, purges: Bool) throws(SpoolError) {
    try mark(set) { entry in
      var changed = entry
      switch (kind, entry.state) {
      case (.deletion, .live):
        changed.state = .deleted
        changed.deletedAt = UInt32(clamping: time)
      case (.restoration, .deleted):
        changed.state = .live
        changed.deletedAt = 0
      case (.deletion, .deleted): if !purges { return nil }
      default: return nil
      }
      if purges { changed.state = .purged }
      return changed
    }
  }
}
