import Wire

/// Where a recipient's mail goes.
public enum Resolution: Equatable, Sendable {
  /// Into these accounts' maildrops, each named once.
  case maildrops([Bytes])
  /// The domain is ours, the name is nobody's.
  case unknown
  /// The domain is not ours.
  case notLocal
  /// Somebody's, perhaps: the line or the file that would say whose cannot be read, or an alias reaches nobody. The
  /// sender keeps the mail and tries again; it is not its fault.
  case temporarily
}
