import CLinux
import Wire

/// The versions of TLS that OpenSSL knows, by their numbers on the wire.
public enum TLSVersion: Int32, Sendable {
  case tls10 = 0x0301
  case tls11 = 0x0302
  case tls12 = 0x0303
  case tls13 = 0x0304
}

/// What all sessions of a listener share: certificate, key, and what we are willing to speak. Sessions keep the one
/// they began with, so a changed certificate drops nobody.
@safe
public final class TLSContext: @unchecked Sendable {
  let native: OpaquePointer

  /// - Parameters:
  ///   - certificate: PEM, with the chain behind it.
  ///   - key: PEM, without a password.
  public init(certificate: Bytes, key: Bytes, minimum: TLSVersion) throws(TLSFailure) {
    var why = [CChar](repeating: 0, count: 160)
    let made = unsafe cl_tls_context_make(
      certificate, certificate.count, key, key.count, minimum.rawValue, &why, why.count)
    guard let made = unsafe made else { throw .broken(why.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }) }
    unsafe native = made
  }

  deinit { unsafe cl_tls_context_free(native) }
}
