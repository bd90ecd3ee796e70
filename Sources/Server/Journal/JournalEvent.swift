import Spool
import System
import Wire

/// What a technician may want to know of. No password, no message text; octets from a peer are shown harmlessly.
public enum JournalEvent {
  case started(version: Bytes, stateDirectory: Path)
  case listening(Service, isTLS: Bool, SocketAddress)
  /// One of a port's two address families is not to be had.
  case notListening(Service, SocketAddress, Errno)
  /// No certificate can be used; why.
  case withoutTLS(why: Bytes)
  /// The certificate that connections are shown from now on; whether it was made just now.
  case certificateInUse(Certificate, isNew: Bool)
  /// The certificate that should be used cannot be; whether our own is used instead of it, or the one before.
  case certificateProblem(Problem, standsIn: Bool)
  /// Whole days until the certificate ends; negative when it has.
  case certificateExpires(days: Int)
  case noControlSocket(Path, Errno)
  case clockNotSet
  case stopping(connections: Int)
  case stopped

  case delivered(sequence: UInt64, from: Bytes, to: [Bytes], octets: Int, peer: SocketAddress)
  case recipientRefused(recipient: Bytes, reason: StaticString, from: Bytes, peer: SocketAddress)
  /// A message that nobody here got; `reply` is what its sender was told.
  case messageRefused(reply: Bytes, from: Bytes, peer: SocketAddress)

  case login(name: Bytes, peer: SocketAddress)
  case loginRefused(name: Bytes, reason: StaticString, peer: SocketAddress)
  /// Too many wrong passwords: for so many seconds none is looked at from there.
  case banned(peer: SocketAddress, seconds: Int64, Service)
  case fetched(name: Bytes, Fetched, peer: SocketAddress)
  case maildropFault(name: Bytes, SpoolError, peer: SocketAddress)
  /// By a command, not by a reader.
  case deleted(name: Bytes, messages: Int)
  case restored(name: Bytes, messages: Int)

  case tooManyConnections(Service, ConnectionCounts.Refusal, limit: Int, peer: SocketAddress)
  case noDescriptors(Errno)
  case fewDescriptors(Int, wanted: Int)
  case timedOut(Service, awaited: StaticString, peer: SocketAddress)
  /// A session that we ended; `reply` is the last line it was told.
  case ended(Service, reply: Bytes, peer: SocketAddress)
  case controlRefused(user: UInt32)
  /// A handshake, or what came after it, was not TLS as we speak it; OpenSSL's reason.
  case tlsFailed(Service, why: Bytes, peer: SocketAddress)
  /// A device of LegacyTLSFrom= spoke a version older than 1.2.
  case legacyTLS(Bytes, peer: SocketAddress)

  case spool(SpoolEvent)
  case problem(Problem)
  case reloaded
  case reloadRefused
  case needsRestart(StaticString)
  case failed(StaticString, Errno)
  /// The beginning of a message was sent, and the rest cannot be read.
  case messageBroken(SpoolError, peer: SocketAddress)
  case draftFailed(SpoolError)
  case configurationRefused
  case startFailed(Bytes)
  case leftOut(lines: Int, of: StaticString)

  /// The service manager handed over a socket of a name that means nothing here.
  case unknownSocket(name: Bytes)
  /// It handed over sockets, but none for this.
  case socketMissing(Service, isTLS: Bool)
  /// It handed over one that the configuration does not want.
  case socketUnwanted(Service, isTLS: Bool)
  /// What does not go on any more; the service manager is asked for a new start.
  case stuck(StaticString)
  /// A file of the spool could not be written, flushed and read back; nil when what came back was something else.
  case probeFailed(Errno?)
  /// Memory is short: what is done about it, from 0 (nothing any more) to 3.
  case memoryPressure(Int)
}

/// What one reader did in one session: messages and their octets.
public struct Fetched: Sendable {
  public var topped: Int32 = 0
  public var toppedOctets: Int64 = 0
  public var retrieved: Int32 = 0
  public var retrievedOctets: Int64 = 0
  public var deleted = 0
  /// The maildrop at login.
  public var messages = 0
  public var octets: Int64 = 0

