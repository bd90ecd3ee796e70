import System
import Wire

/// How much mail a maildrop holds.
public struct Usage: Equatable, Sendable {
  /// Messages to be read, and their octets as POP3 counts them.
  public var messages = 0
  public var octets: Int64 = 0
  /// Deleted messages that can be restored, and their octets.
  public var deletedMessages = 0
  public var deletedOctets: Int64 = 0
}

/// One maildrop as the daemon knows it: its index, and of each entry only whether a reader may see it.
final class Maildrop {
  let name: Bytes
  private(set) var index: IndexFile
  private(set) var usage = Usage()
  /// Entries that a new session does not see.
  private(set) var hidden = Bitmap()
  /// Entries that wait for their records to be given back, and those that a compaction would drop.
  private(set) var purged = 0
  private(set) var reclaimed = 0
  private(set) var lastSequence: UInt64 = 0
  /// Received earliest of those that may expire; only ever too early, never too late.
  var oldestLive: UInt32 = .max
  /// Deleted earliest of those that can be restored; the same.
  var oldestDeleted: UInt32 = .max
  /// The index differs from what the last checkpoint knows.
  var isDirty = false
  /// The index could not be written: it does not tell the truth until it is rebuilt from the log.
  var isBroken = false
  /// When each of the open snapshots began, by the spool's count of publications.
  var openEpochs: [UInt64] = []

  /// A maildrop whose index is read, or made where there is none yet.
  init(
    _ name: Bytes, at path: Path, _ identity: SpoolIdentity, _ files: Files, upTo last: UInt64?
  ) throws(SpoolError) {
    self.name = name
    guard let last else {
      do throws(Errno) { index = try IndexFile.make(path, identity, name, files) } catch { throw SpoolError(error) }
      return
    }
    var usage = Usage()
    var hidden = Bitmap()
    var purged = 0
    var reclaimed = 0
    var row = 0
    var lastSequence: UInt64 = 0
    var oldestLive = UInt32.max
    var oldestDeleted = UInt32.max
    index = try IndexFile.open(path, identity, name, files, upTo: last) { entry in
      usage.count(entry, 1)
      if entry.state != .live { hidden.set(row, true) }
      switch entry.state {
      case .live: oldestLive = min(oldestLive, entry.time)
      case .deleted: oldestDeleted = min(oldestDeleted, entry.deletedAt)
      case .purged: purged += 1
      case .reclaimed: reclaimed += 1
      }
      lastSequence = entry.sequence
      row += 1
    }
    self.usage = usage
    self.hidden = hidden
    self.purged = purged
    self.reclaimed = reclaimed
    self.lastSequence = lastSequence
    self.oldestLive = oldestLive
    self.oldestDeleted = oldestDeleted
  }

  /// Adds a message that is on disk. One that is there already stays as it is: replaying changes nothing.
  func add(_ entry: Entry) {
    guard entry.sequence > lastSequence else { return }
    do throws(Errno) {
      try index.append(entry)
    } catch {
      isBroken = true
      return
    }
    lastSequence = entry.sequence
    usage.count(entry, 1)
    oldestLive = min(oldestLive, entry.time)
    isDirty = true
  }

  /// Changes the state of every entry in `set` for which `change` says so.
  func mark(_ set: SequenceSet, _ change: (Entry) -> Entry?) throws(SpoolError) {
    for range in set.ranges {
      try update(from: try index.position(of: range.lowerBound)) { entry in
        range.contains(entry.sequence) ? .some(change(entry)) : nil
      }
    }
  }

  /// Walks the entries from `first` on: `change` returns nil to stop, `.some(nil)` to leave an entry, or its new form.
  func update(from first: Int, _ change: (Entry) -> Entry??) throws(SpoolError) {
    do throws(SpoolError) {
      try index.update(from: first) { row, entry in
        guard let answer = change(entry) else { return .stop }
        guard let fresh = answer, fresh != entry else { return .keep }
        usage.count(entry, -1)
        usage.count(fresh, 1)
        hidden.set(row, fresh.state != .live)
        purged += (fresh.state == .purged ? 1 : 0) - (entry.state == .purged ? 1 : 0)
        reclaimed += (fresh.state == .reclaimed ? 1 : 0) - (entry.state == .reclaimed ? 1 : 0)
        if fresh.state == .live { oldestLive = min(oldestLive, fresh.time) }
        if fresh.state == .deleted { oldestDeleted = min(oldestDeleted, fresh.deletedAt) }
        isDirty = true
        entry = fresh
        return .write
      }
    } catch {
      isBroken = true
      throw error
    }
  }

  /// The entry of `sequence`, nil if the index has none.
  func entry(of sequence: UInt64) throws(SpoolError) -> Entry? {
    let position = try index.position(of: sequence)
    guard position < index.count else { return nil }
    let entry = try index.entry(position)
    return entry.sequence == sequence ? entry : nil
  }

  /// Goes on with what another reading of the log has found. Open snapshots keep what they have.
  func adopt(_ fresh: Maildrop) {
    index = fresh.index
    usage = fresh.usage
    hidden = fresh.hidden
    purged = fresh.purged
    reclaimed = fresh.reclaimed
    lastSequence = fresh.lastSequence
    oldestLive = fresh.oldestLive
    oldestDeleted = fresh.oldestDeleted
    isDirty = true
    isBroken = false
  }

  /// Whether most of the index is of no use any more.
  var wantsCompaction: Bool { reclaimed > 256 && reclaimed * 2 > count && !isBroken }

  /// Entries in the index.
  var count: Int { index.count }

  /// Writes an index without the reclaimed entries to `path` and goes on with that one.
  func compact(at path: Path, _ identity: SpoolIdentity, _ files: Files) throws(SpoolError) {
    do throws(Errno) {
      let fresh = try IndexFile.make(path, identity, name, files)
      var bits = Bitmap()
      var row = 0
      while row < index.count {
        var raw = Bytes()
        let got = try index.read(row, count: 100, into: &raw)
        if got == 0 { throw .io }
        for place in 0..<got {
          guard let entry = Entry(raw, at: place * Entry.size) else { throw .io }
          if entry.state == .reclaimed { continue }
          if entry.state != .live { bits.set(fresh.count, true) }
          try fresh.append(entry)
        }
        row += got
      }
      if !fresh.isComplete { throw .noSpace }
      index = fresh
      hidden = bits
      reclaimed = 0
      isDirty = true
    } catch {
      throw SpoolError(error)
    }
  }

  /// Whether every open snapshot began after the publication numbered `epoch`.
  func isUnseen(since epoch: UInt64) -> Bool { !openEpochs.contains { $0 <= epoch } }
}

extension Usage {
  mutating func count(_ entry: Entry, _ sign: Int) {
    switch entry.state {
    case .live:
      messages += sign
      octets += Int64(sign) * Int64(entry.octets)
    case .deleted:
      deletedMessages += sign
      deletedOctets += Int64(sign) * Int64(entry.octets)
    case .purged, .reclaimed: break
    }
  }
}
