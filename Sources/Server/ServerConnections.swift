import Accounts
import Spool
import System
import Wire

// Connections: how they come, go on, and go.
extension Server {
  // MARK: coming

  /// Takes the next connection. One at a time: the poll tells of the others in the next turn.
  func accept(_ listener: Listener) {
    do throws(Errno) {
      let accepted = try Sockets.accept(listener.number)
      begin(accepted.socket, accepted.peer, listener.service)
    } catch {
      switch error {
      case .tooManyFiles, .tooManyFilesInSystem:
        record(.noDescriptors(error))
        turnAway(listener)
      default:
        // It was reset before we came to it, or there is none: nobody waits for an answer.
        break
      }
    }
  }

  /// Without a descriptor left, a connection waiting would wake us for ever: take it on the spare one and close it.
  private func turnAway(_ listener: Listener) {
    spare.release()
    if let accepted = try? Sockets.accept(listener.number) {
      say(Self.noRoom(listener.service, configuration.device.hostName), to: accepted.socket.number)
    }
    spare.take()
  }

  private func begin(_ socket: consuming Descriptor, _ peer: SocketAddress, _ service: Service) {
    if service == .control, !mayControl(socket.number) { return }
    if let refusal = counts[Int(service.rawValue)].admit(peer) {
      let limit = counts[Int(service.rawValue)]
      record(
        .tooManyConnections(
          service, inAll: refusal == .inAll, limit: refusal == .inAll ? limit.maximum : limit.maximumPerAddress,
          peer: peer))
      return say(Self.noRoom(service, configuration.device.hostName), to: socket.number)
    }
    let token = connections.token()
    let connection: Connection
    switch service {
    case .smtp:
      let isOld = configuration.smtp.normalizeFrom.contains { $0.contains(peer) }
      connection = SMTPConnection(
        socket, token: token, peer: peer, settings: isOld ? smtpSettingsNormalizing : smtpSettings)
    case .pop3: connection = POP3Connection(socket, token: token, peer: peer, settings: pop3Settings)
    case .control: connection = ControlConnection(socket, token: token, peer: peer)
    }
    do throws(Errno) { try poll.add(connection.socket.number, .read, token: token) } catch {
      record(.failed("watching a new connection", error))
      return counts[Int(service.rawValue)].release(peer)
    }
    connections.add(connection)
    reply.removeAll(keepingCapacity: true)
    connection.greet(self)
    _ = sendReply(connection, more: false)
    settle(connection, progressed: true)
  }

  private func mayControl(_ socket: Int32) -> Bool {
    guard let user = try? Sockets.peerUser(socket) else { return false }
    if user == 0 || user == Process.user { return true }
    record(.controlRefused(user: user))
    say(Bytes("-ERR 77 Only the server's own user and root may do this.\r\n"), to: socket)
    return false
  }

  /// What a connection hears that there is no room for.
  private static func noRoom(_ service: Service, _ hostName: Bytes) -> Bytes {
    var line = Bytes()
    switch service {
    case .smtp:
      line += "421 4.7.0 "
      line += hostName
      line += " Too many connections at this moment; closing. Try again in a few minutes.\r\n"
    case .pop3: line += "-ERR [SYS/TEMP] Too many connections at this moment; try again in a minute.\r\n"
    case .control: line += "-ERR 75 Too many connections at this moment; try again.\r\n"
    }
    return line
  }

  /// To a new connection, whose buffers are empty.
  private func say(_ line: Bytes, to socket: Int32) { _ = try? Sockets.send(socket, line.span) }

  // MARK: going on

  /// The kernel says that a connection can go on.
  func event(_ connection: Connection, _ ready: Poll.Ready) {
    if ready.contains(.hangUp), !ready.contains(.read), !connection.isSending || connection.isWaiting {
      connection.flags.insert(.lost)
      return settle(connection, progressed: false)
    }
    if connection.flags.contains(.lingering) { return linger(connection) }
    // What we do not want to read now is not to wake us again; it is taken up again by `settle`.
    if ready.contains(.read), !wantsRead(connection), !ready.contains(.write) {
      return watch(connection, connection.interest.subtracting(.read))
    }
    drive(connection, mayRead: ready.contains(.read))
  }

  func wantsRead(_ connection: Connection) -> Bool {
    connection.flags.isDisjoint(with: [.inputEnded, .lost, .closing, .queued]) && !connection.isSending
      && !connection.isWaiting
  }

