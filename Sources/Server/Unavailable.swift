import System
import Wire

/// The mail drop while its mail cannot be reached: the disk is missing, or damaged beyond use. It holds the ports and says
/// so, for a sender that hears 421 keeps its mail and comes again, and a reader that hears [SYS/TEMP] forgets nothing.
///
/// Every half minute somebody else tries whether the mail is back: see ``serve(configurationPath:)``.
final class Unavailable {
  /// Somebody who is to be told.
  private final class Guest {
    let socket: Descriptor
    let service: Service
    /// How the poll calls it.
    let token: UInt64
    var channel: SecureChannel?
    let until: Int64

    init(_ socket: consuming Descriptor, _ service: Service, token: UInt64, until: Int64) {
      self.socket = socket
      self.service = service
      self.token = token
      self.until = until
    }
  }

  /// Seconds until it is tried again.
  static let patience: Int64 = 30
  /// Where the device's start says that there is no disk for the mail, and why.
  static let missingData = Path("/run/restante-data.missing")
  /// And where it says that what was on it is lost, and nobody has seen to it yet.
  static let lostData = Path("/run/restante-data.lost")
  /// Handshakes at a time, and milliseconds that each may take.
  private static let guests = 64
  private static let guestPatience: Int64 = 10_000

  private let configuration: Configuration
  private let listeners: [Listener]
  private let files: Files
  private let started = Clock.now
  private let signals: Signals
  private var poll: Poll
  private var control: Descriptor?
  private var why = Bytes()
  private var tls: TLSContext?
  private var guests: [Guest] = []
  private var tokens = Unavailable.firstGuest

  private static let signalsToken: UInt64 = 0
  private static let controlToken: UInt64 = 1
  private static let firstListener: UInt64 = 16
  private static let firstGuest: UInt64 = 1 << 32

  init(_ configuration: Configuration, _ listeners: [Listener], _ files: Files) throws(Errno) {
    self.configuration = configuration
    self.listeners = listeners
    self.files = files
    signals = try Signals()
    poll = try Poll()
    try poll.add(signals.number, .read, token: Unavailable.signalsToken)
    for (index, listener) in listeners.enumerated() {
      try poll.add(listener.number, .read, token: Unavailable.firstListener + UInt64(index))
    }
  }

  /// Why the data partition is not there, in the words of who looked for it; nil when it is.
  static func missing(_ files: Files) -> Bytes? {
    let place = files.exists(lostData) ? lostData : missingData
    guard var text = try? files.contents(place, limit: 4096) else {
      return files.exists(place) ? Bytes("the data partition is missing") : nil
    }
    while let last = text.last, last <= ASCII.space { text.removeLast() }
    return text.isEmpty ? Bytes("the data partition is missing") : text
  }

  /// Tells everybody who comes, for half a minute. True when this process was told to end.
  func serve(_ why: Bytes) -> Bool {
    if why != self.why {
      self.why = why
      var status = Bytes("READY=1\nSTATUS=Mail is not served: ")
      status.append(shown: why.span, limit: 1000)
      ServiceManager.tell(status)
    }
    if control == nil, let socket = try? Sockets.listen(at: controlPath) {
      try? poll.add(socket.number, .read, token: Unavailable.controlToken)
      control = consume socket
    }
    if tls == nil { tls = context() }
    let end = Clock.monotonic + Unavailable.patience * 1000
    let interval = ServiceManager.watchdogInterval / 2
    var isOver = false
    while !isOver {
      let now = Clock.monotonic
      if now >= end { return false }
      if interval > 0 { ServiceManager.tell("WATCHDOG=1") }
      guests.removeAll { $0.until <= now }
      var ready: [UInt64] = []
      let wait = min(end - now, interval > 0 ? interval : .max, guests.isEmpty ? .max : 1000)
      do throws(Errno) {
        try poll.wait(milliseconds: Int(wait)) { token, _ in ready.append(token) }
      } catch { return false }
      for token in ready {
        switch token {
        case Unavailable.signalsToken:
          switch signals.next() {
          case .terminate?: isOver = true
          // Somebody mended something.
          case .reload?: return false
          default: break
          }
        case Unavailable.controlToken: answerControl()
        case Unavailable.firstGuest...: greet(token)
        default: take(listeners[Int(token - Unavailable.firstListener)])
        }
      }
    }
    ServiceManager.tell("STOPPING=1")
    try? files.remove(controlPath)
    return true
  }

