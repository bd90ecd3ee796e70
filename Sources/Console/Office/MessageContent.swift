import Spool
import System
import Wire

/// A stored message read piece by piece.
struct MessageContent {
  private let message: StoredMessage
  private let entry: Entry
  private let name: Bytes
  private var position: Int64 = 0

  /// Opens message `entry` of the maildrop `name`.
  init(_ entry: Entry, _ reader: MaildropReader, _ name: Bytes) throws(Failure) {
    self.entry = entry
    self.name = name
    do throws(SpoolError) {
      message = try reader.open(entry)
    } catch {
      throw MessageContent.failure(entry, name, error)
    }
  }

  /// Puts the next piece, in wire format, in the place of `chunk`; false at the end.
  mutating func next(_ chunk: inout Bytes) throws(Failure) -> Bool {
    chunk.removeAll(keepingCapacity: true)
    guard position < message.count else { return false }
    do throws(SpoolError) {
      let got = try message.read(into: &chunk, count: 64 * 1024, at: position)
      if got == 0 { throw .damaged }
      position += Int64(got)
    } catch {
      throw MessageContent.failure(entry, name, error)
    }
    return true
  }

  private static func failure(_ entry: Entry, _ name: Bytes, _ error: SpoolError) -> Failure {
    var doing = Bytes("cannot read message ")
    doing.append(decimal: entry.sequence)
    doing += " of "
    doing += name
    return Failure(doing, error)
  }
}