  /// Lets a connection go on as far as it can within its share of the turn.
  func drive(_ connection: Connection, mayRead: Bool) {
    let readsFirst = mayRead && wantsRead(connection)
    guard sendReply(connection, more: false) else { return settle(connection, progressed: false) }
    var budget = Limits.turnSend
    guard send(connection, &budget) else { return settle(connection, progressed: false) }
    if connection.flags.contains(.lost) { return settle(connection, progressed: false) }
    if connection.flags.contains(.closing) { return close(connection) }

    // The buffer is the loop's; it is out of it while a connection uses it.
    var buffer = Bytes()
    swap(&buffer, &self.buffer)
    defer { swap(&buffer, &self.buffer) }
    var end = connection.input.count
    for index in 0..<end { buffer[index] = connection.input[index] }
    connection.input = []
    var start = 0
    var mayRead = mayRead
    var progressed = false
    if readsFirst {
      end += receive(connection, &buffer, at: end)
      mayRead = false
    }
    while !connection.flags.contains(.lost) {
      let result = connection.step(buffer.span.extracting(start..<end), self)
      start += result.consumed
      if result.consumed > 0 { progressed = true }
      switch result.step {
      case .flush:
        budget -= reply.count
        if sendReply(connection, more: false) {
          if budget > 0 { continue }
          _ = enqueue(connection)
        }
      case .transfer(let transfer):
        connection.transfer = transfer
        if sendReply(connection, more: true), send(connection, &budget) { continue }
      case .wait:
        _ = sendReply(connection, more: false)
      case .close:
        connection.flags.insert(.closing)
        start = end
        if sendReply(connection, more: false) { return close(connection) }
      case .more:
        guard sendReply(connection, more: false) else { break }
        if connection.flags.contains(.inputEnded) { return remove(connection) }
        guard mayRead else { break }
        mayRead = false
        for index in start..<end { buffer[index - start] = buffer[index] }
        end -= start
        start = 0
        end += receive(connection, &buffer, at: end)
        continue
      }
      break
    }
    if start < end { connection.input = Bytes(buffer.span.extracting(start..<end)) }
    settle(connection, progressed: progressed)
  }

  /// Reads what the peer has sent, at most what fits; returns how many octets.
  private func receive(_ connection: Connection, _ buffer: inout Bytes, at start: Int) -> Int {
    do throws(Errno) {
      let count = try Sockets.receive(connection.socket.number, into: &buffer, at: start)
      if count == 0 { connection.flags.insert(.inputEnded) }
      return count
    } catch {
      if error != .again && error != .interrupted { connection.flags.insert(.lost) }
      return 0
    }
  }

  /// Sends what was said to the connection. False if the kernel has not taken it all; the rest is kept then. With
  /// `more`, a message follows at once, and goes into the same segments.
  func sendReply(_ connection: Connection, more: Bool) -> Bool {
    if connection.output.isEmpty {
      if reply.isEmpty { return true }
      let count = send(connection, reply.span, more: more)
      if count < reply.count {
        connection.output = Bytes(reply.span.extracting(count...))
        connection.sent = 0
      }
    } else {
      if !reply.isEmpty { connection.output += reply }
      connection.sent += send(connection, connection.output.span.extracting(connection.sent...), more: more)
      if connection.sent == connection.output.count {
        connection.output = []
        connection.sent = 0
      }
    }
    reply.removeAll(keepingCapacity: true)
    return connection.output.isEmpty && !connection.flags.contains(.lost)
  }

  private func send(_ connection: Connection, _ octets: Span<UInt8>, more: Bool) -> Int {
    if connection.flags.contains(.lost) { return 0 }
    do throws(Errno) {
      let count = try Sockets.send(connection.socket.number, octets, more: more)
      connection.moved += Int64(count)
      return count
    } catch {
      if error != .again && error != .interrupted { connection.flags.insert(.lost) }
      return 0
    }
  }

  /// Goes on sending a message. False if it is not at its end.
  private func send(_ connection: Connection, _ budget: inout Int) -> Bool {
    guard let transfer = connection.transfer else { return true }
    do throws(SpoolError) {
      while !transfer.isMeasured {
        guard budget > 0 else { return enqueue(connection) }
        budget -= try transfer.measure(&scratch)
      }
      while !transfer.isSent {
        guard budget > 0 else { return enqueue(connection) }
        let (offset, left) = transfer.next
        let wanted = Int(min(left, Int64(budget)))
        let count: Int
        do throws(Errno) {
          count = try Sockets.sendFile(
            connection.socket.number, transfer.message.descriptor, at: offset, count: wanted)
        } catch {
          if error == .again || error == .interrupted { return false }
          if error == .io { throw .failed(error) }
          connection.flags.insert(.lost)
          return false
        }
        if count == 0 { throw .damaged }
        transfer.advance(count)
        connection.moved += Int64(count)
        budget -= count
        // The kernel's buffer is full; it says when it is not.
        if count < wanted { return false }
      }
    } catch {
      // The client has the beginning of the message already; all that is left is to break off.
      record(.messageBroken(error, peer: connection.peer))
      connection.flags.insert(.lost)
      return false
    }
    connection.transfer = nil
    connection.transferred(transfer)
    if transfer.isTop { reply += ".\r\n" }
    return sendReply(connection, more: false)
  }

