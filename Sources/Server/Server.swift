import Accounts
import POP3
import SMTP
import Spool
import System
import Wire

/// The mail drop at work: one thread that takes connections, lets each go on as far as it can, and waits.
///
/// It is made, and everything of it is called, on one thread; only ``Remote`` may be used from others.
public final class Server {
  public internal(set) var configuration: Configuration
  /// Reads the configuration again; nil where it is not in files.
  let readAgain: (() -> Configuration.Loaded)?
  public let journal: Journal
  let files: Files
  let spool: Spool
  var directory: Directory
  let hashing: HashingThread
  var passwords: PasswordCache
  var guessing: Guessing
  /// Recipients who are not here, by who asked for them.
  var misses = GuessingTable(limit: Limits.guessers)
  /// What decoys for unknown names are made with.
  let decoyKey: Bytes
  /// When each maildrop was last logged in to; kept only where there is a LoginDelay.
  var logins: [Bytes: Int64] = [:]

  var poll: Poll
  /// Absent where somebody else looks after them.
  private let signals: Signals?
  private let signalsNumber: Int32?
  let remote: WakeUp
  var listeners: [Listener] = []
  /// Beyond so many of all services the spool might lack descriptors.
  let mostConnections: Int
  /// Closed for a moment when descriptors run out, so that a connection can be taken and turned away.
  var spare: SpareDescriptor
  var connections = ConnectionTable()
  var counts: [ConnectionCounts] = []
  var smtpSettings: SMTP.Settings
  /// For the networks whose bare newlines are mended.
  var smtpSettingsNormalizing: SMTP.Settings
  var pop3Settings: POP3.Settings

  /// What new connections are encrypted with; nil while there is no certificate that can be used.
  var tls: TLSContext? { didSet { renewSettings() } }
  /// The same for the networks of LegacyTLSFrom=.
  var tlsLegacy: TLSContext?
  var certificate = CertificateInUse()
  /// The connections whose handshake is under way, the longest first.
  var handshakes: [UInt64] = []
  /// Whether there were as many as there may be, since ``tidyUp()``.
  var wasCrowded = false

  // Shared by all connections within a turn.
  var buffer = Bytes(repeating: 0, count: Limits.receiveBuffer)
  /// What the connection at hand is told.
  var reply = Bytes()
  var scratch = Bytes()
  private var ready: [(token: UInt64, ready: Poll.Ready)] = []
  /// The same of SMTP.
  private var senders: [(token: UInt64, ready: Poll.Ready)] = []
  private var nextSender = 0
  /// Those who go on in the next turn without the kernel's saying so.
  var queue: [UInt64] = []

  /// Seconds that the growing clock is put forward: tests do not wait.
  var skew: () -> Int64 = { 0 }
  /// Milliseconds and seconds of a clock that only grows, and seconds since 1970, as of this turn.
  var milliseconds: Int64 = 0
  var seconds: Int64 = 0
  var now: Int64 = 0
  var localOffset = 0
  private var offsetUntil: Int64 = 0
  /// When some connection's patience must be looked at, in ``seconds``.
  var nextLook = Int64.max
  private var lastLook = Int64.min
  /// When some connection is no longer held, in ``milliseconds``.
  var nextRelease = Int64.max
  private var nextTick: Int64 = 0
  private var busyUntil = Int64.min
  private var goesOnTicking = false

  let started: Int64
  var delivered: UInt64 = 0
  var loggedIn: UInt64 = 0
  /// Who was turned away lately.
  var refusals = Refusals()
  /// Who the self-test is, while one may be under way.
  var selfTest: SelfTestLogin?

  /// What the service manager is told.
  var supervision = Supervision()
  /// How short memory is.
  var pressure = MemoryPressure()

  enum Phase: Equatable {
    case serving
    /// Until then, in ``seconds``, what is under way may end.
    case draining(until: Int64)
    case ended
  }
  var phase = Phase.serving

  /// The tokens of what is not a connection.
  enum Token {
    static let signals: UInt64 = 0
    static let spool: UInt64 = 1
    static let hashing: UInt64 = 2
    static let remote: UInt64 = 3
    static let pressure: UInt64 = 4
    /// And from here on the listeners.
    static let listeners: UInt64 = 16
  }

