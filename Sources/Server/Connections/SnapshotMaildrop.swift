import POP3
import Spool
import Wire

/// A spool's snapshot as the POP3 session sees it.
struct SnapshotMaildrop: POP3.Maildrop {
  let snapshot: Snapshot
  let uidPrefix: Bytes

  var count: Int { snapshot.count }
  var octets: Int { Int(clamping: snapshot.octets) }

  func visit(
    from first: Int, _ body: (_ number: Int, _ octets: Int, _ uid: UInt64) -> Bool
  ) throws(MaildropError) {
    do throws(SpoolError) { try snapshot.visit(from: first, body) } catch { throw Self.error(error) }
  }

  func open(_ number: Int) throws(MaildropError) -> Opened<StoredMessage> {
    do throws(SpoolError) {
      let message = try snapshot.open(number)
      return Opened(content: message, octets: message.octets, needsUTF8: message.needsUTF8)
    } catch { throw Self.error(error) }
  }

  private static func error(_ error: SpoolError) -> MaildropError { error == .gone ? .gone : .temporary }
}
