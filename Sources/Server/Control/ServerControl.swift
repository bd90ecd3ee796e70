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

  /// `key=value` lines.
  var statusLines: [Bytes] {
    var lines: [Bytes] = []
    func add(_ key: StaticString, _ value: Int64) {
      var line = Bytes(key)
      line += "="
      line.append(decimal: UInt64(clamping: value))
      lines.append(line)
    }
    var version = Bytes("version=")
    version += Self.version
    lines.append(version)
    add("process", Int64(Process.identifier))
    add("started", started)
    add("now", now)
    for listener in listeners where listener.service != .control {
      var line = Bytes("listening=")
      line += listener.service.name
      // As the ports are called: POP3S, SMTPS.
      if listener.isTLS { line += "S" }
      line += " "
      line += listener.address.textWithPort
      lines.append(line)
    }
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
