import Spool
import System
import Wire

// How octets go in and out, in the clear and under TLS. Whatever fails here loses the connection.
extension Server {
  /// Reads what the peer has sent, at most what fits; returns how many octets.
  func receive(_ connection: Connection, _ buffer: inout Bytes, at start: Int) -> Int {
    if let channel = connection.channel {
      do throws(TLSFailure) {
        guard let count = try channel.receive(into: &buffer, at: start) else { return 0 }
        if count == 0 { connection.flags.insert(.inputEnded) }
        return count
      } catch {
        lose(connection, error)
        return 0
      }
    }
    do throws(Errno) {
      let count = try Sockets.receive(connection.socket.number, into: &buffer, at: start)
      if count == 0 { connection.flags.insert(.inputEnded) }
      return count
    } catch {
      if error != .again && error != .interrupted { connection.flags.insert(.lost) }
      return 0
    }
  }

  /// Sends some of `octets`; returns how many were taken. With `more`, others follow at once.
  func send(_ connection: Connection, _ octets: Span<UInt8>, more: Bool) -> Int {
    if connection.flags.contains(.lost) { return 0 }
    var count = 0
    if let channel = connection.channel, !channel.session.isKernel {
      // In the clear nothing is said any more, and under TLS nothing yet.
      guard channel.isEstablished else { return octets.count }
      do throws(TLSFailure) { count = try channel.send(octets, more: more) } catch { lose(connection, error) }
    } else {
      do throws(Errno) {
        count = try Sockets.send(connection.socket.number, octets, more: more)
      } catch {
        if error != .again && error != .interrupted { connection.flags.insert(.lost) }
      }
    }
    connection.moved += Int64(count)
    return count
  }

  /// Sends what TLS has taken and the kernel not yet; true when nothing of it is left.
  func settleOwed(_ connection: Connection) -> Bool {
    guard let channel = connection.channel, channel.owes, channel.isEstablished else { return true }
    do throws(TLSFailure) {
      return try channel.settle()
    } catch {
      lose(connection, error)
      return false
    }
  }

  /// Sends the next octets of a message, at most `wanted`; returns how many, fewer when the kernel's buffer is full.
  /// Throws when the file cannot be read.
  func send(_ connection: Connection, _ transfer: Transfer, _ wanted: Int) throws(SpoolError) -> Int {
    let (offset, left) = transfer.next
    if let channel = connection.channel, !channel.session.isKernel {
      var sent = 0
      while sent < wanted, !connection.flags.contains(.lost), !channel.owes {
        scratch.removeAll(keepingCapacity: true)
        let piece = min(wanted - sent, Limits.tlsRecord)
        guard try transfer.message.read(into: &scratch, count: piece, at: transfer.position + Int64(sent)) == piece
        else { throw .damaged }
        sent += send(connection, scratch.span, more: Int64(sent + piece) < left)
      }
      return sent
    }
    do throws(Errno) {
      let count = try Sockets.sendFile(
        connection.socket.number, transfer.message.descriptor, at: offset, count: wanted)
      if count == 0 { throw .io }
      connection.moved += Int64(count)
      return count
    } catch {
      if error == .again || error == .interrupted { return 0 }
      if error == .io { throw .failed(error) }
      connection.flags.insert(.lost)
      return 0
    }
  }

  private func lose(_ connection: Connection, _ failure: TLSFailure) {
    connection.flags.insert(.lost)
    if case .broken(let why) = failure {
      record(.tlsFailed(connection.service, why: why, peer: connection.peer))
    }
  }
}
