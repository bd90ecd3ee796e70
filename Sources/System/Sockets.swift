import CLinux
import Wire

/// The address of a listener or a peer.
public struct SocketAddress: Equatable, Sendable {
  public enum Family: UInt8, Sendable {
    case unix = 1
    case ipv4 = 4
    case ipv6 = 6
  }

  var raw: cl_address

  /// Reads an address in text form, without brackets.
  public init?(_ text: Bytes, port: UInt16) {
    raw = cl_address()
    var terminated = text
    if terminated.contains(0) { return nil }
    terminated.append(0)
    let result = unsafe terminated.withUnsafeBytes {
      unsafe cl_parse_address($0.baseAddress!.assumingMemoryBound(to: CChar.self), &raw)
    }
    if result < 0 { return nil }
    raw.port = port
  }

  init(_ raw: cl_address) { self.raw = raw }

  /// All addresses of the family.
  public static func any(_ family: Family, port: UInt16) -> SocketAddress {
    var raw = cl_address()
    raw.family = family.rawValue
    raw.port = port
    return SocketAddress(raw)
  }

  public var family: Family { Family(rawValue: raw.family) ?? .unix }
  public var port: UInt16 { raw.port }

  /// Four octets of an IPv4 address or sixteen of an IPv6 one.
  public var octets: Bytes {
    let all = unsafe withUnsafeBytes(of: raw.octets) { unsafe Bytes($0) }
    return family == .ipv4 ? Bytes(all[..<4]) : all
  }

  /// 127.0.0.0/8, ::1, or a local socket.
  public var isLoopback: Bool {
    switch family {
    case .unix: true
    case .ipv4: octets[0] == 127
    case .ipv6: octets == Bytes(repeating: 0, count: 15) + [1]
    }
  }

  /// The address alone: `192.0.2.1`, `2001:db8::1`, or `local`.
  public var text: Bytes {
    guard family != .unix else { return Bytes("local") }
    var buffer = [CChar](repeating: 0, count: 64)
    var address = raw
    guard unsafe cl_format_address(&address, &buffer, buffer.count) == 0 else { return Bytes("?") }
    return buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
  }

  /// Address and port: `192.0.2.1:25`, `[2001:db8::1]:25`.
  public var textWithPort: Bytes {
    var out = Bytes()
    if family == .ipv6 { out += "[" }
    out += text
    if family == .ipv6 { out += "]" }
    out += ":"
    out.append(decimal: Int(port))
    return out
  }

  public static func == (a: SocketAddress, b: SocketAddress) -> Bool {
    a.raw.family == b.raw.family && a.raw.port == b.raw.port && a.octets == b.octets
  }
}

/// A connection that a listener took.
@frozen
public struct Accepted: ~Copyable {
  public var socket: Descriptor
  public let peer: SocketAddress
}

/// The calls to the kernel that touch sockets. None of them waits, but for `connect`.
public enum Sockets {
  /// A listening socket; IPv6 ones take IPv6 alone.
  public static func listen(_ address: SocketAddress, backlog: Int = 128) throws(Errno) -> Descriptor {
    var raw = address.raw
    return try Descriptor(Errno.check(unsafe cl_listen(&raw, Int32(clamping: backlog))))
  }

  /// A listening local socket that only its owner may connect to; one left over at `path` is replaced.
  public static func listen(at path: Path) throws(Errno) -> Descriptor {
    try Descriptor(Errno.check(unsafe path.withCString { unsafe cl_listen_unix($0, 16) }))
  }

  /// Connects and waits for it.
  ///
  /// - Parameter milliseconds: the most that this, and each sending and receiving then, may take, with `.again` (a
  ///   connection: EINPROGRESS) when it is over; 0 for no limit.
  public static func connect(_ address: SocketAddress, milliseconds: Int = 0) throws(Errno) -> Descriptor {
    var raw = address.raw
    return try Descriptor(Errno.check(unsafe cl_connect(&raw, Int32(clamping: milliseconds))))
  }

