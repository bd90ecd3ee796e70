import Accounts
import Spool
import System
import Wire

// The control socket, and what STATUS tells.
extension Server {
  var controlPath: Path { configuration.device.stateDirectory.appending("control") }

  /// Mail is served without it as well.
  func openControlSocket() {
    do throws(Errno) {
      let socket = try Sockets.listen(at: controlPath)
      let address = try Sockets.localAddress(socket.number)
      listeners.append(Listener(socket, .control, address))
    } catch {
      record(.noControlSocket(controlPath, error))
    }
  }

  /// When the message was received that has waited for longest, in seconds since 1970.
  private func oldestWaiting(_ names: [Bytes]) -> Int64? {
    var oldest: Int64?
    for name in names where spool.usage(name).messages > 0 {
      guard let first = try? spool.open(name).entry(1) else { continue }
      oldest = min(oldest ?? .max, Int64(first.time))
    }
    return oldest
  }

  /// Everybody who is connected, but for commands: `SERVICE ADDRESS SECONDS IDLE TLS NAME`, with a hyphen for what is not.
  var connectionLines: [Bytes] {
    connections.all.filter { $0.service != .control }.map { connection in
      var line = Bytes(connection.service.name)
      line += " "
      line += connection.peer.text
      let idle = connection.patience.idle(now: seconds, moved: connection.moved)
      for seconds in [seconds - connection.patience.since, idle] {
        line += " "
        line.append(decimal: UInt64(clamping: seconds))
      }
      for word in [connection.tlsVersion, connection.whose] {
        line += " "
        line += word.isEmpty ? Bytes("-") : word
      }
      return line
    }
  }

  /// `key=value` lines that are true of any server: which it is, and where it listens.
  static func identityLines(started: Int64, _ listeners: [Listener]) -> [Bytes] {
    var lines: [Bytes] = []
    var version = Bytes("version=")
    version += Self.version
    lines.append(version)
    add("process", Int64(Process.identifier), &lines)
    add("started", started, &lines)
    add("now", Clock.now, &lines)
    for listener in listeners where listener.service != .control {
      var line = Bytes("listening=")
      line += listener.service.name
      // As the ports are called: POP3S, SMTPS.
      if listener.isTLS { line += "S" }
      line += " "
      line += listener.address.textWithPort
      lines.append(line)
    }
    return lines
  }

  private static func add(_ key: StaticString, _ value: Int64, _ lines: inout [Bytes]) {
    var line = Bytes(key)
    line += "="
    line.append(decimal: UInt64(clamping: value))
    lines.append(line)
  }

  /// `key=value` lines.
  var statusLines: [Bytes] {
    var lines = Self.identityLines(started: started, listeners)
    func add(_ key: StaticString, _ value: Int64) { Self.add(key, value, &lines) }
    add("connections.smtp", Int64(counts[Int(Service.smtp.rawValue)].count))
    add("connections.pop3", Int64(counts[Int(Service.pop3.rawValue)].count))
    add("delivered", Int64(clamping: delivered))
    add("logins", Int64(clamping: loggedIn))
    let bans = guessing.bans(now: seconds)
    add("banned", Int64(bans.count))
    for ban in bans.prefix(Limits.bansTold) {
      var line = Bytes("ban=")
      SocketAddress.append(network: ban.network, to: &line)
      line += " "
      line.append(decimal: UInt64(clamping: ban.seconds))
      lines.append(line)
    }
    add("accounts", Int64(directory.accounts.count))
    add("problems", Int64(directory.problems.count))
    var messages = 0
    var octets: Int64 = 0
    var deletedMessages = 0
    var deletedOctets: Int64 = 0
    let names = spool.names
    for name in names {
      let usage = spool.usage(name)
      messages += usage.messages
      octets += usage.octets
      deletedMessages += usage.deletedMessages
      deletedOctets += usage.deletedOctets
    }
    if let oldest = oldestWaiting(names) { add("oldest", oldest) }
    add("maildrops", Int64(names.count))
    add("messages", Int64(messages))
    add("octets", octets)
    add("deleted.messages", Int64(deletedMessages))
    add("deleted.octets", deletedOctets)
    add("room", spool.hasRoom ? 1 : 0)
    if !certificate.fingerprint.isEmpty {
      lines.append(Bytes("certificate.fingerprint=") + certificate.fingerprint)
      lines.append(Bytes("certificate.names=") + certificate.names)
      add("certificate.not_after", certificate.notAfter)
    }
    if let problem = certificate.problem { lines.append(Bytes("certificate.problem=") + problem.description) }
    return lines
  }
}
