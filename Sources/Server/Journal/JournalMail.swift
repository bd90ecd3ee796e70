import Spool
import System
import Wire

// Events of connections and mail. Each MESSAGE_ID has its entry in systemd/restante.catalog. No password, no message
// text.
extension JournalEvent {
  public static func delivered(
    sequence: UInt64, from: Bytes, to: [Bytes], octets: Int, peer: SocketAddress, tls: Bytes = []
  ) -> JournalEvent {
    var event = JournalEvent(
      """
      6 227bf10280674982955028a28691c856 delivered {SEQUENCE}: from=<{FROM}> to={MAILDROP+}{,... (RECIPIENTS in all)} \
      octets={OCTETS} peer={PEER}{ tls=TLS}
      """)
    event.add(sequence)
    event.add(from, limit: Limits.path)
    // A journal line has its limits; the message itself names nobody, but its record in the spool does.
    var names = Bytes()
    for name in to.prefix(20) {
      if !names.isEmpty { names += "," }
      names += name
    }
    event.add(names, limit: 20 * Limits.accountName)
    if to.count > 20 { event.add(to.count) } else { event.add("") }
    event.add(octets)
    event.add(peer)
    event.add(tls)
    return event
  }

  public static func recipientRefused(
    recipient: Bytes, reason: StaticString, from: Bytes, peer: SocketAddress
  ) -> JournalEvent {
    var event = JournalEvent(
      "6*a4280863372849068fa9914978c17720 refused recipient <{RECIPIENT}>: {REASON} from=<{FROM}> peer={PEER}")
    event.add(recipient, limit: Limits.path)
    event.add(reason)
    event.add(from, limit: Limits.path)
    event.add(peer)
    return event
  }

  /// A message that nobody here got; `reply` is what its sender was told.
  public static func messageRefused(reply: Bytes, from: Bytes, peer: SocketAddress) -> JournalEvent {
    var event = JournalEvent("5*0a122741e0924e228e1a8f5f356dc81b refused message: {REPLY} from=<{FROM}> peer={PEER}")
    event.add(reply)
    event.add(from, limit: Limits.path)
    event.add(peer)
    return event
  }

  // MARK: readers

  public static func login(_ service: Service, name: Bytes, peer: SocketAddress, tls: Bytes) -> JournalEvent {
    var event = JournalEvent(
      "6 2ca0226e774b47e69536a045dc72a992 login: {MAILDROP} service={SERVICE} peer={PEER}{ tls=TLS}")
    event.add(name, limit: Limits.accountName)
    event.add(service.name)
    event.add(peer)
    event.add(tls)
    return event
  }

  /// - Parameter name: empty where no account has the name that was given. It is not told: people type passwords there.
  public static func loginRefused(
    _ service: Service, name: Bytes, reason: StaticString, peer: SocketAddress, tls: Bytes
  ) -> JournalEvent {
    var event = JournalEvent(
      "4*f0e7253a973c413f93e97231f805063f login refused: {MAILDROP: }{REASON} service={SERVICE} peer={PEER}{ tls=TLS}")
    event.add(name, limit: Limits.accountName)
    event.add(reason)
    event.add(service.name)
    event.add(peer)
    event.add(tls)
    return event
  }

  /// Too many wrong passwords: for so many seconds none is looked at from there.
  public static func banned(peer: SocketAddress, seconds: Int64, _ service: Service) -> JournalEvent {
    var event = JournalEvent(
      """
      4 250d7b5e82ad4e9cab0f1439b0a66b43 banned for {SECONDS} seconds: too many wrong passwords service={SERVICE} \
      peer={PEER}
      """)
    event.add(seconds)
    event.add(service.name)
    event.add(peer)
    return event
  }

  public static func fetched(name: Bytes, _ done: Fetched, peer: SocketAddress) -> JournalEvent {
    var event = JournalEvent(
      """
      6 1b3374c008bc445db800f2640fbc0ef6 fetched: {MAILDROP} top={TOPPED}/{TOPPED_OCTETS} \
      retr={RETRIEVED}/{RETRIEVED_OCTETS} del={DELETED}/{MESSAGES} size={OCTETS} peer={PEER}
      """)
    event.add(name, limit: Limits.accountName)
    event.add(Int(done.topped))
    event.add(done.toppedOctets)
    event.add(Int(done.retrieved))
    event.add(done.retrievedOctets)
    event.add(done.deleted)
    event.add(done.messages)
    event.add(done.octets)
    event.add(peer)
    return event
  }