  /// Opens listeners and spool. When it returns, clients can connect; they are served by ``run(until:)``.
  ///
  /// - Parameters:
  ///   - listeners: those that are open already; otherwise they are opened.
  ///   - handlesSignals: whether SIGTERM, SIGINT and SIGHUP are this server's.
  ///   - readAgain: what SIGHUP and `RELOAD` do about the configuration; accounts and aliases are read again anyway.
  public init(
    _ configuration: Configuration, listeners open: [Listener] = [], journal: Journal = Journal(),
    files: Files = Files(), handlesSignals: Bool = true, readAgain: (() -> Configuration.Loaded)? = nil
  ) throws(StartFailure) {
    self.configuration = configuration
    self.readAgain = readAgain
    self.journal = journal
    self.files = files
    let now = Clock.now
    let milliseconds = Clock.monotonic
    started = now
    do throws(Errno) {
      // Before any thread begins, so that signals come to this one.
      if handlesSignals {
        let own = try Signals()
        signalsNumber = own.number
        signals = consume own
      } else {
        signalsNumber = nil
        signals = nil
      }
      poll = try Poll()
      remote = try WakeUp()
      spare = SpareDescriptor(files)
      passwords = try PasswordCache()
      decoyKey = try Crypto.random(32)
      guessing = Guessing(key: try Crypto.random(16))
    } catch {
      throw StartFailure(StartFailure.unavailable, Bytes("the kernel gives no descriptors: ") + error.text)
    }
    let descriptors = Process.raiseDescriptorLimit()
    mostConnections = max(descriptors / 2, descriptors - Limits.descriptors)
    let state = configuration.device.stateDirectory
    // Before the spool is read, which may take seconds: whoever connects meanwhile waits instead of failing.
    let listeners = open.isEmpty ? try Listener.openAll(configuration, journal, now: milliseconds / 1000) : open
    // Started as root by hand, for the low ports: from here on as whom the mail belongs to, so that no file of the spool
    // ever belongs to root and the service cannot use it afterwards.
    if Process.user == 0, let owner = try? Identity(ownerOf: state), owner != .root { try? owner.become() }
    do throws(SpoolError) {
      spool = try Spool(
        state.appending("spool"), files: files, options: Self.options(configuration, files), now: now,
        progress: Self.tellProgress()
      ) { journal.record(.spool($0)) }
    } catch {
      throw Self.failure(error, state)
    }
    do throws(Errno) { hashing = try HashingThread() } catch {
      throw StartFailure(StartFailure.unavailable, Bytes("no thread for passwords: ") + error.text)
    }
    directory = Self.directory(configuration, files)
    smtpSettings = Self.smtpSettings(configuration, normalizing: false, offersTLS: false)
    smtpSettingsNormalizing = smtpSettings
    pop3Settings = Self.pop3Settings(configuration, offersTLS: false)
    self.listeners = listeners
    counts = Self.counts(configuration)
    readClock()
    directory.reload(now: now)
    tellProblems()
    loadTLS()
    openControlSocket()
    do throws(Errno) { try watch() } catch {
      throw StartFailure(StartFailure.unavailable, Bytes("the kernel watches no descriptors: ") + error.text)
    }
    record(.started(version: Bytes(Self.version), stateDirectory: state))
    for listener in self.listeners where listener.service != .control {
      record(.listening(listener.service, isTLS: listener.isTLS, listener.address))
    }
    if now < Limits.clockFloor { record(.clockNotSet) }
    let wanted = counts.reduce(Limits.descriptors) { $0 + $1.maximum }
    if descriptors < wanted { record(.fewDescriptors(descriptors, wanted: wanted)) }
    journal.flush(now: self.seconds)
  }

  /// This program's version.
  public static let version: StaticString = "0.1.0"

  private func watch() throws(Errno) {
    if let number = signalsNumber { try poll.add(number, .read, token: Token.signals) }
    try poll.add(spool.wakeUp, .read, token: Token.spool)
    try poll.add(hashing.descriptor, .read, token: Token.hashing)
    try poll.add(remote.descriptor, .read, token: Token.remote)
    watchMemory()
    for (index, listener) in listeners.enumerated() {
      try poll.add(listener.number, .read, token: Token.listeners + UInt64(index))
    }
  }

  // MARK: the loop

  /// Serves until it was told to end, by a signal, by ``Remote/stop()`` or because `isOver` says so, which is asked
  /// once in each turn of the loop; then lets what is under way end, closes the spool and returns.
  public func run(until isOver: () -> Bool = { false }) {
    tellReady()
    while phase != .ended {
      if phase == .serving, isOver() { drain() }
      turn()
    }
  }

  /// The addresses where a service can be reached, with the ports the kernel chose where the configuration has 0.
  public func addresses(of service: Service, isTLS: Bool = false) -> [SocketAddress] {
    listeners.compactMap { $0.service == service && $0.isTLS == isTLS ? $0.address : nil }
  }

  /// What other threads may do with a running server.
  public struct Remote: Sendable {
    fileprivate let wakeUp: WakeUp
    /// Ends the server as SIGTERM does.
    public func stop() { wakeUp.signal() }
  }

  public var remoteControl: Remote { Remote(wakeUp: remote) }

