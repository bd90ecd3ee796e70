import System
import Wire

// The certificate that the server shows.
extension Server {
  /// What is known of the certificate in use.
  struct CertificateInUse {
    var facts: Certificate?
    /// Why it is not the one that it should be.
    var problem: Problem?
    /// The last announcement of its end, as ``Certificates/announcement(notAfter:now:)`` has it.
    var announced: Int?
  }

  /// The certificate and the key, both PEM, that TLS shall go on with; nil where what is in use stays in use.
  func loadCertificate() -> (certificate: Bytes, key: Bytes)? {
    let isFirst = certificate.facts == nil
    let (loaded, problem) = Certificates.load(configuration, files, makes: true, standsIn: isFirst)
    certificate.problem = problem
    if let problem { record(.certificateProblem(problem, standsIn: isFirst)) }
    guard let loaded else {
      if isFirst { record(.withoutTLS(why: Bytes("no certificate"))) }
      return nil
    }
    if loaded.facts != certificate.facts {
      certificate.facts = loaded.facts
      certificate.announced = nil
      record(.certificateInUse(loaded.facts, isNew: loaded.isNew))
      announceCertificate()
    }
    return (loaded.certificate, loaded.key)
  }

  /// Says once for each threshold that the certificate ends soon.
  func announceCertificate() {
    guard let notAfter = certificate.facts?.notAfter else { return }
    let due = Certificates.announcement(notAfter: notAfter, now: now)
    if due == certificate.announced { return }
    certificate.announced = due
    if due != nil { record(.certificateExpires(days: Certificates.days(until: notAfter, now: now) ?? 0)) }
  }

  /// What STATUS tells of it.
  var certificateLines: [Bytes] {
    var lines: [Bytes] = []
    func add(_ key: StaticString, _ value: Bytes) {
      lines.append(Bytes(key) + value)
    }
    if let facts = certificate.facts {
      add("certificate.fingerprint=", facts.fingerprintText)
      var end = Bytes()
      end.append(decimal: Int(facts.notAfter))
      add("certificate.not_after=", end)
      for name in facts.names {
        var shown = Bytes()
        shown.append(shown: name.span, limit: Limits.domain)
        add("certificate.name=", shown)
      }
    }
    if let problem = certificate.problem { add("certificate.problem=", problem.description) }
    return lines
  }
}
