import System
import Wire

// How connections go.
extension Server {
  /// The peer was too slow.
  func timeOut(_ connection: Connection) {
    reply.removeAll(keepingCapacity: true)
    let awaited: StaticString
    switch connection.patience.awaited {
    case .ourselves: return
    case .end: return remove(connection)
    case .handshake: awaited = "no TLS handshake in time"
    case .login: awaited = "no login in time"
    case .command: awaited = "no complete command in time"
    case .upload: awaited = "the message came too slowly"
    case .download: awaited = "what was sent is not taken"
    }
    record(.timedOut(connection.service, awaited: awaited, peer: connection.peer))
    switch connection.patience.awaited {
    case .download, .handshake: return remove(connection)
    default: break
    }
    connection.timedOut(self)
    lastWords(connection)
  }

  /// Ends a connection that has nothing under way, if that is so, because the server stops.
  @discardableResult
  func endIfIdle(_ connection: Connection) -> Bool {
    guard connection.flags.isDisjoint(with: [.closing, .lost, .queued]), !connection.isSending,
      connection.isBetweenTransactions
    else { return false }
    if connection.flags.contains(.handshaking) {
      // It was taken, so it is also greeted, or it would seem that nobody serves here.
      if connection.patience.deadline > seconds + Int64(Limits.lastHandshakes) {
        connection.patience.begin(.handshake, now: seconds, seconds: Limits.lastHandshakes, moved: 0)
        note(connection.patience.deadline)
      }
      return false
    }
    connection.shuttingDown(self)
    lastWords(connection)
    return true
  }

  /// Sends what is in ``reply`` and closes.
  func lastWords(_ connection: Connection) {
    connection.flags.insert(.closing)
    connection.input = []
    if sendReply(connection, more: false) { close(connection) } else { settle(connection, progressed: false) }
  }

  /// Everything is sent. What the peer has sent and we have not read would make the kernel reset the connection, and
  /// the peer lose our last words: then it is listened to for a moment more.
  func close(_ connection: Connection) {
    if let channel = connection.channel, channel.isEstablished { channel.session.shutdown() }
    if connection.flags.contains(.inputEnded) { return remove(connection) }
    var rest = Bytes(repeating: 0, count: 256)
    let count = (try? Sockets.receive(connection.socket.number, into: &rest)) ?? 0
    guard count > 0 else { return remove(connection) }
    Sockets.shutdownWrite(connection.socket.number)
    connection.flags.insert(.lingering)
    connection.ended(self)
    connection.moved = 0
    connection.patience.begin(.end, now: seconds, seconds: Limits.lingerSeconds, moved: 0)
    note(connection.patience.deadline)
    watch(connection, .read)
  }

  func linger(_ connection: Connection) {
    let count = (try? Sockets.receive(connection.socket.number, into: &buffer)) ?? 0
    connection.moved += Int64(count)
    if count == 0 || connection.moved > Int64(Limits.lingerOctets) { remove(connection) }
  }

  /// The peer is gone. What the spool does for it is waited for, since it is to be told to the journal.
  func lose(_ connection: Connection) {
    guard connection.isWaiting, connection.mustFinish else { return remove(connection) }
    connection.output = []
    connection.transfer = nil
    poll.remove(connection.socket.number)
    connection.patience.begin(.ourselves, now: seconds, seconds: 0, moved: 0)
  }

  /// Forgets a connection, and closes it.
  func remove(_ connection: Connection) {
    if !connection.flags.contains(.lingering) { connection.ended(self) }
    if connection.flags.contains(.handshaking) { leave(connection) }
    // The poll forgets the socket when it is closed, which is when nobody holds the connection any more.
    counts[Int(connection.service.rawValue)].release(connection.peer)
    connections.remove(connection.token)
  }
}