  public init() {}

  /// Whether there is anything to tell.
  var isEmpty: Bool { topped == 0 && retrieved == 0 && deleted == 0 }
}

extension JournalEvent {
  /// The severity of syslog(3): 3 error, 4 warning, 5 notice, 6 information.
  public var severity: Int {
    switch self {
    case .spool(let event): event.severity
    case .certificateProblem, .withoutTLS, .failed, .reloadRefused, .messageBroken, .draftFailed, .configurationRefused,
      .startFailed, .unknownSocket, .stuck, .probeFailed:
      3
    case .certificateExpires, .clockNotSet, .fewDescriptors, .noControlSocket, .maildropFault, .tooManyConnections,
      .noDescriptors, .problem, .needsRestart, .notListening, .loginRefused, .banned, .controlRefused, .leftOut,
      .socketMissing, .socketUnwanted, .memoryPressure:
      4
    case .certificateInUse, .started, .stopping, .stopped, .reloaded, .tlsFailed, .legacyTLS, .messageRefused,
      .timedOut, .ended, .deleted, .restored:
      5
    case .listening, .delivered, .recipientRefused, .login, .fetched: 6
    }
  }

  /// The name of the kind, where a flood of them is to be cut: whatever a stranger can cause as often as it likes.
  var floods: StaticString? {
    switch self {
    case .recipientRefused: "refused recipient"
    case .messageRefused: "refused message"
    case .loginRefused: "refused login"
    case .tooManyConnections: "too many connections"
    case .noDescriptors: "no descriptors"
    case .timedOut: "timeout"
    case .ended: "ended session"
    case .maildropFault: "maildrop fault"
    case .failed, .messageBroken, .draftFailed: "fault"
    case .controlRefused: "control refused"
    case .tlsFailed: "TLS failed"
    default: nil
    }
  }

