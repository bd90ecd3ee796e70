import System
import Wire

/// What `Spool.collect` hands back: the answer to something asked for earlier.
public enum Completion {
  /// What the draft had collected is written out; go on receiving, or give up.
  case offloaded(Draft, SpoolError?)
  /// The message is on disk: say 250.
  case stored(Draft, sequence: UInt64)
  /// It is not, and will not be: say 4xx.
  case refused(Draft, SpoolError)
  /// Deletions or restorations are on disk, or not.
  case updated(tag: UInt64, SpoolError?)
}

/// The mail: one append-only log, an index for each maildrop. The event loop alone calls it; writing and flushing is
/// the committer's, whose answers come by `collect`.
public final class Spool {
  let place: SpoolFiles
  let files: Files
  let identity: SpoolIdentity
  let committer: Committer
  let store: MessageStore
  let report: (SpoolEvent) -> Void
  /// Holds the kernel's lock on the spool for as long as it lives.
  private let held: Descriptor
  private let awake: WakeUp

  public var options: SpoolOptions
  var maildrops: [Bytes: Maildrop]
  let sweeper = Sweeper()

  /// Everything up to here is on disk and in the indexes.
  var published: (segment: UInt32, offset: Int64, sequence: UInt64)
  /// Counts what was published, so that a snapshot knows what it cannot see.
  var epoch: UInt64 = 1
  /// Octets the log has grown since the last checkpoint, and whether one is being written.
  private var uncheckpointed: Int64 = 0
  private var isCheckpointing = false
  private var doubtsIndexes = false
  /// When a broken index was last rebuilt, or tried to be.
  private var rebuilt: Int64 = .min

  /// Octets of all drafts in memory.
  private var inMemory = 0

  /// What the last probe came to, until somebody takes it.
  var health: Health?

  // Room on the disk, as last looked at.
  private(set) var isLow = false
  private var available: Int64 = .max
  private var total: Int64 = 0
  private var lookedAt: Int64 = .min
  /// What was refused for want of room, and until when room is made for it: its sender comes again.
  private var wanted: (octets: Int64, until: Int64) = (0, .min)
  private static let wantedFor: Int64 = 60

  /// Opens the spool in `directory`, making it where there is none; nobody else may have it open (`.held`). That may
  /// take long after a power cut: `progress` is told which segment is read now, of how many.
  public init(
    _ directory: Path, files: Files = Files(), options: SpoolOptions = SpoolOptions(), now: Int64,
    progress: @escaping (Int, Int) -> Void = { _, _ in }, report: @escaping (SpoolEvent) -> Void
  ) throws(SpoolError) {
    let began = Clock.monotonic
    place = SpoolFiles(directory)
    self.files = files
    self.options = options
    self.report = report
    do throws(Errno) {
      try files.ensureDirectory(directory)
      held = try files.open(directory, [.read, .directory])
      try files.lock(held.number, wait: false)
      try files.ensureDirectory(place.log)
      try files.ensureDirectory(place.indexes)
      awake = try WakeUp()
    } catch {
      throw error == .again ? .held : SpoolError(error)
    }
    identity = try SpoolIdentity.load(place, files)
    let found = try Recovery(place: place, files: files, identity: identity, report: report, progress: progress).run()
    maildrops = found.maildrops
    let log = Log(place, files, key: identity.key, found.end)
    published = log.position
    store = MessageStore(place, files, key: identity.key, report: report)
    committer = Committer(place, files, log, awake)
    do throws(Errno) { try committer.start() } catch { throw SpoolError(error) }
    // What had to be read again need not be read once more.
    if maildrops.values.contains(where: { $0.isDirty }) { uncheckpointed = Limits.checkpoint }
    let messages = maildrops.values.reduce(0) { $0 + $1.usage.messages }
    report(.recovered(messages: messages, replayed: found.replayed, milliseconds: Clock.monotonic - began))
    _ = look(now)
  }

  /// Half of every UIDL.
  public var uidPrefix: Bytes { identity.prefix }

