import Accounts
import Spool
import System
import Wire

// What the helper threads have done for connections.
extension Server {
  /// Takes what the spool has done, and lets those go on who waited for it.
  func collect() {
    spool.collect { completion in
      reply.removeAll(keepingCapacity: true)
      let token: UInt64
      switch completion {
      case .offloaded(let draft, let error):
        token = draft.tag
        // Its commit will say so in time: the sender listens only at the end.
        if let error { record(.draftFailed(error)) }
      case .stored(let draft, let sequence):
        token = draft.tag
        connections[token]?.stored(.success(sequence), self)
      case .refused(let draft, let error):
        token = draft.tag
        connections[token]?.stored(.failure(error), self)
      case .updated(let tag, let error):
        token = tag
        connections[token]?.updated(error, self)
      }
      goOn(token)
    }
  }

  /// Takes what the hashing thread has found out.
  func collectPasswords() {
    hashing.collect { job, outcome in
      var job = job
      if outcome == .right, let account = job.account { passwords.remember(job.password, of: account) }
      reply.removeAll(keepingCapacity: true)
      connections[job.token]?.hashed(job, outcome, self)
      Crypto.cleanse(&job.password)
      goOn(job.token)
    }
  }

  private func goOn(_ token: UInt64) {
    guard let connection = connections[token] else { return reply.removeAll(keepingCapacity: true) }
    if connection.flags.contains(.lost) {
      reply.removeAll(keepingCapacity: true)
      return lose(connection)
    }
    drive(connection, mayRead: false)
  }
}
