import System
import Wire

/// A connection's TLS: its session, and what that has taken from us and the kernel not yet from it.
final class SecureChannel {
  let session: TLSSession
  private(set) var isEstablished = false
  /// A record that could not be written; it must be offered again, unchanged, before anything else.
  private var owed = Bytes()
  /// Whether all that came was received but what may be the beginning of a record.
  private var isDrained = false
  /// Whether the handshake waits for room in the kernel, and not for the peer.
  private(set) var wantsWrite = false

  init(_ session: consuming TLSSession) { self.session = session }

  /// Whether something waits to be sent that nobody else knows of.
  var owes: Bool { !owed.isEmpty || wantsWrite }

  /// Whether there may be something to receive that the poll does not tell of.
  var hasPending: Bool { !isDrained && session.hasPending }

  /// Goes on with the handshake; true when it is done.
  func handshake() throws(TLSFailure) -> Bool {
    wantsWrite = false
    do throws(TLSFailure) {
      try session.handshake()
      isEstablished = true
      return true
    } catch {
      switch error {
      case .wantsRead: return false
      case .wantsWrite:
        wantsWrite = true
        return false
      case .broken, .failed: throw error
      }
    }
  }

  /// Reads what fits; 0 when the peer has sent its last, nil when nothing has come.
  func receive(into buffer: inout Bytes, at start: Int) throws(TLSFailure) -> Int? {
    do throws(TLSFailure) {
      let count = try session.receive(into: &buffer, at: start)
      isDrained = count < buffer.count - start
      return count
    } catch {
      isDrained = true
      switch error {
      case .wantsRead, .wantsWrite: return nil
      case .broken, .failed: throw error
      }
    }
  }

  /// Sends as much as the kernel takes; returns how many octets are taken. Of those up to a record may be owed. With
  /// `more`, others follow at once.
  func send(_ octets: Span<UInt8>, more: Bool) throws(TLSFailure) -> Int {
    guard try settle() else { return 0 }
    var taken = 0
    while taken < octets.count {
      let piece = octets.extracting(taken..<min(octets.count, taken + Limits.tlsRecord))
      do throws(TLSFailure) {
        taken += try session.send(piece, more: more || taken + piece.count < octets.count)
      } catch {
        switch error {
        case .wantsRead, .wantsWrite:
          owed = Bytes(piece)
          return taken + piece.count
        case .broken, .failed: throw error
        }
      }
    }
    return taken
  }

  /// Sends what is owed; true when nothing is.
  func settle() throws(TLSFailure) -> Bool {
    let record = owed
    guard !record.isEmpty else { return true }
    do throws(TLSFailure) {
      _ = try session.send(record.span, more: false)
      owed = []
      return true
    } catch {
      switch error {
      case .wantsRead, .wantsWrite: return false
      case .broken, .failed: throw error
      }
    }
  }
}