  /// Readable when `collect` has something.
  public var wakeUp: Int32 { awake.descriptor }

  // MARK: receiving

  /// A message begins.
  public func begin(tag: UInt64) -> Draft { Draft(tag: tag) }

  /// Whether the draft has collected enough to be written out. Ask after each addition.
  public func shouldOffload(_ draft: Draft) -> Bool {
    let size = draft.content.count
    inMemory += size - draft.reserved
    draft.reserved = size
    if size >= Limits.messageInMemory { return true }
    // Small messages too, once all together need too much. A file for a few octets would help nobody.
    return inMemory > Limits.messagesInMemory && size >= 4096
  }

  /// Writes out what the draft has collected; `.offloaded` answers.
  public func offload(_ draft: Draft) {
    reserveRoom(draft)
    draft.isBusy = true
    committer.submit(.offload(draft))
  }

  /// Makes the message part of the log; `.stored` or `.refused` answers.
  public func commit(_ draft: Draft, recipients: [Bytes], octets: Int, utf8: Bool, now: Int64) {
    reserveRoom(draft)
    draft.isBusy = true
    committer.submit(
      .message(draft, MessageFacts(recipients: recipients, octets: octets, needsUTF8: utf8, time: now)))
  }

  /// Forgets the draft. No answer comes, and none that is on its way matters.
  public func abandon(_ draft: Draft) {
    release(draft)
    committer.submit(.abandon(draft))
  }

  /// Takes what the draft has collected off the room that is left; a draft for which there is none will be refused.
  private func reserveRoom(_ draft: Draft) {
    if draft.failure != nil { return }
    if hasRoom(for: draft.content.count) {
      available -= Int64(draft.content.count)
      return
    }
    draft.failure = .full
    if !isLow { report(.diskLow(available: available, total: total)) }
    isLow = true
  }

  private func release(_ draft: Draft) {
    inMemory -= draft.reserved
    draft.reserved = 0
  }

  /// Calls `body` with every answer that has come. Never waits.
  public func collect(_ body: (Completion) -> Void) {
    let (outcomes, position) = committer.collect()
    for outcome in outcomes {
      switch outcome {
      case .offloaded(let draft, let error):
        draft.isBusy = false
        if error == nil { _ = shouldOffload(draft) } else { release(draft) }
        body(.offloaded(draft, error))
      case .stored(let draft, let facts, let placement):
        publish(facts, placement)
        release(draft)
        draft.isBusy = false
        body(.stored(draft, sequence: placement.sequence))
      case .refused(let draft, let error):
        release(draft)
        draft.isBusy = false
        body(.refused(draft, error))
      case .controlled(let facts, let error):
        let result = error ?? apply(facts)
        if let tag = facts.tag { body(.updated(tag: tag, result)) } else { sweeper.answered(facts, result, self) }
      case .checkpointed(let error):
        isCheckpointing = false
        if let error {
          // The kernel may have dropped what was to be flushed: the next start shall not believe the indexes.
          doubtsIndexes = true
          report(.checkpointFailed(error))
        }
      case .reclaimed(let job, let error):
        sweeper.reclaimed(job, error, self)
      case .probed(let found):
        health = found
      case .segmentEnded:
        sweeper.segmentEnded()
      case .noticed(let event):
        report(event)
      }
    }
    if position.segment == published.segment {
      uncheckpointed += position.offset - published.offset
    } else {
      uncheckpointed += position.offset
    }
    published = position
  }

  private func publish(_ facts: MessageFacts, _ placement: Placement) {
    epoch += 1
    let entry = Entry(
      sequence: placement.sequence, offset: placement.offset, segment: placement.segment, length: placement.length,
      octets: UInt32(clamping: facts.octets), time: UInt32(clamping: facts.time), needsUTF8: facts.needsUTF8,
      lineLength: UInt16(clamping: placement.lineLength))
    for name in facts.recipients {
      guard let maildrop = try? maildrop(name) else { continue }
      maildrop.add(entry)
      if maildrop.isBroken { report(.indexBroken(name)) }
    }
  }

