import System
import Wire

// The certificate that the server shows.
extension Server {
  /// What is known of the certificate in use.
  struct CertificateInUse {
    var fingerprint = Bytes()
    var names = Bytes()
    var notAfter = Int64.max
    /// The last announcement of its end, as ``Certificates/announcement(notAfter:now:)`` has it.
    var announced: Int64?
    /// Why it is not the one that it should be.
    var problem: Problem?
  }

  /// The SHA-256 fingerprint of the certificate in use, as people compare it; empty without one.
  public var fingerprint: Bytes { certificate.fingerprint }

  /// The certificate and the key that TLS shall go on with; nil where what is in use stays in use.
  func loadCertificate() -> Certificates.Loaded? {
    let isFirst = certificate.fingerprint.isEmpty
    var problem: Problem?
    var loaded: Certificates.Loaded?
    do throws(Problem) { loaded = try Certificates.find(configuration, files) } catch { problem = error }
    if loaded == nil, isFirst || problem == nil { loaded = Certificates.own(configuration, files, &problem) }
    certificate.problem = problem
    if let problem { record(.certificateProblem(problem, standsIn: isFirst)) }
    guard let loaded else {
      if isFirst { record(.withoutTLS(why: Bytes("no certificate"))) }
      return nil
    }
    let found = loaded.certificate
    let fingerprint = found.fingerprint
    if fingerprint != certificate.fingerprint {
      certificate.fingerprint = fingerprint
      certificate.notAfter = found.notAfter
      certificate.names = found.names
      certificate.announced = nil
      record(.certificateInUse(found, isNew: loaded.isNew))
      announceCertificate()
    }
    return loaded
  }

  /// Says once for each threshold that the certificate ends soon.
  func announceCertificate() {
    let due = Certificates.announcement(notAfter: certificate.notAfter, now: now)
    if due == certificate.announced { return }
    certificate.announced = due
    if due != nil { record(.certificateExpires(days: Certificates.days(until: certificate.notAfter, now: now) ?? 0)) }
  }
}
