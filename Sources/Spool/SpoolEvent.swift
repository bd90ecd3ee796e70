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

  /// The severity of syslog(3): 3 error, 4 warning, 5 notice, 6 information.
  public var severity: Int {
    switch self {
    case .recovered, .swept, .expired: 6
    case .tornTail, .indexRebuilt, .checkpointLost, .unfinishedRemoved, .diskWell: 5
    case .diskLow, .checkpointFailed: 4
    case .damaged, .unreadable, .contentMissing, .indexBroken, .writeFailed, .flushFailed: 3
    }
  }

  /// What happened, what it means for the mail, what to do.
  public func describe(into text: inout Bytes) {
    switch self {
    case .recovered(let messages, let replayed, let milliseconds):
      text += "spool ready: "
      text.append(decimal: messages)
      text += " messages waiting, "
      text.append(decimal: replayed)
      text += " records replayed, in "
      text.append(decimal: Int(milliseconds))
      text += " ms"
    case .tornTail(let segment, let offset, let octets):
      text += "the last write before the power went was not complete: "
      text.append(decimal: Int(octets))
      text += " octets cut from segment "
      text.append(decimal: Int(segment))
      text += " at offset "
      text.append(decimal: Int(offset))
      text += "; no message that was acknowledged is concerned"
    case .damaged(let segment, let offset, let octets):
      text += "segment "
      text.append(decimal: Int(segment))
      text += " is damaged at offset "
      text.append(decimal: Int(offset))
      text += ", "
      text.append(decimal: Int(octets))
      text += " octets; everything else is served. Run 'restante check --repair', and think of a new card"
    case .unreadable(let segment, let error):
      text += "segment "
      text.append(decimal: Int(segment))
      text += " cannot be read ("
      text += error.text
      text += "); everything else is served. Run 'restante check', and think of a new card"
    case .contentMissing(let sequence, let file):
      text += "message "
      text.append(decimal: sequence)
      text += " has lost its file "
      text.append(decimal: Int(file))
      text += ".msg in the log; it cannot be fetched"
    case .indexRebuilt(let name):
      text += "the index of maildrop "
      text += name
      text += " was missing or damaged and has been rebuilt from the log"
    case .indexBroken(let name):
      text += "the index of maildrop "
      text += name
      text += " cannot be written or read; its owner is told to try again later. It is rebuilt within a minute, if the"
      text += " disk lets it be"
    case .checkpointLost:
      text += "the checkpoint was missing or damaged; all indexes have been rebuilt from the log"
    case .unfinishedRemoved(let count):
      text += "removed "
      text.append(decimal: count)
      text += " large messages that had not been received in full"
    case .writeFailed(let error):
      text += "writing to the spool failed ("
      text += error.text
      text += "); senders were told to try again later"
    case .flushFailed(let segment, let error):
      text += "flushing segment "
      text.append(decimal: Int(segment))
      text += " failed ("
      text += error.text
      text += "); senders were told to try again later, a new segment is begun. Think of a new card"
    case .checkpointFailed(let error):
      text += "the indexes could not be flushed ("
      text += error.text
      text += "); the next start reads more of the log"
    case .diskLow(let available, let total):
      text += "disk low: "
      text.append(decimal: Int(available / 1_048_576))
      text += " of "
      text.append(decimal: Int(total / 1_048_576))
      text += " MiB left; new mail is answered 452 until mail is fetched and deleted"
    case .diskWell(let available):
      text += "disk well again: "
      text.append(decimal: Int(available / 1_048_576))
      text += " MiB left; new mail is accepted"
    case .swept(let octets):
      text += "gave back "
      text.append(decimal: Int(octets / 1024))
      text += " KiB of deleted mail"
    case .expired(let name, let messages):
      text += "deleted "
      text.append(decimal: messages)
      text += " messages of maildrop "
      text += name
      text += " that were older than ExpireAfter="
    }
  }
}