  private func apply(_ facts: ControlFacts) -> SpoolError? {
    epoch += 1
    guard let maildrop = maildrops[facts.maildrop] else { return nil }
    do throws(SpoolError) {
      try maildrop.apply(facts.kind, facts.set, at: facts.time, purges: facts.purges)
      if facts.purges { sweeper.wake() }
      return nil
    } catch {
      report(.indexBroken(facts.maildrop))
      return error
    }
  }

  // MARK: reading

  /// The maildrop of that name; one that has never had mail begins empty.
  private func maildrop(_ name: Bytes) throws(SpoolError) -> Maildrop {
    if let known = maildrops[name] { return known }
    let made = try Maildrop(name, at: place.index(name), identity, files, upTo: nil)
    made.isDirty = true
    maildrops[name] = made
    return made
  }

  /// The maildrop as it is now.
  public func open(_ name: Bytes) throws(SpoolError) -> Snapshot {
    let maildrop = try maildrop(name)
    if maildrop.isBroken { throw .damaged }
    return Snapshot(maildrop, epoch: epoch, store: store)
  }

  /// How much mail a maildrop holds.
  public func usage(_ name: Bytes) -> Usage { maildrops[name]?.usage ?? Usage() }

  /// The maildrops that have ever had mail, but for those of the device's own: their names begin with an underscore, as
  /// no account's does.
  public var names: [Bytes] { maildrops.keys.filter { $0.first != 0x5F } }

  // MARK: deleting and restoring

  /// Deletes messages `numbers` (sorted) of a snapshot; `.updated` answers.
  public func delete(_ numbers: [Int], of snapshot: Snapshot, tag: UInt64, now: Int64) throws(SpoolError) {
    let set = try snapshot.sequences(numbers)
    committer.submit(
      .control(ControlFacts(kind: .deletion, maildrop: snapshot.name, set: set, time: now, tag: tag)))
  }

  public func delete(sequences: [UInt64], of maildrop: Bytes, tag: UInt64, now: Int64) {
    committer.submit(
      .control(
        ControlFacts(kind: .deletion, maildrop: maildrop, set: SequenceSet(sequences), time: now, tag: tag)))
  }

  /// Brings deleted messages back; those whose octets are gone stay gone. `.updated` answers.
  public func restore(sequences: [UInt64], of maildrop: Bytes, tag: UInt64, now: Int64) {
    // What can no longer be restored must not be named in the log: a replay would not know that it cannot.
    let sequences = sequences.filter { sequence in
      guard let entry = try? maildrops[maildrop]?.entry(of: sequence) else { return false }
      return entry.state == .deleted
    }
    committer.submit(
      .control(
        ControlFacts(kind: .restoration, maildrop: maildrop, set: SequenceSet(sequences), time: now, tag: tag)))
  }

  /// Deletes messages so that they cannot be restored: the sweeper gives their octets back when it comes by. Those that
  /// were deleted before go with them. `.updated` answers.
  public func discard(sequences: [UInt64], of maildrop: Bytes, tag: UInt64, now: Int64) {
    committer.submit(
      .control(
        ControlFacts(
          kind: .deletion, maildrop: maildrop, set: SequenceSet(sequences), time: now, purges: true, tag: tag)))
  }

  // MARK: copying

  /// While somebody copies the log: nothing of it is given back.
  public private(set) var holds = 0

  /// The sweeper rests until `letGo` was called as often.
  public func hold() { holds += 1 }
  public func letGo() { holds -= 1 }

  // MARK: room and time

  /// Whether new mail is taken: more than `keepFreePercent` of the disk is free.
  public var hasRoom: Bool { !isLow }

  /// Whether there is room for a message of `octets` besides.
  public func hasRoom(for octets: Int) -> Bool {
    if isLow { return false }
    // Much is worth a look of its own: others write to this disk, too.
    if octets < Limits.messageInMemory && available - Int64(octets) > floor { return true }
    // Since the last look everything that came was taken off, also what went into blocks set aside before.
    _ = look(lookedAt)
    if !isLow && available - Int64(octets) > floor { return true }
    wanted = (Int64(octets), lookedAt + Spool.wantedFor)
    return false
  }

