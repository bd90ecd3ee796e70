import Spool
import System
import Wire

/// One peer's connection: its socket, what could not be sent or carried out at once, and how long we wait.
///
/// There may be a thousand of them idle, so they are small: while nothing is under way no buffer is held. The subclasses
/// hold the dialogue.
class Connection {
  /// What a connection does after it was offered input.
  enum Step {
    /// Nothing whole is left: read more.
    case more
    /// Send the reply, then offer the rest.
    case flush
    /// Send the reply and after it this, then offer the rest.
    case transfer(Transfer)
    /// Nothing goes on until the spool or the hashing thread answers.
    case wait
    /// Send the reply, then begin TLS, and call ``startedTLS(_:)`` when it has begun.
    case startTLS
    /// Send the reply, then close.
    case close
  }

  struct Flags: OptionSet {
    let rawValue: UInt8
    /// The peer has sent its last.
    static let inputEnded = Flags(rawValue: 1)
    /// The peer is gone; what the spool does for it goes on.
    static let lost = Flags(rawValue: 2)
    /// Our last words are in the output.
    static let closing = Flags(rawValue: 4)
    /// Our last words are sent; what the peer still says is dropped.
    static let lingering = Flags(rawValue: 8)
    /// In the list of those who go on in the next turn without the kernel's saying so.
    static let queued = Flags(rawValue: 16)
    /// TLS is to begin, or has not come to its first word.
    static let handshaking = Flags(rawValue: 32)
    /// Nothing was said to the peer yet.
    static let fresh = Flags(rawValue: 64)
  }

  let socket: Descriptor
  /// How the poll, the spool and the hashing thread call it.
  let token: UInt64
  let peer: SocketAddress
  let service: Service

  /// Octets received and not consumed yet.
  final var input = Bytes()
  /// Octets of replies that the kernel did not take yet, from ``sent`` on.
  final var output = Bytes()
  final var sent = 0
  /// A message that is being sent.
  final var transfer: Transfer?
  /// What encrypts; nil in the clear, and until the peer begins its handshake.
  final var channel: SecureChannel?
  final var flags: Flags = []
  /// What the poll watches for.
  final var interest: Poll.Ready = .read
  final var patience = Patience()
  /// Octets of messages that went either way, for ``patience``.
  final var moved: Int64 = 0
  /// Until then, in ``Server/milliseconds``, nothing is read or carried out; 0 where it is not held. `Server.hold` sets
  /// it.
  final var heldUntil: Int64 = 0

  init(_ socket: consuming Descriptor, token: UInt64, peer: SocketAddress, service: Service) {
    self.socket = socket
    self.token = token
    self.peer = peer
    self.service = service
  }

  /// Appends the greeting.
  func greet(_ server: Server) {}

  /// Carries out what it can of `input`, appending to `server.reply`.
  func step(_ input: Span<UInt8>, _ server: Server) -> (consumed: Int, step: Step) { (input.count, .close) }

  /// Whether the spool or the hashing thread has to answer first.
  var isWaiting: Bool { false }

  /// Whether what the spool was asked for is to be done, and told to the journal, even if the peer is gone.
  var mustFinish: Bool { false }

  /// Who has logged in; empty where nobody has.
  var whose: Bytes { [] }

  /// Whether nothing is under way, so that the session can be ended without loss.
  var isBetweenTransactions: Bool { true }

  /// TLS has begun where it had not: what was said before is forgotten.
  func startedTLS(_ server: Server) {}

  /// What is awaited of the peer next, and for how many seconds.
  var awaits: (what: Patience.Awaited, seconds: Int) { (.command, Limits.smtpIdle) }

  /// Seconds it may do nothing before its place is given to a newcomer when there is no other; nil for never.
  var grace: Int64? { nil }

  /// Appends what is said when its place is given away.
  func crowdedOut(_ server: Server) { timedOut(server) }

  /// Appends what is said to a peer that did not wait for the greeting.
  func spokeTooEarly(_ server: Server) {}

  /// Appends what is said to a peer that was too slow.
  func timedOut(_ server: Server) {}

  /// Appends what is said when the server stops.
  func shuttingDown(_ server: Server) {}

  /// The spool has stored the message that was given to it, under this number, or has not.
  func stored(_ result: Result<UInt64, SpoolError>, _ server: Server) {}

  /// The spool has deleted or restored what it was asked to, or has not.
  func updated(_ error: SpoolError?, _ server: Server) {}

  /// The hashing thread has looked at a password.
  func hashed(_ job: HashingThread.Job, _ outcome: HashingThread.Outcome, _ server: Server) {}

  /// The time for which it was held is over. What follows is carried out after this.
  func released(_ server: Server) {}

  /// A message was sent to its end.
  func transferred(_ transfer: Transfer) {}

  /// The connection is over, and ``isWaiting`` with ``mustFinish`` is not the case.
  func ended(_ server: Server) {}

  /// Whether there is something to be sent.
  final var isSending: Bool { holdsOutput || transfer != nil }

  /// Whether something that was said did not reach the kernel.
  final var holdsOutput: Bool { !output.isEmpty || channel?.owes == true }

  /// What binds a login to this connection, the strongest first (RFC 9266, RFC 5929 §4); nil where there is none.
  final var channelBindings: (exporter: Bytes?, endPoint: Bytes?) {
    guard let channel, channel.isEstablished else { return (nil, nil) }
    return (channel.session.exporter(), channel.session.endPoint())
  }

  /// For the journal: the version of TLS such as `TLSv1.3`; empty in the clear.
  final var tlsVersion: Bytes {
    guard let channel, channel.isEstablished else { return [] }
    return channel.session.version
  }
}
