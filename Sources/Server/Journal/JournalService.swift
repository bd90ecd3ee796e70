import System
import Wire

// Events of the service as a whole. Each MESSAGE_ID has its entry in systemd/restante.catalog.
extension JournalEvent {
  public static func started(version: Bytes, stateDirectory: Path) -> JournalEvent {
    var event = JournalEvent("5 732f3664e737417f8507981ab73b1cf9 Restante {VERSION} started, mail is kept in {FILE}")
    event.add(version)
    event.add(stateDirectory)
    return event
  }

  public static func startFailed(_ why: Bytes) -> JournalEvent {
    var event = JournalEvent("3 3f298b9393c441088a5f6dacb42ccf23 not started: {REASON}")
    event.add(why, limit: 4096)
    return event
  }

  /// The mail cannot be reached; everybody is told to come again until it can.
  public static func unavailable(_ why: Bytes) -> JournalEvent {
    var event = JournalEvent(
      """
      3 8b8eefd605664efcb74bf7902b4f9731 mail is not served: {REASON}; senders are told to try again later, readers \
      that it is temporary. It is tried again every 30 seconds
      """)
    event.add(why, limit: 4096)
    return event
  }

  public static var configurationRefused: JournalEvent {
    JournalEvent("3 7272c56440964bd28130137c53190ef3 not started: mend what was named, and try with 'restante check'")
  }

  public static func stopping(connections: Int) -> JournalEvent {
    var event = JournalEvent("5 5b0559b05761460e9cc5515bc879674e stopping; connections to end: {CONNECTIONS}")
    event.add(connections)
    return event
  }

  public static var stopped: JournalEvent { JournalEvent("5 02605b1adb2141eb8c61ba3ef086037b stopped") }

  public static func listening(_ service: Service, isTLS: Bool, _ address: SocketAddress) -> JournalEvent {
    var event = JournalEvent("6 963cb4735b1b439eb89837cc716ec01b listening for {SERVICE}{ over TLS} on {ADDRESS}")
    event.add(service.name)
    event.add(isTLS ? "TLS" : "")
    event.add(address.textWithPort)
    return event
  }

  /// One of a port's two address families is not to be had.
  public static func notListening(_ service: Service, _ address: SocketAddress, _ error: Errno) -> JournalEvent {
    var event = JournalEvent(
      """
      4 ddd4c93273304b2bb9eb1d046e1f9bf0 not listening for {SERVICE} on {ADDRESS}: {REASON}; the other address family \
      is served
      """)
    event.add(service.name)
    event.add(address.textWithPort)
    event.add(error)
    return event
  }

  public static func noControlSocket(_ path: Path, _ error: Errno) -> JournalEvent {
    var event = JournalEvent(
      """
      4 08e38d8afde04b6fbfc57d52a03de114 no control socket at {FILE}: {REASON}; mail is served, but status, restore \
      and import cannot reach this server
      """)
    event.add(path)
    event.add(error)
    return event
  }

  public static func controlRefused(user: UInt32) -> JournalEvent {
    var event = JournalEvent(
      "4*9b23c1995f6640418721906f18074e54 control socket: user {USER} is neither this server's nor root")
    event.add(user)
    return event
  }

  public static var clockNotSet: JournalEvent {
    JournalEvent(
      """
      4 1fd78ade48f14075b0e2102059c4d64e the clock is not set; mail received now is marked with a time that is not \
      right
      """)
  }

  // MARK: configuration

  /// Something is wrong in a file that people write.
  public static func problem(_ problem: Problem) -> JournalEvent {
    var event = JournalEvent("4 7f90d49fa225431b8fea9ed1fcb0d5d1 {FILE}{:LINE}: {REASON}")
    event.add(problem)
    return event
  }

  mutating func add(_ problem: Problem) {
    add(problem.file)
    if problem.line > 0 { add(problem.line) } else { add("") }
    add(problem.text, limit: 4096)
  }

  public static var reloaded: JournalEvent {
    JournalEvent("5 1f0a059978f143ddafd5359bcd7a9e41 configuration, accounts and aliases are read again")
  }

  public static var reloadRefused: JournalEvent {
    JournalEvent(
      """
      3 68ffb851f5a548d98155058018ac0ead the new configuration is not used, the old one goes on to hold; mend what was \
      named and reload again
      """)
  }

  public static func needsRestart(_ what: StaticString) -> JournalEvent {
    var event = JournalEvent(
      "4 e13bf78310254022aaa37ec16354be2b {SETTING} changed; that takes effect at the next start")
    event.add(what)
    return event
  }

  // MARK: faults

  /// Something this server needs of the system failed.
  public static func failed(_ what: StaticString, _ error: Errno) -> JournalEvent {
    var event = JournalEvent("3*de67a8b2269d40d9a8415e6f43d5c407 fault while {ACTION}: {REASON}")
    event.add(what)
    event.add(error)
    return event
  }

  public static func noDescriptors(_ error: Errno) -> JournalEvent {
    var event = JournalEvent(
      """
      4*6f2abd2edc2d46c4ad8e8814a99266d2 no descriptor left for a new connection: {REASON}; raise LimitNOFILE= or \
      lower MaximumConnections=
      """)
    event.add(error)
    return event
  }

  public static func fewDescriptors(_ number: Int, wanted: Int) -> JournalEvent {
    var event = JournalEvent(
      """
      4 38dfefce2d9d4fc19e03f111b2dba994 this process may open {LIMIT} files, and MaximumConnections= may need \
      {WANTED}; raise LimitNOFILE= or lower MaximumConnections=
      """)
    event.add(number)
    event.add(wanted)
    return event
  }

  /// So many lines like `example` were not written.
  static func leftOut(lines: Int, like example: Bytes) -> JournalEvent {
    var event = JournalEvent(
      "4 4c630a535f624996ab3cfb4584f006ad left out of the journal: {LINES} more lines of the kind \"{KIND}\"")
    event.add(lines)
    event.add(example)
    return event
  }
}
