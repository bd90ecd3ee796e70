import CLinux
import Wire

/// What a certificate says of itself.
public struct Certificate: Equatable, Sendable {
  /// SHA-256 of its DER form: 32 octets.
  public var fingerprint: Bytes
  /// Seconds since 1970.
  public var notBefore: Int64
  public var notAfter: Int64
  /// Who it is for and who signed it, such as `CN=mail.office.example`.
  public var subject: Bytes
  public var issuer: Bytes
  public var isSelfSigned: Bool
  /// The names and addresses it is for; of very many, the first.
  public var names: [Bytes]

  /// Reads the first certificate of a PEM text; nil where there is none.
  public init?(pem: Bytes) {
    var raw = cl_certificate()
    guard unsafe cl_certificate_read(pem, pem.count, &raw) == 0 else { return nil }
    fingerprint = unsafe withUnsafeBytes(of: raw.fingerprint) { unsafe Bytes($0) }
    notBefore = raw.not_before
    notAfter = raw.not_after
    isSelfSigned = raw.is_self_signed != 0
    subject = unsafe withUnsafeBytes(of: raw.subject) { unsafe Certificate.text($0) }
    issuer = unsafe withUnsafeBytes(of: raw.issuer) { unsafe Certificate.text($0) }
    let list = unsafe withUnsafeBytes(of: raw.names) { unsafe Certificate.text($0) }
    names = list.split(separator: ASCII.space).map { Bytes($0) }
  }

  /// The fingerprint as people compare it: pairs of hexadecimal digits with colons between.
  public var fingerprintText: Bytes {
    var text = Bytes()
    for octet in fingerprint {
      if !text.isEmpty { text += ":" }
      text.append(hexadecimal: UInt64(octet), width: 2)
    }
    return text.map { $0 >= 0x61 ? $0 - 0x20 : $0 }
  }

  /// Whether the first certificate of a PEM text is for the host `name`, as a mail program would look.
  public static func covers(_ name: Bytes, pem: Bytes) -> Bool {
    unsafe (name + [0]).withUnsafeBytes {
      unsafe cl_certificate_covers(pem, pem.count, $0.baseAddress!.assumingMemoryBound(to: CChar.self)) == 1
    }
  }

  /// Why certificate and key, both PEM, cannot serve together; nil when they can.
  ///
  /// - Parameter now: the time at which they must be valid; nil where that does not matter.
  public static func problem(certificate: Bytes, key: Bytes, now: Int64? = nil) -> Bytes? {
    var why = [CChar](repeating: 0, count: 256)
    let result = unsafe cl_certificate_check(
      certificate, certificate.count, key, key.count, now ?? 0, &why, why.count)
    if result == 0 { return nil }
    return unsafe why.withUnsafeBytes { unsafe text($0) }
  }

  /// Makes a P-256 key and a certificate that it has signed itself: both as PEM, in one text.
  ///
  /// - Parameter names: what it is for; the first is its subject.
  public static func make(names: [Bytes], addresses: [SocketAddress]) throws(Errno) -> Bytes {
    var list = Bytes()
    // A name in other letters (RFC 6531) could only stand there in its ASCII form.
    for name in names where isPlain(name) {
      list += list.isEmpty ? "DNS:" : ",DNS:"
      list += name
    }
    for address in addresses {
      list += list.isEmpty ? "IP:" : ",IP:"
      list += address.text
    }
    list.append(0)
    // A common name has 64 characters at most (RFC 5280, ub-common-name); nobody looks for a host's name there any more.
    var subject = Bytes("Restante")
    if let name = names.first, isPlain(name), name.count <= 64 { subject = name }
    subject.append(0)
    var pem = Bytes()
    var result: Int32 = 0
    unsafe subject.withUnsafeBytes { subject in
      unsafe list.withUnsafeBytes { list in
        unsafe pem.append(upTo: 8192) { out in
          result = unsafe cl_certificate_make(
            subject.baseAddress!.assumingMemoryBound(to: CChar.self),
            list.baseAddress!.assumingMemoryBound(to: CChar.self),
            UnsafeMutableRawPointer(out.baseAddress!).assumingMemoryBound(to: CChar.self), out.count)
          return Int(result)
        }
      }
    }
    try Errno.check(result)
    return pem
  }

  /// Letters, digits, hyphens and dots: nothing that has a meaning to OpenSSL in a list of names.
  private static func isPlain(_ name: Bytes) -> Bool {
    !name.isEmpty && name.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == ASCII.dot || $0 == 0x2D }
  }

  /// What stands before the NUL.
  private static func text(_ raw: UnsafeRawBufferPointer) -> Bytes { unsafe Bytes(raw.prefix { $0 != 0 }) }
}
