import POP3
import System
import Wire

// How connections come.
extension Server {
  /// Takes the next connection. One at a time: the poll tells of the others in the next turn.
  func accept(_ listener: Listener) {
    do throws(Errno) {
      let accepted = try Sockets.accept(listener.number)
      begin(accepted.socket, accepted.peer, listener)
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
      sayNoRoom(listener, to: accepted.socket.number)
    }
    spare.take()
  }

  private func begin(_ socket: consuming Descriptor, _ peer: SocketAddress, _ listener: Listener) {
    let service = listener.service
    if service == .control, !mayControl(socket.number) { return }
    if pressure.turnsAway(service, isTLS: listener.isTLS) { return sayNoRoom(listener, to: socket.number) }
    if service == .pop3, let ban = guessing.ban(of: peer, now: seconds) {
      // Senders are no guessers: mail is taken from there all the same.
      var line = Bytes()
      var session = POP3.Session<SnapshotMaildrop>(settings: pop3Settings, secure: false, tls: false)
      session.banned(seconds: ban, reply: &line)
      if !listener.isTLS { say(line, to: socket.number) }
      return
    }
    let place = Int(service.rawValue)
    if let refusal = admit(peer, service) {
      let limit = counts[place]
      let most = refusal == .inAll ? limit.maximum : refusal == .tooOften ? limit.perMinute : limit.maximumPerAddress
      record(.tooManyConnections(service, refusal, limit: most, peer: peer))
      return sayNoRoom(listener, to: socket.number)
    }
    guard connections.count < room(for: service) || makeRoom(service) else {
      counts[place].release(peer)
      record(.noDescriptors(.tooManyFiles))
      return sayNoRoom(listener, to: socket.number)
    }
    let token = connections.token()
    let connection: Connection
    switch service {
    case .smtp:
      let isOld = configuration.smtp.normalizeFrom.contains { $0.contains(peer) }
      connection = SMTPConnection(
        socket, token: token, peer: peer, isTLS: listener.isTLS,
        settings: isOld ? smtpSettingsNormalizing : smtpSettings)
    case .pop3:
      connection = POP3Connection(socket, token: token, peer: peer, isTLS: listener.isTLS, settings: pop3Settings)
    case .control: connection = ControlConnection(socket, token: token, peer: peer)
    }
    do throws(Errno) { try poll.add(connection.socket.number, .read, token: token) } catch {
      record(.failed("watching a new connection", error))
      return counts[Int(service.rawValue)].release(peer)
    }
    connections.add(connection)
    reply.removeAll(keepingCapacity: true)
    if listener.isTLS {
      connection.flags = [.handshaking, .fresh]
    } else if service == .smtp, mustWait(peer) {
      connection.flags = .fresh
      hold(connection, seconds: Int(configuration.smtp.greetingDelay))
    } else {
      connection.greet(self)
      _ = sendReply(connection, more: false)
    }
    settle(connection, progressed: true)
  }

  private func admit(_ peer: SocketAddress, _ service: Service) -> ConnectionCounts.Refusal? {
    let place = Int(service.rawValue)
    guard counts[place].arrives(peer, now: seconds) else { return .tooOften }
    let refusal = counts[place].admit(peer)
    return refusal == .inAll && makeRoom(service) ? counts[place].admit(peer) : refusal
  }

  /// Connections there may be for one more of `service`: descriptors that readers may still need are not for senders.
  private func room(for service: Service) -> Int {
    let readers = counts[Int(Service.pop3.rawValue)]
    let reserve = min(mostConnections / 2, readers.maximum) - readers.count
    return service == .smtp ? mostConnections - max(0, reserve) : mostConnections
  }

  /// Gives away the place of whoever has done nothing for longest and has no message under way; false if everybody is
  /// about something. A handshake has no time of grace: strangers who begin a hundred in a second would lock everybody
  /// out with it, while the oldest of two hundred places is older than an honest handshake takes.
  private func makeRoom(_ service: Service) -> Bool {
    var longest: Connection?
    var most: Int64 = -1
    for connection in connections.all where connection.service == service {
      let isGuest = !connection.flags.isDisjoint(with: [.lingering, .handshaking])
      guard let grace = isGuest ? 0 : connection.grace else { continue }
      let over = connection.patience.idle(now: seconds, moved: connection.moved) - grace
      // Tokens count upwards.
      if over > most || (over == most && connection.token >> 32 < (longest?.token ?? 0) >> 32) {
        most = over
        longest = connection
      }
    }
    guard let longest else { return false }
    if longest.flags.isDisjoint(with: [.handshaking, .lingering, .closing]) {
      reply.removeAll(keepingCapacity: true)
      longest.crowdedOut(self)
      record(.ended(service, reply: line(since: 0, last: true), peer: longest.peer))
      _ = sendReply(longest, more: false)
    }
    remove(longest)
    return true
  }

  /// Whether a sender is greeted only when it has shown that it waits.
  private func mustWait(_ peer: SocketAddress) -> Bool {
    configuration.smtp.greetingDelay > 0 && !peer.isThisMachine
      && !configuration.smtp.normalizeFrom.contains { $0.contains(peer) }
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

  private func sayNoRoom(_ listener: Listener, to socket: Int32) {
    // Under TLS it takes a handshake to say anything.
    if !listener.isTLS { say(Self.noRoom(listener.service, configuration.device.hostName), to: socket) }
  }

  /// To a new connection, whose buffers are empty.
  private func say(_ line: Bytes, to socket: Int32) { _ = try? Sockets.send(socket, line.span) }
}
