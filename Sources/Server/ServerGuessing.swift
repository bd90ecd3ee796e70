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
      connection.released(self)
      drive(connection, mayRead: true)
    }
  }

  /// Notes a wrong password; `guess` as for `Guessing.failed`.
  func guessed(_ connection: Connection, name: Bytes, guess: Bytes) {
    if case .banned(let ban) = guessing.failed(connection.peer, name: name, guess: guess, now: seconds) {
      record(.banned(peer: connection.peer, seconds: ban, connection.service))
    }
  }
}
