import System
import Wire

// Events of TLS and its certificate. Each MESSAGE_ID has its entry in systemd/restante.catalog.
extension JournalEvent {
  /// No certificate can be used; why.
  public static func withoutTLS(why: Bytes) -> JournalEvent {
    var event = JournalEvent(
      """
      3 bb904955ccc84672b48c0bf2648f7bb5 no TLS: {REASON}; mail is taken in the clear, and with RequireTLS=yes \
      passwords from this machine alone
      """)
    event.add(why, limit: 4096)
    return event
  }

  /// A handshake, or what came after it, was not TLS as we speak it; OpenSSL's reason.
  public static func tlsFailed(_ service: Service, why: Bytes, peer: SocketAddress) -> JournalEvent {
    var event = JournalEvent(
      "5*b550ec06e04c4477ba2df5ad3967f08c TLS failed, the session ended: {REASON} service={SERVICE} peer={PEER}")
    event.add(why)
    event.add(service.name)
    event.add(peer)
    return event
  }

  /// A device of LegacyTLSFrom= spoke a version older than 1.2.
  public static func legacyTLS(_ version: Bytes, peer: SocketAddress) -> JournalEvent {
    var event = JournalEvent(
      """
      5 77b107b7502a4affa91cb8afcb7448d5 an old device speaks {TLS}, which LegacyTLSFrom= lets it; others may read \
      along peer={PEER}
      """)
    event.add(version)
    event.add(peer)
    return event
  }

  // MARK: the certificate

  /// The certificate that connections are shown from now on; whether it was made just now.
  public static func certificateInUse(_ certificate: Certificate, isNew: Bool) -> JournalEvent {
    var event = JournalEvent(
      isNew
        ? """
        5 98eceba8eac643fd9577fa9fc23a6e76 made a key and a certificate of our own for {NAMES}, valid until {UNTIL}, \
        SHA-256 fingerprint {FINGERPRINT}; mail programs ask once whether to trust it
        """
        : """
        5 043832e3cee04fa0a5411a673426a85a certificate for {NAMES}, valid until {UNTIL}, \
        SHA-256 fingerprint {FINGERPRINT}
        """)
    event.add(certificate.names, limit: 4 * Limits.domain)
    var until = Bytes()
    Timestamp.append(certificate.notAfter, to: &until)
    event.add(until)
    event.add(certificate.fingerprint)
    return event
  }

  /// The certificate that should be used cannot be; whether our own is used instead of it, or the one before.
  public static func certificateProblem(_ problem: Problem, standsIn: Bool) -> JournalEvent {
    var event = JournalEvent(
      """
      3 a474361d3b6641138bd378a43abb547b the certificate cannot be used: {FILE}{:LINE}: {REASON}; mend it and reload. \
      Meanwhile TLS goes on with {SUBSTITUTE}
      """)
    event.add(problem)
    event.add(
      standsIn ? "one that this device made for itself, so that mail programs warn of it" : "the one before")
    return event
  }

  /// Whole days until the certificate ends; negative when it has.
  public static func certificateExpires(days: Int) -> JournalEvent {
    if days < 0 {
      return JournalEvent(
        """
        3 65420c141eab44f689634d127c89992a the certificate has expired, so mail programs refuse to connect. Get a new \
        one: 'restante help certificate install'
        """)
    }
    var event = JournalEvent(
      """
      4 fdc91031406a4255a3270a062a2dd9a4 the certificate expires in {DAYS} days; then mail programs will refuse to \
      connect. Get a new one: 'restante help certificate install'
      """)
    event.add(days)
    return event
  }
}
