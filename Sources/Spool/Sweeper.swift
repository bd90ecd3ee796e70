import System
import Wire

/// Gives room back: deletes what has expired, lets go of deleted mail whose time has passed, or sooner when the disk
/// needs the room, oldest first; then finds the records that no maildrop needs and has their blocks given back.
///
/// An entry goes from live to deleted to purged to reclaimed. It is purged when it can no longer be restored, and
/// reclaimed only once its record is gone from the disk; until then the record that deleted it stays, so that a
/// rebuilt index never brings it back.
final class Sweeper {
  private enum Phase {
    case resting
    /// Going through the segments still to be looked at; the last one is next.
    case segments([UInt32])
    /// The committer is giving room back, or ending a segment.
    case waiting([UInt32])
  }

  private var phase = Phase.resting
  private var scanner: SegmentScanner?
  private var job = Reclamation(segment: 0)
  private var isAllDead = true
  private var run: (offset: Int64, length: Int64, sequence: UInt64, counts: Bool)?
  /// Snapshots as old as this may still read what was purged in this round.
  private var purgedAt: UInt64 = 0
  /// The last segment nothing will be added to, though the log has not gone on to the next.
  private var endedThrough: UInt32 = 0
  /// Seconds deleted mail is kept now: less than the configuration says while the disk needs room.
  private var retention: Int64?
  private var rested: Int64 = .min
  private var expiring: [(maildrop: Bytes, messages: Int)] = []

  /// Seconds between rounds while there is room enough.
  private static let interval: Int64 = 600
  /// Records looked at in one step.
  private static let stride = 256

  /// A round is under way.
  var isBusy: Bool {
    if case .resting = phase { return !expiring.isEmpty }
    return true
  }

  /// The committer is giving room back at this moment.
  var isReclaiming: Bool { if case .waiting = phase { true } else { false } }

  /// Has the next round begin soon.
  func wake() { rested = .min }

  /// Does a little; returns whether there is more to do at once.
  func step(_ spool: Spool, now: Int64) -> Bool {
    switch phase {
    case .waiting: return false
    case .resting: return begin(spool, now)
    case .segments(let left):
      scan(spool, left)
      if case .segments = phase { return true }
      return false
    }
  }

  private func begin(_ spool: Spool, _ now: Int64) -> Bool {
    let isDue = rested == .min || rested > now || now - rested >= Sweeper.interval
    guard spool.needsRoom || isDue else { return false }
    rested = now
    let isClockSet = now >= SpoolOptions.clockUnset
    var keep = spool.options.keepDeleted
    if spool.needsRoom {
      // Oldest first: halve the time until somebody has something that old.
      keep = min(retention ?? keep, keep)
      while keep > 0, !spool.maildrops.values.contains(where: { $0.isDue(now, keep: keep) }) { keep /= 2 }
      retention = keep / 2
    } else {
      retention = nil
    }
    var purged = 0
    for maildrop in spool.maildrops.values where !maildrop.isBroken {
      let expires = isClockSet && spool.options.expireAfter.map { Int64(maildrop.oldestLive) <= now - $0 } ?? false
      if (isClockSet || spool.needsRoom) && maildrop.isDue(now, keep: keep) || expires {
        purge(maildrop, spool, now, keep: keep)
      }
      purged += maildrop.purged
    }
    guard purged > 0, let numbers = try? spool.place.numbers(spool.files) else { return false }
    purgedAt = spool.epoch
    let open = spool.published.segment
    if spool.needsRoom && open > endedThrough {
      endedThrough = open
      phase = .waiting(numbers.segments.filter { $0 <= open }.reversed())
      spool.committer.submit(.endSegment)
      return false
    }
    phase = .segments(numbers.segments.filter { $0 < open || $0 <= endedThrough }.reversed())
    return true
  }

  /// Purges what was deleted long enough ago, and finds what has expired.
  private func purge(_ maildrop: Maildrop, _ spool: Spool, _ now: Int64, keep: Int64) {
    var expired: [UInt64] = []
    let stamp = UInt32(clamping: now)
    maildrop.oldestLive = .max
    maildrop.oldestDeleted = .max
    do throws(SpoolError) {
      try maildrop.update(from: 0) { entry in
        var changed = entry
        // What came or went before the clock was set has the age it has from now on.
        let isClockSet = now >= SpoolOptions.clockUnset
        if isClockSet && entry.time < SpoolOptions.clockUnset { changed.time = stamp }
        switch entry.state {
        case .live:
          if isClockSet, let limit = spool.options.expireAfter, Int64(changed.time) <= now - limit {
            expired.append(entry.sequence)
          }
          maildrop.oldestLive = min(maildrop.oldestLive, changed.time)
        case .deleted:
          if isClockSet && entry.deletedAt < SpoolOptions.clockUnset { changed.deletedAt = stamp }
          if Int64(changed.deletedAt) <= now - keep {
            changed.state = .purged
          } else {
            maildrop.oldestDeleted = min(maildrop.oldestDeleted, changed.deletedAt)
          }
        case .purged, .reclaimed: break
        }
        return .some(changed == entry ? nil : changed)
      }
    } catch {
      spool.report(.indexBroken(maildrop.name))
      return
    }
    guard !expired.isEmpty else { return }
    expiring.append((maildrop.name, expired.count))
    spool.committer.submit(
      .control(
        ControlFacts(
          kind: .deletion, maildrop: maildrop.name, set: SequenceSet(expired), time: now, tag: nil)))
  }