  /// Waits for something to do, and does it.
  func turn() {
    ready.removeAll(keepingCapacity: true)
    senders.removeAll(keepingCapacity: true)
    do throws(Errno) {
      try poll.wait(milliseconds: patience) { [self] token, can in
        if isSMTP(token) { senders.append((token, can)) } else { ready.append((token, can)) }
      }
    } catch {
      // Nothing we ask for can be refused; should it be all the same, do not spin.
      record(.failed("waiting for events", error))
    }
    readClock()
    let waiting = queue
    queue.removeAll(keepingCapacity: true)
    // Readers first: however many senders there are, the mail that is here can be fetched. Senders take turns.
    for (token, ready) in ready { dispatch(token, ready) }
    for _ in 0..<min(senders.count, Limits.turnSMTP) {
      nextSender = (nextSender + 1) % senders.count
      dispatch(senders[nextSender].token, senders[nextSender].ready)
    }
    for token in waiting {
      guard let connection = connections[token] else { continue }
      connection.flags.remove(.queued)
      drive(connection, mayRead: connection.channel != nil)
    }
    releaseHeld()
    lookAtConnections()
    tick()
    supervise()
    if milliseconds >= pressure.next { lookAtPressure() }
    if case .draining(let until) = phase, connections.isEmpty || seconds >= until { end() }
    journal.flush(now: seconds)
  }

  /// Milliseconds to wait for events.
  private var patience: Int {
    if !queue.isEmpty || goesOnTicking { return 0 }
    var until = min(nextTick, nextRelease, supervision.next, pressure.next)
    if nextLook < .max { until = min(until, max(nextLook, lastLook + 1) * 1000) }
    if case .draining(let end) = phase { until = min(until, end * 1000) }
    if journal.isWaiting { until = min(until, (seconds + 1) * 1000) }
    return Int(clamping: max(0, until - Clock.monotonic - skew() * 1000))
  }

  private func readClock() {
    milliseconds = Clock.monotonic + skew() * 1000
    seconds = milliseconds / 1000
    now = Clock.now
    if seconds >= offsetUntil {
      // It changes twice a year, and when somebody sets the clock.
      offsetUntil = seconds + 60
      localOffset = Clock.localOffset(at: now)
    }
  }

  private func isSMTP(_ token: UInt64) -> Bool {
    if let connection = connections[token] { return connection.service == .smtp }
    let index = Int(truncatingIfNeeded: token) - Int(Token.listeners)
    return listeners.indices.contains(index) && listeners[index].service == .smtp
  }

  private func dispatch(_ token: UInt64, _ ready: Poll.Ready) {
    if let connection = connections[token] { return event(connection, ready) }
    switch token {
    case Token.signals: obeySignals()
    case Token.spool: collect()
    case Token.hashing: collectPasswords()
    case Token.pressure: feelPressure()
    case Token.remote:
      remote.drain()
      drain()
    default:
      if token >= Token.listeners, token - Token.listeners < UInt64(listeners.count) {
        accept(listeners[Int(token - Token.listeners)])
      }
    }
  }

  private func obeySignals() {
    while let signal = signals?.next() {
      switch signal {
      case .terminate:
        // A second one is impatient.
        if case .draining = phase { phase = .draining(until: seconds) } else { drain() }
      case .reload: reload()
      case .other: break
      }
    }
  }

  /// Lets those whose patience was tried too long go: at most one pass a second.
  private func lookAtConnections() {
    guard seconds >= nextLook, seconds > lastLook else { return }
    lastLook = seconds
    nextLook = .max
    for connection in connections.all {
      let isTaking = connection.patience.awaited == .download
      let verdict = connection.patience.look(now: seconds) {
        // What the kernel still holds for the peer it has not taken.
        connection.moved - (isTaking ? Int64(Sockets.unacknowledged(connection.socket.number)) : 0)
      }
      if verdict == .over { timeOut(connection) } else { note(connection.patience.deadline) }
    }
  }

  /// Remembers to look at somebody's patience then.
  func note(_ deadline: Int64) { if deadline < nextLook { nextLook = deadline } }

  private func tick() {
    guard goesOnTicking || milliseconds >= nextTick else { return }
    goesOnTicking = spool.tick(now: now)
    lookAtPressure()
    announceCertificate()
    tidyUp()
    let isBusy = goesOnTicking || seconds < busyUntil
    nextTick = milliseconds + (isBusy ? 1000 : 30_000)
  }

  /// The spool was given something to do: what follows from that is looked after for a while.
  func spoolIsBusy() {
    busyUntil = seconds + 10
    nextTick = min(nextTick, milliseconds + 1000)
  }

  // MARK: what connections use

  func record(_ event: JournalEvent) {
    refusals.note(event, now: now)
    journal.record(event, now: seconds)
  }

  /// The first or last line that ``reply`` was given from `start` on, without its end.
  func line(since start: Int, last: Bool) -> Bytes {
    guard start < reply.count else { return [] }
    var end = reply.count
    if reply[end - 1] == ASCII.lf { end -= 1 }
    if end > start, reply[end - 1] == ASCII.cr { end -= 1 }
    if last {
      var begin = end
      while begin > start, reply[begin - 1] != ASCII.lf { begin -= 1 }
      return Bytes(reply[begin..<end])
    }
    var stop = start
    while stop < end, reply[stop] != ASCII.cr { stop += 1 }
    return Bytes(reply[start..<stop])
  }
}
