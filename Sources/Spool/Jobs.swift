import System
import Wire

/// What the event loop asks of the committer.
enum Job: @unchecked Sendable {
  /// Write out what a draft has collected.
  case offload(Draft)
  /// Make a message part of the log.
  case message(Draft, MessageFacts)
  /// Forget a draft; its file, if it has one, goes.
  case abandon(Draft)
  /// Make deletions or restorations part of the log.
  case control(ControlFacts)
  /// Flush indexes, then say so in the checkpoint.
  case checkpoint(CheckpointFacts)
  /// Give back the room of records that are no longer needed.
  case reclaim(Reclamation)
  /// Add nothing more to the current segment.
  case endSegment
  /// Answer; and with `true`, see whether the disk keeps what it is given.
  case probe(Bool)
  case stop

  /// Whether it adds a record, for which a flush may wait.
  var isRecord: Bool {
    switch self {
    case .message, .control: true
    case .offload, .abandon, .checkpoint, .reclaim, .endSegment, .probe, .stop: false
    }
  }
}

/// What the committer answers.
enum Outcome: @unchecked Sendable {
  case offloaded(Draft, SpoolError?)
  /// The message is on disk at a place.
  case stored(Draft, MessageFacts, Placement)
  case refused(Draft, SpoolError)
  case controlled(ControlFacts, SpoolError?)
  case checkpointed(Errno?)
  case reclaimed(Reclamation, Errno?)
  case segmentEnded
  case probed(Spool.Health)
  /// Something for the journal.
  case noticed(SpoolEvent)
}

struct MessageFacts: Sendable {
  var recipients: [Bytes]
  var octets: Int
  var needsUTF8: Bool
  var time: Int64
}

/// Where a message was put.
struct Placement: Sendable {
  var sequence: UInt64
  /// The segment, or the number of the message's own file.
  var segment: UInt32
  var offset: UInt32
  /// Octets of the line; 0 for a message with a file of its own.
  var lineLength: Int
  var length: UInt32
}

struct ControlFacts: Sendable {
  var kind: RecordKind
  var maildrop: Bytes
  var set: SequenceSet
  var time: Int64
  /// What is deleted cannot be restored.
  var purges = false
  /// The caller's mark; nil when nobody waits.
  var tag: UInt64?
}

/// The indexes to flush, and those that take another's place.
final class CheckpointFacts: @unchecked Sendable {
  var checkpoint: Checkpoint
  let indexes: [IndexFile]
  let renames: [(from: Path, to: Path)]

  init(_ checkpoint: Checkpoint, indexes: [IndexFile], renames: [(from: Path, to: Path)]) {
    self.checkpoint = checkpoint
    self.indexes = indexes
    self.renames = renames
  }
}

/// Records of one segment that nobody needs any more.
struct Reclamation: Sendable {
  struct Run: Sendable {
    var offset: Int64
    var length: Int64
    /// The sequence number of its first record.
    var sequence: UInt64
  }

  var segment: UInt32
  /// Nothing of the segment is needed: it is unlinked instead.
  var whole = false
  var runs: [Run] = []
  /// Files of large messages to unlink first.
  var large: [UInt32] = []
  /// Index entries that are reclaimed by it.
  var entries: [(maildrop: Bytes, sequence: UInt64)] = []
  /// Octets given back, roughly.
  var octets: Int64 = 0
}