  /// A deletion of expired mail is on disk, or not.
  func answered(_ facts: ControlFacts, _ error: SpoolError?, _ spool: Spool) {
    guard let at = expiring.firstIndex(where: { $0.maildrop == facts.maildrop }) else { return }
    let done = expiring.remove(at: at)
    if error == nil { spool.report(.expired(done.maildrop, messages: done.messages)) }
  }

  // MARK: segments

  private func scan(_ spool: Spool, _ left: [UInt32]) {
    guard let segment = left.last else {
      phase = .resting
      return
    }
    if scanner == nil {
      scanner = try? SegmentScanner(spool.place.segment(segment), spool.files, key: spool.identity.key)
      job = Reclamation(segment: segment)
      isAllDead = true
      run = nil
    }
    for _ in 0..<Sweeper.stride {
      guard let item = try? scanner?.next() else { return skip(left) }
      switch item {
      case .damage: return skip(left)
      case .end(_, let torn):
        if torn { return skip(left) }
        return finish(spool, left)
      case .record(let header, let offset, let lineLength):
        let extent = header.extent(lineLength: lineLength)
        if isDead(header, offset + Int64(lineLength), spool) {
          let counts = header.kind != .gap
          if let open = run {
            run = (open.offset, open.length + extent, open.sequence, open.counts || counts)
          } else {
            run = (offset, extent, header.sequence, counts)
          }
          if counts { note(header, spool) }
        } else if header.kind != .segment {
          isAllDead = false
          endRun()
        }
      }
    }
  }

  /// Leaves a segment that cannot be read through as it is.
  private func skip(_ left: [UInt32]) {
    scanner = nil
    phase = .segments(Array(left.dropLast()))
  }

  private func endRun() {
    guard let open = run else { return }
    run = nil
    if open.counts { job.runs.append(.init(offset: open.offset, length: open.length, sequence: open.sequence)) }
  }

  /// Remembers what becomes reclaimed with a dead record.
  private func note(_ header: RecordHeader, _ spool: Spool) {
    guard header.kind == .message || header.kind == .large else { return }
    var isFresh = false
    for name in header.names {
      guard let entry = try? spool.maildrops[name]?.entry(of: header.sequence), entry.state == .purged else { continue }
      job.entries.append((name, header.sequence))
      isFresh = true
    }
    if isFresh { job.octets += Int64(header.length) }
    if header.kind == .large, isFresh, let number = UInt32(exactly: header.extra) { job.large.append(number) }
  }

  private func finish(_ spool: Spool, _ left: [UInt32]) {
    endRun()
    scanner = nil
    job.whole = isAllDead
    if job.whole || !job.runs.isEmpty {
      phase = .waiting(Array(left.dropLast()))
      spool.committer.submit(.reclaim(job))
    } else {
      phase = .segments(Array(left.dropLast()))
    }
  }

  /// Whether nobody needs the record any more.
  private func isDead(_ header: RecordHeader, _ body: Int64, _ spool: Spool) -> Bool {
    switch header.kind {
    case .segment: return false
    case .gap: return true
    case .message, .large:
      for name in header.names {
        guard let maildrop = spool.maildrops[name], !maildrop.isBroken else { return false }
        guard let entry = try? maildrop.entry(of: header.sequence) else { return false }
        switch entry.state {
        case .live, .deleted: return false
        case .purged: if !maildrop.isUnseen(since: purgedAt) { return false }
        case .reclaimed: break
        }
      }
      return true
    case .deletion, .restoration:
      guard let octets = try? scanner?.octets(at: body, count: Int(header.length)),
        let set = SequenceSet(octets.span)
      else { return false }
      for name in header.names {
        guard let maildrop = spool.maildrops[name], !maildrop.isBroken else { return false }
        guard let isNeeded = try? maildrop.holds(set), !isNeeded else { return false }
      }
      return true
    }
  }

  /// The committer has given room back, or could not.
  func reclaimed(_ done: Reclamation, _ error: Errno?, _ spool: Spool) {
    if case .waiting(let left) = phase { phase = .segments(left) }
    if let error {
      spool.report(.writeFailed(error))
      return
    }
    spool.store.forget(done.segment)
    for entry in done.entries {
      guard let maildrop = spool.maildrops[entry.maildrop] else { continue }
      do throws(SpoolError) {
        try maildrop.mark(SequenceSet([entry.sequence])) { entry in
          var changed = entry
          changed.state = .reclaimed
          return changed
        }
      } catch {
        spool.report(.indexBroken(entry.maildrop))
      }
    }
    if done.octets > 0 { spool.report(.swept(octets: done.octets)) }
  }

  /// The committer has ended the segment it was writing to.
  func segmentEnded() {
    if case .waiting(let left) = phase { phase = .segments(left) }
  }
}

extension Maildrop {
  /// Whether something was deleted more than `keep` seconds ago, or before the clock was set.
  func isDue(_ now: Int64, keep: Int64) -> Bool {
    usage.deletedMessages > 0 && Int64(oldestDeleted) <= now - keep
  }

  /// Whether an entry within `set` still has its record on disk.
  func holds(_ set: SequenceSet) throws(SpoolError) -> Bool {
    for range in set.ranges {
      var row = try index.position(of: range.lowerBound)
      while row < index.count {
        let entry = try index.entry(row)
        if entry.sequence > range.upperBound { break }
        if entry.state != .reclaimed { return true }
        row += 1
      }
    }
    return false
  }
}
