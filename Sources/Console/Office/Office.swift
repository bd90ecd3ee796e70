import Spool
import System
import Wire

/// Who changes the spool: the server when one runs, otherwise this process. The kernel's lock on the spool sees to it
/// that it is never both.
enum Office {
  case daemon(ControlClient)
  case direct(DirectSpool)

  init(_ site: Site) throws(Failure) {
    if let client = try ControlClient.connect(site.state) {
      self = .daemon(client)
    } else {
      self = .direct(try DirectSpool(site))
    }
  }

  /// Stores a message in the maildrop `name`, as if it had come at `time`. It is on the disk when `settle` returns.
  func deliver(_ parcel: Parcel, to name: Bytes, octets: Int, time: Int64) throws(Failure) {
    switch self {
    case .daemon(let client): try client.deliver(parcel, to: name, time: time)
    case .direct(let spool): try spool.deliver(parcel, to: name, octets: octets, time: time)
    }
  }

  /// Waits until what was delivered is on the disk.
  func settle() throws(Failure) {
    if case .direct(let spool) = self { try spool.settle() }
  }

  /// How many messages were delivered and are on the disk.
  var stored: Int {
    switch self {
    case .daemon(let client): client.stored
    case .direct(let spool): spool.stored
    }
  }

  /// Deletes messages; returns when that is on the disk.
  func delete(_ sequences: [UInt64], of name: Bytes) throws(Failure) {
    switch self {
    case .daemon(let client): try Office.ask(client, "DELETE ", sequences, name)
    case .direct(let spool): try spool.delete(sequences, of: name)
    }
  }

  /// Deletes messages so that they cannot be restored; returns when that is on the disk.
  func discard(_ sequences: [UInt64], of name: Bytes) throws(Failure) {
    switch self {
    case .daemon(let client): try Office.ask(client, "DISCARD ", sequences, name)
    case .direct(let spool): try spool.discard(sequences, of: name)
    }
  }

  /// Brings deleted messages back; returns when that is on the disk.
  func restore(_ sequences: [UInt64], of name: Bytes) throws(Failure) {
    switch self {
    case .daemon(let client): try Office.ask(client, "RESTORE ", sequences, name)
    case .direct(let spool): try spool.restore(sequences, of: name)
    }
  }

  private static func ask(
    _ client: ControlClient, _ verb: StaticString, _ sequences: [UInt64], _ name: Bytes
  ) throws(Failure) {
    for line in Sequences.lines(
      sequences, limit: ControlClient.requestLength, most: ControlClient.requestMessages)
    {
      var request = Bytes(verb)
      request += name
      request += " "
      request += line
      _ = try client.request(request)
    }
  }

  /// Lets go of the spool; what was changed is on the disk already.
  func close() {
    if case .direct(let spool) = self { spool.close() }
  }
}