  /// What happened, what it means and what to do, in one line of harmless octets without its end.
  public func describe(into text: inout Bytes) {
    switch self {
    case .started(let version, let stateDirectory):
      text += "Restante "
      text += version
      text += " started, mail is kept in "
      text.append(shown: stateDirectory.bytes.span, limit: 4096)
    case .listening(let service, let isTLS, let address):
      text += "listening for "
      text += service.name
      if isTLS { text += " over TLS" }
      text += " on "
      text += address.textWithPort
    case .notListening(let service, let address, let error):
      text += "not listening for "
      text += service.name
      text += " on "
      text += address.textWithPort
      text += ": "
      text += error.text
      text += "; the other address family is served"
    case .withoutTLS(let why):
      text += "no TLS: "
      text += why
      text += "; mail is taken in the clear, and with RequireTLS=yes passwords from this machine alone"
    case .certificateInUse(let certificate, let isNew):
      text += isNew ? "made a key and a certificate of our own for " : "certificate for "
      text += certificate.names
      text += ", valid until "
      Timestamp.append(certificate.notAfter, to: &text)
      text += ", SHA-256 fingerprint "
      text += certificate.fingerprint
    case .certificateProblem(let problem, let standsIn):
      text += "the certificate cannot be used: "
      text += problem.description
      text += "; mend it and reload. Meanwhile TLS goes on with "
      text +=
        standsIn ? "one that this device made for itself, so that mail programs warn of it" : "the one before"
    case .certificateExpires(let days):
      text += "the certificate "
      if days < 0 {
        text += "has expired, so mail programs refuse to connect"
      } else {
        text += "expires in "
        text.append(decimal: days)
        text += days == 1 ? " day" : " days"
        text += "; then mail programs will refuse to connect"
      }
      text += ". Get a new one: 'restante help certificate install'"
    case .noControlSocket(let path, let error):
      text += "no control socket at "
      text.append(shown: path.bytes.span, limit: 4096)
      text += ": "
      text += error.text
      text += "; mail is served, but status, restore and import cannot reach this server"
    case .clockNotSet:
      text += "the clock is not set; mail received now is marked with a time that is not right"
    case .stopping(let connections):
      text += "stopping; connections to end: "
      text.append(decimal: connections)
    case .stopped:
      text += "stopped"
    case .delivered(let sequence, let from, let to, let octets, let peer):
      text += "delivered "
      text.append(decimal: sequence)
      text += ": from=<"
      text.append(shown: from.span, limit: Limits.path)
      text += "> to="
      for (index, name) in to.enumerated() {
        // A journal line has its limits; the message itself names nobody, but its record in the spool does.
        if index == 20 {
          text += ",... ("
          text.append(decimal: to.count)
          text += " in all)"
          break
        }
        if index > 0 { text += "," }
        text.append(shown: name.span, limit: Limits.accountName)
      }
      text += " octets="
      text.append(decimal: octets)
      append(peer, to: &text)
    case .recipientRefused(let recipient, let reason, let from, let peer):
      text += "refused recipient <"
      text.append(shown: recipient.span, limit: Limits.path)
      text += ">: "
      text += reason
      append(from, peer, to: &text)
    case .messageRefused(let reply, let from, let peer):
      text += "refused message: "
      text.append(shown: reply.span, limit: 200)
      append(from, peer, to: &text)
    case .login(let name, let peer):
      text += "login: "
      text.append(shown: name.span, limit: Limits.accountName)
      append(peer, to: &text)
    case .loginRefused(let name, let reason, let peer):
      text += "login refused: "
      text.append(shown: name.span, limit: Limits.accountName)
      text += ": "
      text += reason
      append(peer, to: &text)
    case .banned(let peer, let seconds, let service):
      text += "banned for "
      text.append(decimal: UInt64(clamping: seconds))
      text += " seconds: too many wrong passwords over "
      text += service.name
      append(peer, to: &text)
    case .fetched(let name, let done, let peer):
      text += "fetched: "
      text.append(shown: name.span, limit: Limits.accountName)
      text += " top="
      text.append(decimal: Int(done.topped))
      text += "/"
      text.append(decimal: UInt64(clamping: done.toppedOctets))
      text += " retr="
      text.append(decimal: Int(done.retrieved))
      text += "/"
      text.append(decimal: UInt64(clamping: done.retrievedOctets))
      text += " del="
      text.append(decimal: done.deleted)
      text += "/"
      text.append(decimal: done.messages)
      text += " size="
      text.append(decimal: UInt64(clamping: done.octets))
      append(peer, to: &text)
    case .maildropFault(let name, let error, let peer):
      text += "maildrop "
      text.append(shown: name.span, limit: Limits.accountName)
      text += " could not be served: "
      append(error, to: &text)
      text += "; its reader was told to try again. If it stays so, run 'restante check'"
      append(peer, to: &text)
    case .deleted(let name, let messages):
      text += "deleted by command: "
      text.append(shown: name.span, limit: Limits.accountName)
      text += " messages="
      text.append(decimal: messages)
    case .restored(let name, let messages):
      text += "restored by command: "
      text.append(shown: name.span, limit: Limits.accountName)
      text += " messages="
      text.append(decimal: messages)
    case .tooManyConnections(let service, let refusal, let limit, let peer):
      text += "refused a connection for "
      text += service.name
      switch refusal {
      case .inAll: text += ": MaximumConnections="
      case .fromAddress: text += ": MaximumConnectionsPerAddress="
      case .tooOften: text += ": the number from one address in a minute, "
      }
      text.append(decimal: limit)
      text += refusal == .tooOften ? ", is passed" : " is reached"
      append(peer, to: &text)
    case .noDescriptors(let error):
      text += "no descriptor left for a new connection: "
      text += error.text
      text += "; raise LimitNOFILE= or lower MaximumConnections="
    case .fewDescriptors(let number, let wanted):
      text += "this process may open "
      text.append(decimal: number)
      text += " files, and MaximumConnections= may need "
      text.append(decimal: wanted)
      text += "; raise LimitNOFILE= or lower MaximumConnections="
    case .timedOut(let service, let awaited, let peer):
      text += service.name
      text += " session cut off: "
      text += awaited
      append(peer, to: &text)
    case .ended(let service, let reply, let peer):
      text += service.name
      text += " session ended: "
      text.append(shown: reply.span, limit: 200)
      append(peer, to: &text)
    case .controlRefused(let user):
      text += "control socket: user "
      text.append(decimal: UInt64(user))
      text += " is neither this server's nor root"
    case .tlsFailed(let service, let why, let peer):
      text += service.name
      text += " session ended, TLS failed: "
      text.append(shown: why.span, limit: 200)
      append(peer, to: &text)
    case .legacyTLS(let version, let peer):
      text += "an old device speaks "
      text += version
      text += ", which LegacyTLSFrom= lets it; others may read along"
      append(peer, to: &text)
    case .spool(let event):
      event.describe(into: &text)
    case .problem(let problem):
      text += problem.description
    case .reloaded:
      text += "configuration, accounts and aliases are read again"
    case .reloadRefused:
      text += "the new configuration is not used, the old one goes on to hold; mend what was named and reload again"
    case .needsRestart(let what):
      text += what
      text += " changed; that takes effect at the next start"
    case .failed(let what, let error):
      text += what
      text += ": "
      text += error.text
    case .messageBroken(let error, let peer):
      text += "a message could not be read to its end: "
      append(error, to: &text)
      text += "; the session was broken off, and its reader will try again. Run 'restante check'"
      append(peer, to: &text)
    case .draftFailed(let error):
      text += "a message that is coming in could not be written: "
      append(error, to: &text)
      text += "; its sender will be told to try again"
    case .configurationRefused:
      text += "not started: mend what was named, and try with 'restante check'"
    case .startFailed(let why):
      text += "not started: "
      text += why
    case .leftOut(let lines, let kind):
      text += "left out of the journal: "
      text.append(decimal: lines)
      text += " more lines of the kind \""
      text += kind
      text += "\""
    case .unknownSocket(let name):
      text += "the service manager handed over a socket named \""
      text.append(shown: name.span, limit: 200)
      text += "\", which is none of smtp, submissions, pop3 and pop3s; it is not served. Mend FileDescriptorName="
    case .socketMissing(let service, let isTLS):
      text += "not listening for "
      text += service.name
      if isTLS { text += " over TLS" }
      text += ": the service manager handed over other sockets, but none for this. Enable its socket unit, or say "
      text += isTLS ? "ListenTLS=no" : "Listen=no"
    case .socketUnwanted(let service, let isTLS):
      text += "not listening for "
      text += service.name
      text += isTLS ? " over TLS, as ListenTLS=no says" : ", as Listen=no says"
      text += "; but its socket unit keeps the port open, and who connects waits. Stop and mask that unit"
    case .stuck(let what):
      text += what
      text += "; asking the service manager for a new start. If it comes again, think of a new card"
    case .probeFailed(let error):
      text += "what is written to the spool's disk "
      if let error {
        text += "cannot be flushed or read back ("
        text += error.text
        text += ")"
      } else {
        text += "comes back as something else"
      }
      text += "; if that stays so, the server is started anew. Think of a new card"
    case .memoryPressure(let level):
      switch level {
      case 0: text += "memory is well again; everybody is served"
      case 1: text += "memory is short: caches are given back"
      case 2: text += "memory is short: new SMTP connections are told to try again later"
      default: text += "memory is short: new connections are told to try again later"
      }
    }
  }

  private func append(_ peer: SocketAddress, to text: inout Bytes) {
    text += " peer="
    text += peer.text
  }

  private func append(_ from: Bytes, _ peer: SocketAddress, to text: inout Bytes) {
    text += " from=<"
    text.append(shown: from.span, limit: Limits.path)
    text += ">"
    append(peer, to: &text)
  }

  private func append(_ error: SpoolError, to text: inout Bytes) {
    switch error {
    case .full: text += "the disk is full"
    case .failed(let error): text += error.text
    case .gone: text += "a message is gone"
    case .held: text += "another process has the spool"
    case .damaged: text += "what was read is not what was written"
    }
  }
}
