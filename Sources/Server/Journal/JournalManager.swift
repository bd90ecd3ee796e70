import System
import Wire

// Events of the service manager and of what it watches over. Each MESSAGE_ID has its entry in systemd/restante.catalog.
extension JournalEvent {
  /// The service manager handed over a socket of a name that means nothing here.
  public static func unknownSocket(name: Bytes) -> JournalEvent {
    var event = JournalEvent(
      """
      3 3e3b27c66bbf43078b7fb78c143a3aca the service manager handed over a socket named "{NAME}", which is none of \
      smtp, submissions, pop3 and pop3s; it is not served. Mend FileDescriptorName=
      """)
    event.add(name)
    return event
  }

  /// It handed over sockets, but none for this.
  public static func socketMissing(_ service: Service, isTLS: Bool) -> JournalEvent {
    var event = JournalEvent(
      """
      4 4706def27ea748dbafc04395cc960f22 not listening for {SERVICE}{ over TLS}: the service manager handed over other \
      sockets, but none for this. Enable its socket unit, or say {SETTING}=no
      """)
    event.add(service, isTLS)
    return event
  }

  /// It handed over one that the configuration does not want.
  public static func socketUnwanted(_ service: Service, isTLS: Bool) -> JournalEvent {
    var event = JournalEvent(
      """
      4 5d769923a1e74f5fac5ab2102023c143 not listening for {SERVICE}{ over TLS}, as {SETTING}=no says; but its socket \
      unit keeps the port open, and who connects waits. Stop and mask that unit
      """)
    event.add(service, isTLS)
    return event
  }

  private mutating func add(_ service: Service, _ isTLS: Bool) {
    add(service.name)
    add(isTLS ? "TLS" : "")
    add(isTLS ? "ListenTLS" : "Listen")
  }

  /// What does not go on any more; the service manager is asked for a new start.
  public static func stuck(_ what: StaticString) -> JournalEvent {
    var event = JournalEvent(
      """
      3 5c043abec060412f8f5a374ddd75577c stuck: {REASON}; asking the service manager for a new start. If it comes \
      again, think of a new card
      """)
    event.add(what)
    return event
  }

  /// A file of the spool could not be written, flushed and read back; nil when what came back was something else.
  public static func probeFailed(_ error: Errno?) -> JournalEvent {
    var event = JournalEvent(
      """
      3 54a48e42206c4449b59f064bee72bcab what is written to the spool's disk does not come back: {REASON}; if that \
      stays so, the server is started anew. Think of a new card
      """)
    if let error { event.add(error) } else { event.add("something else was read") }
    return event
  }

  /// Memory is short: what is done about it, from 0 (nothing any more) to 3.
  public static func memoryPressure(_ level: Int) -> JournalEvent {
    if level == 0 {
      return JournalEvent("5 7643de096fbb41208e7d0bcef5490591 memory is well again; everybody is served")
    }
    var event = JournalEvent("4 116ffd5fab5842e7a2cb28276033510b memory is short: {ACTION}")
    switch level {
    case 1: event.add("caches are given back")
    case 2: event.add("new SMTP connections are told to try again later")
    default: event.add("new connections are told to try again later")
    }
    return event
  }
}
