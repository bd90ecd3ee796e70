import CLinux
import Wire

/// What a certificate says of itself.
public struct Certificate: Equatable, Sendable {
  /// SHA-256 of its DER form: 32 octets.
  public var fingerprint: Bytes
  /// Seconds since 1970.
  public var notBefore: Int64
  public var notAfter: Int64
  /// The common name of its subject.
  public var subject: Bytes
  /// The names and addresses it is for.
  public var names: [Bytes]

  /// Reads the first certificate of a PEM text; nil where there is none.
  public init?(pem: Bytes) {
    var raw = cl_certificate()
    guard unsafe cl_certificate_read(pem, pem.count, &raw) == 0 else { return nil }
    fingerprint = unsafe withUnsafeBytes(of: raw.fingerprint) { unsafe Bytes($0) }
    notBefore = raw.not_before
    notAfter = raw.not_after
    subject = unsafe withUnsafeBytes(of: raw.subject) { unsafe Bytes($0.prefix { $0 != 0 }) }
    let list = unsafe withUnsafeBytes(of: raw.names) { unsafe Bytes($0.prefix { $0 != 0 }) }
    names = list.split(separator: ASCII.space).map { Bytes($0) }
  }

  /// The fingerprint as people compare it: pairs of hexadecimal digits with colons between.
  public var fingerprintText: Bytes {
    var text = Bytes()
    for (index, octet) in fingerprint.enumerated() {
      if index > 0 { text += ":" }
      let start = text.count
      text.append(hexadecimal: UInt64(octet), width: 2)
      for place in start..<text.count where text[place] >= 0x61 { text[place] -= 0x20 }
    }
    return text
  }

  /// Why certificate and key cannot serve together; nil when they can.
  public static func problem(certificate: Bytes, key: Bytes) -> Bytes? {
    var why = [CChar](repeating: 0, count: 200)
    let result = unsafe cl_certificate_check(certificate, certificate.count, key, key.count, &why, why.count)
    return result == 0 ? nil : why.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
  }

  /// Makes a P-256 key and a certificate that it has signed itself, both as PEM.
  ///
  /// - Parameters:
  ///   - names: host names and addresses; the first is the subject.
  ///   - notBefore, notAfter: seconds since 1970.
  public static func make(
    names: [Bytes], addresses: [Bytes], notBefore: Int64, notAfter: Int64
  ) throws(Errno) -> (certificate: Bytes, key: Bytes) {
    var list = Bytes()
    for name in names {
      if !list.isEmpty { list += "," }
      list += "DNS:"
      list += name
    }
    for address in addresses {
      if !list.isEmpty { list += "," }
      list += "IP:"
      list += address
    }
    list.append(0)
    var subject = Bytes((names.first ?? Bytes("restante")).prefix(64))
    subject.append(0)
    var certificate = [CChar](repeating: 0, count: 8192)
    var key = [CChar](repeating: 0, count: 2048)
    let result = unsafe subject.withUnsafeBytes { subject in
      unsafe list.withUnsafeBytes { list in
        unsafe cl_certificate_make(
          subject.baseAddress!.assumingMemoryBound(to: CChar.self),
          list.baseAddress!.assumingMemoryBound(to: CChar.self), notBefore, notAfter, &certificate, certificate.count,
          &key, key.count)
      }
    }
    try Errno.check(result)
    return (
      certificate.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
      key.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    )
  }
}