  /// Octets that must stay free.
  private var floor: Int64 { total / 100 * Int64(options.keepFreePercent) }

  /// Looks how full the disk is. Returns whether that is any different.
  private func look(_ now: Int64) -> Bool {
    lookedAt = now
    guard let space = try? files.space(place.root) else { return false }
    (total, available) = (space.total, space.available)
    // A little more than the floor is needed to be well again, so that it does not go to and fro.
    let low = isLow ? available < floor + total / 200 : available < floor
    defer { isLow = low }
    if low && !isLow { report(.diskLow(available: available, total: total)) }
    if !low && isLow { report(.diskWell(available: available)) }
    return low != isLow
  }

  /// What time brings: looks at the disk, deletes what has expired, gives room back, writes checkpoints; in small
  /// steps. Call it about once a second while there is traffic, and every minute else; at once again if it says so.
  public func tick(now: Int64) -> Bool {
    if now != lookedAt { _ = look(now) }
    if uncheckpointed >= Limits.checkpoint && !isCheckpointing { checkpoint(compacting: true) }
    rebuildBroken(now)
    return holds == 0 && sweeper.step(self, now: now)
  }

  /// Rebuilds an index that could not be written or read, at most one a minute: it takes reading the log.
  private func rebuildBroken(_ now: Int64) {
    guard rebuilt == .min || rebuilt > now || now - rebuilt >= Spool.rebuildInterval,
      let broken = maildrops.values.first(where: { $0.isBroken })
    else { return }
    rebuilt = now
    let recovery = Recovery(place: place, files: files, identity: identity, report: report)
    do throws(SpoolError) {
      broken.adopt(try recovery.rebuild(broken.name, upTo: published))
      report(.indexRebuilt(broken.name))
    } catch {
      report(.indexBroken(broken.name))
    }
  }

  private static let rebuildInterval: Int64 = 60

  /// Whether a sweep is under way that waits for the committer.
  public var isSweeping: Bool { sweeper.isBusy || isCheckpointing }

  /// Whether deleted mail goes before its time.
  var needsRoom: Bool { isLow || lookedAt < wanted.until && available - wanted.octets <= floor }

  private func checkpoint(compacting: Bool) {
    isCheckpointing = true
    uncheckpointed = 0
    var indexes: [IndexFile] = []
    var renames: [(from: Path, to: Path)] = []
    for (name, maildrop) in maildrops {
      if compacting && maildrop.wantsCompaction {
        let fresh = place.indexes.appending(name).adding(suffix: "~")
        if (try? maildrop.compact(at: fresh, identity, files)) != nil { renames.append((fresh, place.index(name))) }
      }
      if maildrop.isDirty { indexes.append(maildrop.index) }
      if (try? maildrop.index.writeOut()) == nil { maildrop.isBroken = true }
      // What waits for room keeps it dirty.
      maildrop.isDirty = !maildrop.index.isComplete
    }
    let checkpoint = Checkpoint(
      segment: published.segment, offset: published.offset, sequence: published.sequence, nextNumber: 0,
      // An index that does not tell the truth must not be believed at the next start: its count is wrong on purpose.
      maildrops: maildrops.values.map {
        ($0.name, doubtsIndexes || $0.isBroken || !$0.index.isComplete ? $0.count + 1 : $0.count)
      })
    committer.submit(.checkpoint(CheckpointFacts(checkpoint, indexes: indexes, renames: renames)))
  }

  /// Finishes what was asked for, flushes the indexes and lets go of the spool. Waits for the disk.
  public func close() {
    collect { _ in }
    if maildrops.values.contains(where: { $0.isDirty }) || uncheckpointed > 0 {
      // One that is on its way may still have to rename an index; another compaction must not touch it.
      checkpoint(compacting: !isCheckpointing)
    }
    committer.stop()
    collect { _ in }
  }
}
