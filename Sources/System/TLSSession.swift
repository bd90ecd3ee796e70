import CLinux
import Wire

/// One connection's TLS, on its socket. None of the calls waits.
@safe
public struct TLSSession: ~Copyable {
  private let native: OpaquePointer

  /// A server's session; nothing is exchanged before the handshake. The socket must outlive it.
  ///
  /// - Parameter protocol: the one name that ALPN may come to (RFC 7301). A client that offers others alone is turned
  ///   away.
  public init(_ context: TLSContext, socket: Int32, protocol name: StaticString) throws(TLSFailure) {
    guard let made = unsafe cl_tls_make(context.native, socket, name.utf8Start) else {
      throw .failed(Errno(Int32(CL_ENOMEM)))
    }
    unsafe native = made
  }

  /// A client's session, on a socket that waits. Any certificate is believed: see ``peerFingerprint``.
  public init(clientOn socket: Int32) throws(TLSFailure) {
    guard let made = unsafe cl_tls_client(socket) else { throw .failed(Errno(Int32(CL_ENOMEM))) }
    unsafe native = made
  }

  deinit { unsafe cl_tls_free(native) }

  /// The SHA-256 fingerprint of the certificate that the peer has shown; empty without one.
  public var peerFingerprint: Bytes {
    var text = Bytes()
    unsafe text.append(upTo: 96) { out in
      unsafe out.withMemoryRebound(to: CChar.self) { unsafe Int(cl_tls_peer(native, $0.baseAddress, $0.count)) }
    }
    return text
  }

  /// Goes on with the handshake; returns when it is done.
  public func handshake() throws(TLSFailure) {
    let result = unsafe cl_tls_handshake(native)
    if result != 0 { throw TLSFailure(Int64(result)) }
  }

  /// Fills `buffer` from `start` on; returns how many octets came, 0 when the peer has sent its last.
  public func receive(into buffer: inout Bytes, at start: Int) throws(TLSFailure) -> Int {
    let result = unsafe buffer.withUnsafeMutableBytes { buffer in
      let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[start...])
      return unsafe cl_tls_read(native, room.baseAddress, room.count)
    }
    if result < 0 { throw TLSFailure(result) }
    return Int(result)
  }

  /// Sends some of `bytes`; returns how many octets were taken. With `more`, others follow at once.
  public func send(_ bytes: Span<UInt8>, more: Bool) throws(TLSFailure) -> Int {
    if bytes.count == 0 { return 0 }
    let result = unsafe bytes.withUnsafeBytes { unsafe cl_tls_write(native, $0.baseAddress, $0.count, more ? 1 : 0) }
    if result < 0 { throw TLSFailure(result) }
    return Int(result)
  }

  /// Whether the kernel encrypts what is sent: then it is sent as in the clear, files included.
  public var isKernel: Bool { unsafe cl_tls_is_kernel(native) == 1 }

  /// Whether octets were taken from the kernel and not received, perhaps not a whole record; the poll does not tell of
  /// them.
  public var hasPending: Bool { unsafe cl_tls_pending(native) != 0 }

  /// Tells the peer that nothing more comes.
  public func shutdown() { unsafe cl_tls_shutdown(native) }

  /// For the journal: `TLSv1.3`, and the cipher's name.
  public var version: Bytes { unsafe cl_tls_version(native).map { unsafe Bytes(cString: $0) } ?? [] }
  public var cipher: Bytes { unsafe cl_tls_cipher(native).map { unsafe Bytes(cString: $0) } ?? [] }

  /// Older than TLS 1.2.
  public var isLegacy: Bool { unsafe cl_tls_version_number(native) < TLSVersion.tls12.rawValue }

  /// The channel binding `tls-exporter` (RFC 9266); nil where the connection has none.
  public func exporter() -> Bytes? {
    var binding = Bytes(repeating: 0, count: 32)
    return unsafe cl_tls_exporter(native, &binding) == 32 ? binding : nil
  }

  /// The channel binding `tls-server-end-point` (RFC 5929 §4).
  public func endPoint() -> Bytes? {
    var binding = Bytes(repeating: 0, count: 64)
    let count = unsafe cl_tls_end_point(native, &binding)
    return count > 0 ? Bytes(binding.prefix(Int(count))) : nil
  }
}