  /// By a reader at QUIT, or by a command, whose peer is local.
  public static func deleted(name: Bytes, messages: Int, peer: SocketAddress) -> JournalEvent {
    var event = JournalEvent("5 cbb72d438526429ab55de981a49ebf88 deleted: {MAILDROP} messages={MESSAGES} peer={PEER}")
    event.add(name, limit: Limits.accountName)
    event.add(messages)
    event.add(peer)
    return event
  }

  public static func restored(name: Bytes, messages: Int, peer: SocketAddress) -> JournalEvent {
    var event = JournalEvent("5 67c7f34e3b7b4df69b41db8382d508bb restored: {MAILDROP} messages={MESSAGES} peer={PEER}")
    event.add(name, limit: Limits.accountName)
    event.add(messages)
    event.add(peer)
    return event
  }

  public static func maildropFault(name: Bytes, _ error: SpoolError, peer: SocketAddress) -> JournalEvent {
    var event = JournalEvent(
      """
      4*d60a18ac32104447a33c76db280a80be maildrop could not be served: {MAILDROP}: {REASON}; its reader was told to \
      try again. If it stays so, run 'restante check' peer={PEER}
      """)
    event.add(name, limit: Limits.accountName)
    event.add(error)
    event.add(peer)
    return event
  }

  /// The beginning of a message was sent, and the rest cannot be read.
  public static func messageBroken(_ error: SpoolError, peer: SocketAddress) -> JournalEvent {
    var event = JournalEvent(
      """
      3*dea468ced1a943de99678ba988b97b32 a message could not be read to its end: {REASON}; the session was broken off, \
      and its reader will try again. Run 'restante check' peer={PEER}
      """)
    event.add(error)
    event.add(peer)
    return event
  }

  public static func draftFailed(_ error: SpoolError) -> JournalEvent {
    var event = JournalEvent(
      """
      3*3a12e5af50da4a9ea339217284a7d693 a message that is coming in could not be written: {REASON}; its sender will \
      be told to try again
      """)
    event.add(error)
    return event
  }

  // MARK: connections

  public static func tooManyConnections(
    _ service: Service, _ refusal: ConnectionCounts.Refusal, limit: Int, peer: SocketAddress
  ) -> JournalEvent {
    var event = JournalEvent(
      """
      4*ef7713ec53a74a39967ca6a9dfcd00e8 refused a connection: {REASON}{LIMIT} is reached service={SERVICE} \
      peer={PEER}
      """)
    switch refusal {
    case .inAll: event.add("MaximumConnections=")
    case .fromAddress: event.add("MaximumConnectionsPerAddress=")
    case .tooOften: event.add("the most that one address may make in a minute, ")
    }
    event.add(limit)
    event.add(service.name)
    event.add(peer)
    return event
  }

  public static func timedOut(_ service: Service, awaited: StaticString, peer: SocketAddress) -> JournalEvent {
    var event = JournalEvent(
      "5*be8e8a0d9f6d485a836ab00b99190e3e session cut off: {REASON} service={SERVICE} peer={PEER}")
    event.add(awaited)
    event.add(service.name)
    event.add(peer)
    return event
  }

  /// A session that we ended; `reply` is the last line it was told.
  public static func ended(_ service: Service, reply: Bytes, peer: SocketAddress) -> JournalEvent {
    var event = JournalEvent("5*051804119e774a0ca64c30a6cb0e8b0a session ended: {REPLY} service={SERVICE} peer={PEER}")
    event.add(reply)
    event.add(service.name)
    event.add(peer)
    return event
  }

  /// What the spool has to tell.
  public static func spool(_ event: SpoolEvent) -> JournalEvent { event.event }

  private mutating func add(_ error: SpoolError) {
    switch error {
    case .full: add("the disk is full")
    case .failed(let error): add(error)
    case .gone: add("a message is gone")
    case .held: add("another process has the spool")
    case .damaged: add("what was read is not what was written")
    }
  }
}
