import Spool
import System
import Wire

// How the server stops: drained first, then over.
extension Server {
  /// Takes no more connections, and ends those that have nothing under way.
  func drain() {
    guard phase == .serving else { return }
    phase = .draining(until: seconds + Int64(Limits.drainSeconds))
    ServiceManager.tell("STOPPING=1\nSTATUS=Stopping; messages under way may end.")
    record(.stopping(connections: connections.count))
    for listener in listeners {
      poll.remove(listener.number)
      if listener.service == .control { try? files.remove(controlPath) }
    }
    listeners.removeAll()
    for connection in connections.all {
      reply.removeAll(keepingCapacity: true)
      endIfIdle(connection)
    }
  }

  /// Lets go of what is left, closes the spool and is over.
  func end() {
    for connection in connections.all where !connection.mustFinish {
      if !connection.isSending, !connection.flags.contains(.closing) {
        reply.removeAll(keepingCapacity: true)
        connection.shuttingDown(self)
        _ = sendReply(connection, more: false)
      }
      remove(connection)
    }
    spool.close()
    // What was stored until now is still told to those who wait for it.
    collect()
    for connection in connections.all { remove(connection) }
    hashing.stop()
    phase = .ended
    record(.stopped)
  }
}