  private func enqueue(_ connection: Connection) -> Bool {
    if !connection.flags.contains(.queued) {
      connection.flags.insert(.queued)
      queue.append(connection.token)
    }
    return false
  }

  /// After a connection went as far as it could: what the poll watches for, and how long we wait.
  func settle(_ connection: Connection, progressed: Bool) {
    if connection.flags.contains(.lost) { return lose(connection) }
    if phase != .serving, endIfIdle(connection) { return }
    var wanted = connection.interest
    if wantsRead(connection) { wanted.insert(.read) }
    let waitsForRoom = connection.isSending && !connection.flags.contains(.queued)
    if waitsForRoom { wanted.insert(.write) } else { wanted.remove(.write) }
    watch(connection, wanted)

    let awaits: (what: Patience.Awaited, seconds: Int)
    if connection.isSending {
      awaits = (.download, 0)
    } else if connection.isWaiting, connection.mustFinish || connection.service != .pop3 {
      awaits = (.ourselves, 0)
    } else {
      awaits = connection.awaits
    }
    let isNew = awaits.what != connection.patience.awaited || connection.patience.deadline == .max
    if isNew || (awaits.what == .command && progressed) {
      connection.patience.begin(awaits.what, now: seconds, seconds: awaits.seconds, moved: connection.moved)
    }
    note(connection.patience.deadline)
  }

  private func watch(_ connection: Connection, _ interest: Poll.Ready) {
    guard interest != connection.interest, !connection.flags.contains(.lost) else { return }
    connection.interest = interest
    do throws(Errno) {
      try poll.change(connection.socket.number, interest, token: connection.token)
    } catch {
      record(.failed("watching a connection", error))
      connection.flags.insert(.lost)
      lose(connection)
    }
  }

  // MARK: answers

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
      Crypto.cleanse(&job.password)
      reply.removeAll(keepingCapacity: true)
      connections[job.token]?.hashed(job, outcome, self)
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

  // MARK: going

  /// The peer was too slow.
  func timeOut(_ connection: Connection) {
    reply.removeAll(keepingCapacity: true)
    let awaited: StaticString
    switch connection.patience.awaited {
    case .ourselves: return
    case .end: return remove(connection)
    case .login: awaited = "no login in time"
    case .command: awaited = "no complete command in time"
    case .upload: awaited = "the message came too slowly"
    case .download: awaited = "what was sent is not taken"
    }
    record(.timedOut(connection.service, awaited: awaited, peer: connection.peer))
    guard connection.patience.awaited != .download else { return remove(connection) }
    connection.timedOut(self)
    lastWords(connection)
  }

  /// Ends a connection that has nothing under way, if that is so, because the server stops.
  @discardableResult
  func endIfIdle(_ connection: Connection) -> Bool {
    guard connection.flags.isDisjoint(with: [.closing, .lost, .queued]), !connection.isSending,
      connection.isBetweenTransactions
    else { return false }
    connection.shuttingDown(self)
    lastWords(connection)
    return true
  }

  /// Sends what is in ``reply`` and closes.
  private func lastWords(_ connection: Connection) {
    connection.flags.insert(.closing)
    connection.input = []
    if sendReply(connection, more: false) { close(connection) } else { settle(connection, progressed: false) }
  }

  /// Everything is sent. What the peer has sent and we have not read would make the kernel reset the connection, and
  /// the peer lose our last words: then it is listened to for a moment more.
  private func close(_ connection: Connection) {
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

  private func linger(_ connection: Connection) {
    let count = (try? Sockets.receive(connection.socket.number, into: &buffer)) ?? 0
    connection.moved += Int64(count)
    if count == 0 || connection.moved > Int64(Limits.lingerOctets) { remove(connection) }
  }

  /// The peer is gone. What the spool does for it is waited for, since it is to be told to the journal.
  private func lose(_ connection: Connection) {
    guard connection.isWaiting, connection.mustFinish else { return remove(connection) }
    connection.output = []
    connection.transfer = nil
    poll.remove(connection.socket.number)
    connection.patience.begin(.ourselves, now: seconds, seconds: 0, moved: 0)
  }

  /// Forgets a connection, and closes it.
  func remove(_ connection: Connection) {
    if !connection.flags.contains(.lingering) { connection.ended(self) }
    // The poll forgets the socket when it is closed, which is when nobody holds the connection any more.
    counts[Int(connection.service.rawValue)].release(connection.peer)
    connections.remove(connection.token)
  }
}
