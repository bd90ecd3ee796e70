import Wire

/// Who has connected.
public struct Peer: Sendable {
  /// As it stands in an address literal: `192.0.2.1` or `IPv6:2001:db8::1` (RFC 5321 §4.1.3).
  public let address: Bytes

  public init(address: Bytes) { self.address = address }
}
