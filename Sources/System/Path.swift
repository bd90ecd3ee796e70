import Wire

/// A file's name for the kernel.
public struct Path: Equatable, Sendable {
  /// The octets of the path, without NUL.
  public private(set) var bytes: Bytes

  /// Octets after a NUL are cut: the kernel would not see them.
  public init(_ bytes: Bytes) {
    self.bytes = bytes.firstIndex(of: 0).map { Bytes(bytes[..<$0]) } ?? bytes
  }

  public init(_ text: StaticString) { self.init(Bytes(text)) }

  /// This path, a slash, and `name`.
  public func appending(_ name: Bytes) -> Path {
    var joined = bytes
    if joined.last != 0x2F && !joined.isEmpty { joined.append(0x2F) }
    joined += name
    return Path(joined)
  }

  public func appending(_ name: StaticString) -> Path { appending(Bytes(name)) }

  /// The path with `suffix` put at its end.
  public func adding(suffix: StaticString) -> Path {
    var longer = bytes
    longer += suffix
    return Path(longer)
  }

  /// The directory this path's last part stands in: "." for a bare name.
  public var directory: Path {
    guard let slash = bytes.lastIndex(of: 0x2F) else { return Path(".") }
    return slash == 0 ? Path("/") : Path(Bytes(bytes[..<slash]))
  }

  /// The part after the last slash.
  public var name: Bytes {
    guard let slash = bytes.lastIndex(of: 0x2F) else { return bytes }
    return Bytes(bytes[(slash + 1)...])
  }

  /// Calls `body` with the path as the kernel wants it.
  func withCString<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
    var terminated = bytes
    terminated.append(0)
    return unsafe terminated.withUnsafeBytes { buffer in
      unsafe body(buffer.baseAddress!.assumingMemoryBound(to: CChar.self))
    }
  }
}
