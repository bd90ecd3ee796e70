import Spool
import System
import Wire

// How connections go on.
extension Server {
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
      && !connection.isWaiting && connection.heldUntil == 0
  }

  /// Lets a connection go on as far as it can within its share of the turn.
  func drive(_ connection: Connection, mayRead: Bool) {
    if connection.flags.contains(.handshaking), !shakeHands(connection) { return }
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
    var isHeldBack = false
    if readsFirst {
      end += receive(connection, &buffer, at: end)
      mayRead = false
    }
    while !connection.flags.contains(.lost), connection.heldUntil == 0 {
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
        if transfer.isShort {
          // More commands wait: what they bring may share this one's last segment.
          isHeldBack = start < end
          if sendShort(connection, more: isHeldBack, &budget) { continue }
        } else if sendReply(connection, more: true), send(connection, &budget) {
          continue
        }
      case .wait:
        _ = sendReply(connection, more: false)
      case .startTLS:
        // What came along with it in the clear may be anybody's.
        guard start == end, sendReply(connection, more: false) else {
          connection.flags.insert(.lost)
          break
        }
        connection.flags.insert(.handshaking)
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
    // Nothing came after all, or it was sent: setting the option anew sends what the kernel still holds.
    if isHeldBack { Sockets.setNoDelay(connection.socket.number, true) }
    if start < end { connection.input = Bytes(buffer.span.extracting(start..<end)) }
    settle(connection, progressed: progressed)
    // What TLS has decrypted already the poll does not tell of.
    if let channel = connection.channel, channel.hasPending, wantsRead(connection) { _ = enqueue(connection) }
  }

  /// Sends what was said to the connection. False if the kernel has not taken it all; the rest is kept then. With
  /// `more`, a message follows at once, and goes into the same segments.
  func sendReply(_ connection: Connection, more: Bool) -> Bool {
    if connection.output.isEmpty {
      guard settleOwed(connection) else {
        connection.output += reply
        reply.removeAll(keepingCapacity: true)
        return false
      }
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
    return !connection.holdsOutput && !connection.flags.contains(.lost)
  }

  /// Sends what was said and a short message after it in one piece, which costs half of what sendfile(2) does for it.
  /// What the kernel does not take is sent from the file later, so that a slow reader costs no memory. False if it is
  /// not at its end.
  private func sendShort(_ connection: Connection, more: Bool, _ budget: inout Int) -> Bool {
    guard let transfer = connection.transfer else { return true }
    guard !connection.holdsOutput, budget > 0 else {
      return sendReply(connection, more: true) && send(connection, &budget)
    }
    let said = reply.count
    do throws(SpoolError) {
      let (_, left) = transfer.next
      guard try transfer.message.read(into: &reply, count: Int(left), at: 0) == Int(left) else { throw .damaged }
    } catch {
      reply.removeAll(keepingCapacity: true)
      record(.messageBroken(error, peer: connection.peer))
      connection.flags.insert(.lost)
      return false
    }
    let count = send(connection, reply.span, more: more)
    budget -= count
    if count < said { connection.output = Bytes(reply.span.extracting(count..<said)) }
    transfer.advance(max(0, count - said))
    reply.removeAll(keepingCapacity: true)
    guard transfer.isSent else { return false }
    connection.transfer = nil
    connection.transferred(transfer)
    if connection.holdsOutput { return false }
    return budget > 0 || enqueue(connection)
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
        let wanted = Int(min(transfer.next.count, Int64(budget)))
        let count = try send(connection, transfer, wanted)
        if connection.flags.contains(.lost) { return false }
        transfer.advance(count)
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
    if connection.flags.contains(.handshaking) {
      awaits = (.handshake, Limits.tlsHandshake)
    } else if connection.isSending {
      awaits = (.download, 0)
    } else if connection.isWaiting, connection.heldUntil == 0, connection.mustFinish || connection.service != .pop3 {
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

  func watch(_ connection: Connection, _ interest: Poll.Ready) {
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
}
