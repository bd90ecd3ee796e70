import CLinux
import Wire

/// SHA-256 of what comes piece by piece.
@safe
public final class Digest {
  private let native: OpaquePointer

  public init() throws(Errno) {
    guard let made = unsafe cl_digest_make() else { throw .io }
    unsafe native = made
  }

  deinit { unsafe cl_digest_free(native) }

  public func add(_ octets: Span<UInt8>) throws(Errno) {
    try Errno.check(unsafe octets.withUnsafeBytes { unsafe cl_digest_add(native, $0.baseAddress, $0.count) })
  }

  /// The sum of all that was added, in 64 hexadecimal digits; what is added from now on belongs to the next one.
  public func end() throws(Errno) -> Bytes {
    var sum = Bytes(repeating: 0, count: 32)
    try Errno.check(unsafe cl_digest_end(native, &sum))
    var text = Bytes()
    for octet in sum { text.append(hexadecimal: UInt64(octet), width: 2) }
    return text
  }
}
