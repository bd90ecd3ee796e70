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
    if let refusal = counts[Int(service.rawValue)].admit(peer) {
      let limit = counts[Int(service.rawValue)]
      record(
        .tooManyConnections(
          service, inAll: refusal == .inAll, limit: refusal == .inAll ? limit.maximum : limit.maximumPerAddress,
          peer: peer))
      return sayNoRoom(listener, to: socket.number)
    }
    guard connections.count < mostConnections else {
      counts[Int(service.rawValue)].release(peer)
      record(.noDescriptors(.tooManyFiles))
      return sayNoRoom(listener, to: socket.number)
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
    if listener.isTLS {
      connection.flags = [.handshaking, .fresh]
    } else {
      connection.greet(self)
      _ = sendReply(connection, more: false)
    }
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

  private func sayNoRoom(_ listener: Listener, to socket: Int32) {
    // Under TLS it takes a handshake to say anything.
    if !listener.isTLS { say(Self.noRoom(listener.service, configuration.device.hostName), to: socket) }
  }

  /// To a new connection, whose buffers are empty.
  private func say(_ line: Bytes, to socket: Int32) { _ = try? Sockets.send(socket, line.span) }
}
