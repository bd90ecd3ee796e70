import CLinux
import Wire

/// A certificate, the first of a PEM text.
public struct Certificate: Equatable, Sendable {
  /// The whole text: the chain may stand behind it.
  public let pem: Bytes

  /// nil where the text holds no certificate.
  public init?(pem: Bytes) {
    self.pem = pem
    if chainLength == 0 { return nil }
  }

  /// SHA-256 of its DER form, as people compare it: pairs of hexadecimal digits with colons between.
  public var fingerprint: Bytes { text(CL_CERTIFICATE_FINGERPRINT) }
  /// Who it is for and who signed it, such as `CN=mail.office.example`.
  public var subject: Bytes { text(CL_CERTIFICATE_SUBJECT) }
  public var issuer: Bytes { text(CL_CERTIFICATE_ISSUER) }
  /// The hosts and addresses it is for, with spaces between.
  public var names: Bytes { text(CL_CERTIFICATE_NAMES) }
  /// Seconds since 1970.
  public var notBefore: Int64 { number(CL_CERTIFICATE_NOT_BEFORE) }
  public var notAfter: Int64 { number(CL_CERTIFICATE_NOT_AFTER) }
  public var isSelfSigned: Bool { number(CL_CERTIFICATE_SELF_SIGNED) != 0 }
  /// How many certificates there are in the text.
  public var chainLength: Int64 { number(CL_CERTIFICATE_CHAIN) }

  private func number(_ field: some BinaryInteger) -> Int64 {
    unsafe cl_certificate_number(pem, pem.count, Int32(field))
  }

  private func text(_ field: some BinaryInteger) -> Bytes {
    unsafe Certificate.text(4096) { unsafe cl_certificate_text(pem, pem.count, Int32(field), $0, $1) }
  }

  /// Whether it is for the host `name`, as a mail program would look.
  public func covers(_ name: Bytes) -> Bool {
    unsafe (name + [0]).withUnsafeBytes {
      unsafe cl_certificate_covers(pem, pem.count, $0.baseAddress!.assumingMemoryBound(to: CChar.self)) == 1
    }
  }

  /// Why a server cannot use a certificate and a key, both PEM; nil when it can.
  ///
  /// - Parameter now: the time at which they must be valid; 0 where that does not matter.
  public static func problem(_ certificate: Bytes, key: Bytes, now: Int64) -> Bytes? {
    let why = unsafe text(512) {
      unsafe cl_certificate_check(certificate, certificate.count, key, key.count, now, $0, $1)
    }
    return why.isEmpty ? nil : why
  }

  /// The blocks of a PEM text that are certificates, or those that are not: keys.
  public static func blocks(of pem: Bytes, certificates: Bool) -> Bytes {
    unsafe text(pem.count + 1024) { unsafe cl_pem_blocks(pem, pem.count, certificates ? 1 : 0, $0, $1) }
  }

  /// Makes a P-256 key and a certificate that it has signed itself: both as PEM, in one text.
  ///
  /// - Parameter names: the hosts and addresses it is for, with spaces between; the first is its subject.
  /// - Returns: nil without memory or entropy.
  public static func make(names: Bytes) -> Certificate? {
    let pem = unsafe (names + [0]).withUnsafeBytes { names in
      unsafe text(8192) {
        unsafe cl_certificate_make(names.baseAddress!.assumingMemoryBound(to: CChar.self), $0, $1)
      }
    }
    return Certificate(pem: pem)
  }

  /// What `fill` writes into memory of `size` octets; it returns how many it wrote.
  @unsafe
  private static func text(_ size: Int, _ fill: (UnsafeMutablePointer<CChar>?, Int) -> Int32) -> Bytes {
    var text = Bytes()
    unsafe text.append(upTo: size) { out in
      unsafe out.withMemoryRebound(to: CChar.self) { unsafe Int(fill($0.baseAddress, $0.count)) }
    }
    return text
  }
}
