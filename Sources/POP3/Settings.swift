import Wire

/// What all sessions of a listener share. A class, so that a thousand idle sessions hold one copy.
public final class Settings: Sendable {
  /// Our name in the greeting.
  public let hostName: Bytes
  /// What IMPLEMENTATION says: RFC 2449 §6.9.
  public let implementation: Bytes
  /// Days a message that was read may stay on the server; nil is for ever. RFC 2449 §6.7.
  public let expireDays: Int?
  /// Seconds that must pass between two logins of one user; nil where there is no such rule. RFC 2449 §6.5.
  public let loginDelay: Int?
  /// Whether no password is taken on a connection that is not secure: RFC 8314 §3.1.
  public let requireTLS: Bool
  /// Whether STLS is offered on a connection that is not secure: RFC 2595 §4.
  public let offersTLS: Bool
  /// Whether user names may be in UTF-8: RFC 6856 §2.2.
  public let utf8Names: Bool

  public init(
    hostName: Bytes, implementation: Bytes = Bytes("Restante"), expireDays: Int? = nil, loginDelay: Int? = nil,
    requireTLS: Bool = false, offersTLS: Bool = false, utf8Names: Bool = false
  ) {
    self.hostName = hostName
    self.implementation = implementation
    self.expireDays = expireDays
    self.loginDelay = loginDelay
    self.requireTLS = requireTLS
    self.offersTLS = offersTLS
    self.utf8Names = utf8Names
  }
}
