import Server
import System
import Wire

/// `certificate show`, `renew` and `install`. What is replaced is kept, and a running server takes what is new at once.
struct CertificateCommands {
  let site: Site
  let invocation: Invocation
  let output: Output

  func run() throws(Failure) -> ExitCode {
    if invocation.command.verb != .certificateShow {
      try change()
      _ = try ControlClient.connect(site.state)?.request(Bytes("RELOAD"))
    }
    return try show()
  }

  // MARK: show

  private func show() throws(Failure) -> ExitCode {
    let found: Certificates.Loaded?
    do throws(Problem) {
      found = try Certificates.find(site.configuration, site.files)
    } catch {
      throw Failure(.data, error.description)
    }
    guard let found else {
      throw Failure(.noInput, "there is no certificate yet; the server makes one when it starts")
    }
    let certificate = found.certificate
    if invocation.has(.pem) {
      output.write(Certificate.blocks(of: certificate.pem, certificates: true))
      return .ok
    }
    let names = certificate.names
    line("names", names)
    line("issued by", certificate.isSelfSigned ? Bytes("itself") : certificate.issuer)
    var text = Bytes()
    Moment.append(certificate.notBefore, to: &text)
    text += " to "
    text.append(certificateEnd: certificate.notAfter)
    line("valid", text)
    line("SHA-256", certificate.fingerprint)
    line("file", found.file.bytes)
    var code = ExitCode.ok
    text = Bytes("not now: no server runs")
    if let client = try ControlClient.connect(site.state) {
      let own = Bytes("certificate.fingerprint=") + certificate.fingerprint
      let isShown = try client.lines(Bytes("STATUS")).contains(own)
      text = Bytes(isShown ? "by the running server" : "NO: the server shows another one; reload it (SIGHUP)")
      if !isShown { code = .tryAgain }
    }
    line("shown", text)
    let hostName = site.configuration.device.hostName
    if !certificate.covers(hostName) { line("NOT for", hostName + Bytes(", this device's HostName=")) }
    if certificate.isSelfSigned {
      let covered = names.split(separator: ASCII.space)
      for address in Sockets.ownAddresses.split(separator: ASCII.space) where !covered.contains(address) {
        line("NOT for", address + Bytes(", an address of this device; `restante certificate renew` makes one that is"))
      }
    }
    return code
  }

  private func line(_ label: StaticString, _ value: Bytes) {
    var text = Bytes(label)
    text.pad(to: 12)
    text += value
    output.line(text)
  }

  // MARK: change

  /// Puts another certificate in the place of the one in the state directory.
  private func change() throws(Failure) {
    if let named = site.configuration.tls.certificate {
      var text = Bytes("[TLS] Certificate= says that the certificate is in ")
      text += named.bytes
      text += "; put the new one there and reload the server (SIGHUP), or take Certificate= out of the configuration"
      throw Failure(.configuration, text)
    }
    let pem = invocation.command.verb == .certificateRenew ? Certificates.make(site.configuration)?.pem : try given()
    guard let pem else { throw Failure(.unavailable, "no certificate can be made: out of memory") }
    let file = Certificates.file(site.configuration)
    let before = file.adding(suffix: ".old")
    do throws(Errno) {
      var hasOld = false
      if site.files.exists(file) {
        try site.files.replace(before, with: try Certificates.text(of: file, site.files))
        hasOld = true
      }
      // Key and certificate are one file, so that no crash parts them.
      try site.files.replace(file, with: pem)
      if hasOld { output.line(Bytes("back to the one before: restante certificate install ") + before.bytes) }
    } catch {
      throw Failure("cannot write", file, error, otherwise: .cannotCreate)
    }
  }

  /// What is to be installed, if a server can use it, as one text.
  private func given() throws(Failure) -> Bytes {
    let file = Path(invocation.operands[0])
    let certificate = Certificate.blocks(of: try read(file), certificates: true)
    let key = Certificate.blocks(of: try read(Path(invocation.operands.last ?? [])), certificates: false)
    let now = Clock.now
    do throws(Problem) {
      let fresh = try Certificates.checked(certificate, key: key, file, now: now < Limits.clockFloor ? 0 : now)
        .certificate
      // A self-signed one is known by its fingerprint, whatever its names; and what was renewed must be able to return.
      if !fresh.isSelfSigned {
        if !fresh.covers(site.configuration.device.hostName) {
          var why = Bytes("it is for ")
          why += fresh.names
          why += ", and not for this device, HostName="
          why += site.configuration.device.hostName
          why += ": mail programs would refuse it"
          throw Problem(file, why)
        }
        if fresh.chainLength == 1 {
          Complaint.write(Bytes("the file has no chain; if there is one that has (fullchain.pem), better install that"))
        }
      }
    } catch {
      throw Failure(.data, error.description + Bytes("; nothing was changed"))
    }
    return key + certificate
  }

  private func read(_ file: Path) throws(Failure) -> Bytes {
    do throws(Errno) { return try Certificates.text(of: file, site.files) } catch {
      throw Failure("cannot read", file, error, otherwise: .noInput)
    }
  }
}

extension Array where Element == UInt8 {
  /// Appends when a certificate ends, and how long that is from now, where the clock is set.
  mutating func append(certificateEnd end: Int64) {
    Moment.append(end, to: &self)
    guard let days = Certificates.days(until: end, now: Clock.now) else { return }
    if days < 0 {
      self += ", EXPIRED"
    } else {
      self += ", days left: "
      append(decimal: days)
    }
  }
}
