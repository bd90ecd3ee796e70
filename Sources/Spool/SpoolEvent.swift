import System
import Wire

/// What the spool has to tell a technician.
public enum SpoolEvent: Sendable {
  case recovered(messages: Int, replayed: Int, milliseconds: Int64)
  case tornTail(segment: UInt32, offset: Int64, octets: Int64)
  case damaged(segment: UInt32, offset: Int64, octets: Int64)
  case unreadable(segment: UInt32, Errno)
  case contentMissing(sequence: UInt64, file: UInt32)
  case indexRebuilt(Bytes)
  case indexBroken(Bytes)
  case checkpointLost
  case unfinishedRemoved(Int)
  case writeFailed(Errno)
  case flushFailed(segment: UInt32, Errno)
  case checkpointFailed(Errno)
  case diskLow(available: Int64, total: Int64)
  case diskWell(available: Int64)
  case swept(octets: Int64)
  case expired(Bytes, messages: Int)

  /// As it stands in the journal: what happened, what it means for the mail, what to do. Each MESSAGE_ID has its entry
  /// in systemd/restante.catalog.
  public var event: JournalEvent {
    var event: JournalEvent
    switch self {
    case .recovered(let messages, let replayed, let milliseconds):
      event = JournalEvent(
        """
        6 ed8d8f47178840ea932b58d019cd90e1 spool ready: {MESSAGES} messages waiting, {RECORDS} records replayed, in \
        {MILLISECONDS} ms
        """)
      event.add(messages)
      event.add(replayed)
      event.add(milliseconds)
    case .tornTail(let segment, let offset, let octets):
      event = JournalEvent(
        """
        5 6c298fac0c9e4df1ba9e867758c0ab4d the last write before the power went was not complete: {OCTETS} octets cut \
        from segment {SEGMENT} at offset {OFFSET}; no message that was acknowledged is concerned
        """)
      event.add(octets)
      event.add(segment)
      event.add(offset)
    case .damaged(let segment, let offset, let octets):
      event = JournalEvent(
        """
        3 0a7ef89445094bc9a9528f995278b172 segment {SEGMENT} is damaged at offset {OFFSET}, {OCTETS} octets; \
        everything else is served. Run 'restante check --repair', and think of a new card
        """)
      event.add(segment)
      event.add(offset)
      event.add(octets)
    case .unreadable(let segment, let error):
      event = JournalEvent(
        """
        3 8c8b13e4fa954d34a19472ac80451b3e segment {SEGMENT} cannot be read ({REASON}); everything else is served. Run \
        'restante check', and think of a new card
        """)
      event.add(segment)
      event.add(error)
    case .contentMissing(let sequence, let file):
      event = JournalEvent(
        """
        3 d1b7b0bbcbb24da5b652a362574da549 message {SEQUENCE} has lost its file {FILE}.msg in the log; it cannot be \
        fetched
        """)
      event.add(sequence)
      event.add(file)
    case .indexRebuilt(let name):
      event = JournalEvent(
        """
        5 6230575e88e849d3be9c0c89034beb04 the index of maildrop {MAILDROP} was missing or damaged and has been \
        rebuilt from the log
        """)
      event.add(name)
    case .indexBroken(let name):
      event = JournalEvent(
        """
        3 629c04117f474aef8f613e6327f375f1 the index of maildrop {MAILDROP} cannot be written or read; its owner is \
        told to try again later. It is rebuilt within a minute, if the disk lets it be
        """)
      event.add(name)
    case .checkpointLost:
      event = JournalEvent(
        """
        5 125584eef9e044b89fc41fde71528bfb the checkpoint was missing or damaged; all indexes have been rebuilt from \
        the log
        """)
    case .unfinishedRemoved(let count):
      event = JournalEvent(
        "5 88ec8395fd534754bfb19b7ffb808ae7 removed {MESSAGES} large messages that had not been received in full")
      event.add(count)
    case .writeFailed(let error):
      event = JournalEvent(
        """
        3 737156cfe59245cb84b146420c3ffae2 writing to the spool failed ({REASON}); senders were told to try again \
        later
        """)
      event.add(error)
    case .flushFailed(let segment, let error):
      event = JournalEvent(
        """
        3 dea73de0eb424e07a156264f05e7ed17 flushing segment {SEGMENT} failed ({REASON}); senders were told to try \
        again later, a new segment is begun. Think of a new card
        """)
      event.add(segment)
      event.add(error)
    case .checkpointFailed(let error):
      event = JournalEvent(
        """
        4 4df80bf277a04849bd2618d50aafa22f the indexes could not be flushed ({REASON}); the next start reads more of \
        the log
        """)
      event.add(error)
    case .diskLow(let available, let total):
      event = JournalEvent(
        """
        4 3b663869a00b40cda372e8f035e1ac75 disk low: {AVAILABLE_MIB} of {TOTAL_MIB} MiB left; new mail is answered 452 \
        until mail is fetched and deleted
        """)
      event.add(available / 1_048_576)
      event.add(total / 1_048_576)
    case .diskWell(let available):
      event = JournalEvent(
        "5 3bb36b50e90a4a62bfb9cedd504b80a6 disk well again: {AVAILABLE_MIB} MiB left; new mail is accepted")
      event.add(available / 1_048_576)
    case .swept(let octets):
      event = JournalEvent(
        "6 5e436993462c49978902576a97e7269f swept: {OCTETS} octets of deleted mail given back to the disk")
      event.add(octets)
    case .expired(let name, let messages):
      event = JournalEvent(
        """
        6 16a57a25060345f6aa7e1c5599edd4e3 expired: {MAILDROP} messages={MESSAGES}, older than ExpireAfter=, are \
        deleted
        """)
      event.add(name)
      event.add(messages)
    }
    return event
  }
}
