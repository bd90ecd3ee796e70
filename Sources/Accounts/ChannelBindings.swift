import Wire

/// What ties a login to the TLS connection it is made on, so that nobody in the middle can pass it on: RFC 5056. Each
/// is nil where the connection has none.
public struct ChannelBindings: Sendable {
  /// `tls-exporter`: RFC 9266.
  public let exporter: Bytes?
  /// `tls-server-end-point`: RFC 5929 §4.
  public let endPoint: Bytes?

  public init(exporter: Bytes?, endPoint: Bytes?) {
    self.exporter = exporter
    self.endPoint = endPoint
  }
}