  private var controlPath: Path { configuration.device.stateDirectory.appending("control") }

  // MARK: mail

  /// What the ports with TLS need to say anything. Not one made for now: programs would take the device for another.
  private func context() -> TLSContext? {
    guard let loaded = try? Certificates.find(configuration, files) else { return nil }
    return try? TLSContext(certificate: loaded.certificate.pem, key: loaded.key, minimum: .tls12)
  }

  private func take(_ listener: Listener) {
    guard let accepted = try? Sockets.accept(listener.number) else { return }
    tokens += 1
    let guest = Guest(
      accepted.socket, listener.service, token: tokens, until: Clock.monotonic + Unavailable.guestPatience)
    guard listener.isTLS else { return say(guest) }
    guard let tls, guests.count < Unavailable.guests,
      let session = try? TLSSession(
        tls, socket: guest.socket.number, protocol: listener.service == .pop3 ? "pop3" : "smtp")
    else { return }
    guest.channel = SecureChannel(session)
    guests.append(guest)
    try? poll.add(guest.socket.number, .read, token: guest.token)
  }

  /// Goes on with a handshake.
  private func greet(_ token: UInt64) {
    guard let index = guests.firstIndex(where: { $0.token == token }), let channel = guests[index].channel
    else { return }
    do throws(TLSFailure) {
      guard try channel.handshake() else { return }
      say(guests[index])
      channel.session.shutdown()
    } catch {}
    guests.remove(at: index)
  }

  /// A few octets to a connection whose buffers are empty; whatever it says is not listened to.
  private func say(_ guest: Guest) {
    var line = Bytes()
    if guest.service == .smtp {
      // RFC 5321 §3.8: before the greeting, too.
      line += "421 4.3.2 "
      line += configuration.device.hostName
      line += " The mail store of this device cannot be reached now. Keep the message and try again later.\r\n"
    } else {
      line += "-ERR [SYS/TEMP] The mail store of this device cannot be reached now. Nothing was deleted; its technician"
      line += " should look at the console.\r\n"
    }
    if let channel = guest.channel {
      _ = try? channel.send(line.span, more: false)
    } else {
      _ = try? Sockets.send(guest.socket.number, line.span)
      Sockets.shutdownWrite(guest.socket.number)
    }
  }

  // MARK: commands

  /// Answers a command's requests as they come; it says them at once, and waits for the answers.
  private func answerControl() {
    guard let number = control?.number, let accepted = try? Sockets.accept(number),
      let user = try? Sockets.peerUser(accepted.socket.number), user == 0 || user == Process.user,
      var one = try? Poll(), (try? one.add(accepted.socket.number, .read, token: 0)) != nil
    else { return }
    var session = ControlSession()
    var input = Bytes()
    while true {
      var isReady = false
      do throws(Errno) {
        try one.wait(milliseconds: 1000) { _, _ in isReady = true }
        guard isReady else { return }
        var piece = Bytes(repeating: 0, count: 4096)
        let count = try Sockets.receive(accepted.socket.number, into: &piece)
        if count == 0 { return }
        input += piece.span.extracting(0..<count)
      } catch { return }
      var reply = Bytes()
      var content = Bytes()
      let (consumed, effect) = session.receive(input.span, reply: &reply, content: &content)
      input.removeFirst(consumed)
      if case .request(.status) = effect {
        session.answer(lines: statusLines, reply: &reply)
      } else if case .request = effect {
        session.refuse(StartFailure.tryAgain, Bytes("Mail is not served now: ") + why, reply: &reply)
      }
      _ = try? Sockets.send(accepted.socket.number, reply.span)
      if case .close = effect { return }
    }
  }

  private var statusLines: [Bytes] {
    var lines = Server.identityLines(started: started, listeners)
    lines.append(Bytes("unavailable=") + why)
    return lines
  }
}
