import System
import Wire

// Who guesses passwords waits, and is sent away.
extension Server {
  /// Lets nothing go on for a connection until so many seconds have gone.
  func hold(_ connection: Connection, seconds: Int) {
    connection.heldUntil = milliseconds + Int64(seconds) * 1000
    nextRelease = min(nextRelease, connection.heldUntil)
  }

  /// Lets those go on who were held long enough.
  func releaseHeld() {
    guard milliseconds >= nextRelease else { return }
    nextRelease = .max
    for connection in connections.all where connection.heldUntil > 0 {
      guard connection.heldUntil <= milliseconds else {
        nextRelease = min(nextRelease, connection.heldUntil)
        continue
      }
      connection.heldUntil = 0
      reply.removeAll(keepingCapacity: true)
      if connection.flags.contains(.fresh) {
        connection.flags.remove(.fresh)
        // The poll was told not to tell again, so something came.
        if !connection.interest.contains(.read) {
          connection.spokeTooEarly(self)
          record(.ended(connection.service, reply: line(since: 0, last: true), peer: connection.peer))
          lastWords(connection)
          continue
        }
        connection.greet(self)
      }
      connection.released(self)
      drive(connection, mayRead: true)
    }
  }

  /// Notes a recipient whom nobody here knows: who tries many names is given pauses. This machine's own programs may
  /// speak for many.
  func missed(_ connection: Connection, _ recipient: Bytes) {
    let peer = connection.peer
    if peer.isThisMachine { return }
    _ = misses.note(peer.network, thing: guessing.hash(recipient, 0), now: seconds)
    let over = misses.count(peer.network, now: seconds) - Limits.unknownRecipients
    if over > 0 { hold(connection, seconds: Guessing.delay(after: over)) }
  }

  /// Notes a wrong password; `guess` as for `Guessing.failed`.
  func guessed(_ connection: Connection, name: Bytes, guess: Bytes?) {
    if case .banned(let ban) = guessing.failed(connection.peer, name: name, guess: guess, now: seconds) {
      record(.banned(peer: connection.peer, seconds: ban, connection.service))
    }
  }
}