  public static func connect(at path: Path) throws(Errno) -> Descriptor {
    try Descriptor(Errno.check(unsafe path.withCString { unsafe cl_connect_unix($0) }))
  }

  /// The next waiting connection, non-blocking, and who it is from. `.again` when there is none.
  public static func accept(_ listener: Int32) throws(Errno) -> Accepted {
    var raw = cl_address()
    let number = try Errno.check(unsafe cl_accept(listener, &raw))
    return Accepted(socket: Descriptor(number), peer: SocketAddress(raw))
  }

  public static func localAddress(_ socket: Int32) throws(Errno) -> SocketAddress {
    var raw = cl_address()
    try Errno.check(unsafe cl_local_address(socket, &raw))
    return SocketAddress(raw)
  }

  /// Fills the beginning of `buffer`; returns how many octets came, 0 when the peer has sent its last.
  public static func receive(_ socket: Int32, into buffer: inout Bytes) throws(Errno) -> Int {
    try Errno.check(unsafe buffer.withUnsafeMutableBytes { unsafe cl_recv(socket, $0.baseAddress, $0.count) })
  }

  /// The same, into `buffer` from index `start` on.
  public static func receive(_ socket: Int32, into buffer: inout Bytes, at start: Int) throws(Errno) -> Int {
    guard start >= 0, start < buffer.count else { throw .invalid }
    return try Errno.check(
      unsafe buffer.withUnsafeMutableBytes { unsafe cl_recv(socket, $0.baseAddress! + start, $0.count - start) })
  }

  /// Sends some of `bytes`; returns how many octets the kernel took. With `more`, it may hold a last short segment
  /// back for what follows at once.
  public static func send(_ socket: Int32, _ bytes: Span<UInt8>, more: Bool = false) throws(Errno) -> Int {
    try Errno.check(unsafe bytes.withUnsafeBytes { unsafe cl_send(socket, $0.baseAddress, $0.count, more ? 1 : 0) })
  }

  /// Sends octets of a file without their passing through this process; returns how many, 0 where the file ends.
  public static func sendFile(_ socket: Int32, _ file: Int32, at offset: Int64, count: Int) throws(Errno) -> Int {
    try Errno.check(cl_sendfile(socket, file, offset, count))
  }

  /// Whether short segments go out at once (TCP_NODELAY).
  public static func setNoDelay(_ socket: Int32, _ on: Bool) { _ = cl_nodelay(socket, on ? 1 : 0) }

  /// Tells the peer that nothing more will come.
  public static func shutdownWrite(_ socket: Int32) { _ = cl_shutdown_write(socket) }

  /// The addresses by which others reach this device, as of now, each after a space: no loopback or link-local ones.
  public static var ownAddresses: Bytes {
    var text = Bytes()
    unsafe text.append(upTo: 1024) { out in
      unsafe out.withMemoryRebound(to: CChar.self) { unsafe Int(cl_own_addresses($0.baseAddress, $0.count)) }
    }
    return text
  }

  /// The addresses of a host, by the system's resolver, which waits for its servers; none where it has none.
  public static func addresses(of name: Bytes) -> [Bytes] {
    var text = Bytes()
    unsafe Path(name).withCString { name in
      unsafe text.append(upTo: 1024) { out in
        unsafe out.withMemoryRebound(to: CChar.self) { unsafe Int(cl_look_up(name, $0.baseAddress, $0.count)) }
      }
    }
    return text.split(separator: 0x20).map { Bytes($0) }
  }

  /// The user a local peer runs as.
  public static func peerUser(_ socket: Int32) throws(Errno) -> UInt32 {
    var user: UInt32 = 0
    try Errno.check(unsafe cl_peer_uid(socket, &user))
    return user
  }

  /// Octets sent that the peer has not acknowledged yet: falls while it reads, stays where it does not.
  public static func unacknowledged(_ socket: Int32) -> Int { max(0, Int(cl_unsent(socket))) }
}
