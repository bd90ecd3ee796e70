import CLinux
import Wire

/// What a TLS call came to when it did not do what it was asked.
public enum TLSFailure: Error, Equatable, Sendable {
  /// Nothing to read now, or the peer must speak first.
  case wantsRead
  /// The kernel's buffer is full.
  case wantsWrite
  /// The peer does not keep to the protocol, or we have nothing in common; OpenSSL's reason.
  case broken(Bytes)
  /// The socket failed.
  case failed(Errno)

  init(_ result: Int64) {
    switch result {
    case Int64(CL_TLS_WANT_READ): self = .wantsRead
    case Int64(CL_TLS_WANT_WRITE): self = .wantsWrite
    case Int64(CL_TLS_FAILED): self = .broken(TLSFailure.why())
    default: self = .failed(Errno(Int32(clamping: -result)))
    }
  }

  private static func why() -> Bytes {
    var text = [CChar](repeating: 0, count: 160)
    unsafe cl_tls_why(&text, text.count)
    return text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
  }
}
