import Server
import System
import Wire

/// `setup` and `pin`: what the first boot asks.
struct SetupCommand {
  let invocation: Invocation
  let output: Output

  private var place: Place { Place(invocation.value(.config)) }

  // MARK: setup

  func run() throws(Failure) -> ExitCode {
    let before = place.configuration.device
    var host = before.hostName
    var domains = before.domains
    if let text = invocation.value(.hostName) { host = try Self.name(text, "a device's name is") }
    if let text = invocation.value(.domain) {
      domains = []
      for word in text.split(whereSeparator: { $0 == ASCII.space || $0 == 0x2C }) {
        let domain = try Self.name(Bytes(word), "a mail domain is")
        if !domains.contains(domain) { domains.append(domain) }
      }
      if domains.isEmpty { throw Failure(.usage, "no domain was named; give one such as office.example") }
    }
    if invocation.value(.hostName) != nil || invocation.value(.domain) != nil {
      try write(host, domains)
      if invocation.value(.hostName) != nil, place.named == nil { try nameSystem(host) }
      try tell(host)
    }
    if invocation.has(.done) { try markDone() }
    show(host, domains)
    return .ok
  }

  private static func name(_ text: Bytes, _ what: StaticString) throws(Failure) -> Bytes {
    if let name = DomainName.lowered(text) { return name }
    var why = Bytes()
    why.append(quoted: text.span)
    why += " is no such name: "
    why += what
    why += " letters, digits and hyphens with dots between, such as mail.office.example"
    throw Failure(.data, why)
  }

  private func write(_ host: Bytes, _ domains: [Bytes]) throws(Failure) {
    // An empty assignment takes back what files before this one say; otherwise domains would add up.
    var text = Bytes("# Written by `restante setup`. Files whose names sort after this one's win.\n[Device]\nHostName=")
    text += host
    text += "\nDomains=\nDomains="
    for (index, domain) in domains.enumerated() {
      if index > 0 { text += " " }
      text += domain
    }
    text += "\n"
    let file = place.dropIns.appending("10-device.conf")
    do throws(Errno) {
      try place.files.ensureDirectory(place.dropIns, permissions: 0o755)
      try place.files.replace(file, with: text, permissions: 0o644)
    } catch {
      throw Failure("cannot write", file, error, otherwise: .cannotCreate)
    }
  }

  /// The name that the device has for itself and in its network: the first part of the whole one.
  private func nameSystem(_ host: Bytes) throws(Failure) {
    let short = Bytes(host.prefix { $0 != ASCII.dot }) + [ASCII.lf]
    let file = Path("/etc/hostname")
    do throws(Errno) {
      try place.files.replace(file, with: short, permissions: 0o644)
      let kernel = try place.files.open(Path("/proc/sys/kernel/hostname"), .write)
      try place.files.writeAll(kernel.number, short.span, at: 0)
    } catch {
      throw Failure("the mail server has its name now, but the system keeps its old one: cannot write", file, error)
    }
  }

  /// Has the running server take the names, with a certificate that is for them.
  private func tell(_ host: Bytes) throws(Failure) {
    let configuration = place.configuration
    if configuration.tls.certificate == nil,
      let certificate = try? Certificates.find(configuration, place.files)?.certificate, !certificate.covers(host)
    {
      var words = [ChildProcess.ownProgram, Bytes("certificate"), Bytes("renew")]
      if let named = place.named { words += [Bytes("--config"), named.bytes] }
      if (try? ChildProcess.ask(words, errors: true))?.code == 0 {
        output.line("made a new certificate for this name; mail programs ask once whether to trust it")
        return
      }
    }
    _ = try ControlClient.connect(configuration.device.stateDirectory)?.request(Bytes("RELOAD"))
  }

  private func markDone() throws(Failure) {
    do throws(Errno) {
      try place.files.ensureDirectory(place.device, permissions: 0o755)
      try place.files.replace(place.firstBootDone, with: [], permissions: 0o644)
    } catch {
      throw Failure("cannot write", place.firstBootDone, error, otherwise: .cannotCreate)
    }
  }

  private func show(_ host: Bytes, _ domains: [Bytes]) {
    output.line(Bytes("name         ") + host)
    var line = Bytes("takes mail for")
    for domain in domains {
      line.append(ASCII.space)
      line += domain
    }
    output.line(line)
  }

  // MARK: pin

  func changePIN() throws(Failure) -> ExitCode {
    let name = invocation.operands[0]
    guard let which: StaticString = name.equals("console") ? "console" : name.equals("shell") ? "shell" : nil else {
      throw Failure(.usage, "there are two PINs: console and shell")
    }
    let pin = PIN(place: place, name: which)
    if invocation.has(.remove) {
      try pin.remove()
      output.line(Bytes("removed the PIN of the ") + name)
      return .ok
    }
    var text = try PasswordPrompt.read(for: Bytes("the ") + name, fromInput: invocation.has(.passwordStdin))
    defer { Crypto.cleanse(&text) }
    try pin.set(text)
    output.line(Bytes("set the PIN of the ") + name)
    return .ok
  }
}
