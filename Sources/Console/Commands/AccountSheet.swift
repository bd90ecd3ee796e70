import Accounts
import Server
import System
import Wire

/// `account propose` and `account sheet`.
struct AccountSheet {
  private let site: Site
  private let output: Output

  init(_ site: Site, _ output: Output) {
    self.site = site
    self.output = output
  }

  static func run(_ invocation: Invocation, _ output: Output) throws(Failure) -> ExitCode {
    if invocation.command.verb == .accountPropose {
      output.line(try password())
      return .ok
    }
    let site = try Site(invocation)
    let name = try Site.name(invocation.operands[0])
    let list = try site.loadAccounts()
    guard list.account(named: name) != nil else { throw site.unknown(name, list.accounts.map { $0.name }) }
    AccountSheet(site, output).tell(name, password: nil)
    return .ok
  }

  /// Ten syllables of a consonant and a vowel, in pairs: each is one of 64, so 60 bits. There are no digits and no capitals
  /// to be mistaken for letters, no letters with one sound (c, k, q) or two (e, x), and neither y nor z, which other
  /// keyboards have elsewhere.
  static func password() throws(Failure) -> Bytes {
    let consonants: StaticString = "bdfghjklmnprstvw"
    let vowels: StaticString = "aiou"
    var random: Bytes
    do throws(Errno) {
      random = try Crypto.random(10)
    } catch {
      throw Failure(.unavailable, Bytes("cannot make a password: ") + error.text)
    }
    defer { Crypto.cleanse(&random) }
    var password = Bytes()
    for (index, octet) in random.enumerated() {
      if index > 0, index & 1 == 0 { password.append(0x2D) }
      password.append(unsafe consonants.utf8Start[Int(octet & 15)])
      password.append(unsafe vowels.utf8Start[Int(octet >> 4 & 3)])
    }
    return password
  }

  /// What somebody types into a mail program.
  func tell(_ name: Bytes, password: Bytes?) {
    let configuration = site.configuration
    line("Mail address", name + Bytes("@") + (configuration.device.domains.first ?? []))
    line("User name", name)
    if let password { line("Password", password) }
    var server = configuration.device.hostName
    let addresses = Sockets.ownAddresses.split(separator: ASCII.space)
    if !addresses.isEmpty {
      server += " (or "
      for (index, address) in addresses.prefix(3).enumerated() {
        if index > 0 { server += ", " }
        server += Bytes(address)
      }
      server += ")"
    }
    line("Server", server)
    ports("Incoming mail", "POP3", configuration.pop3.listenTLS, configuration.pop3.listen, "STLS/STARTTLS")
    ports("Outgoing mail", "SMTP", configuration.smtp.listenTLS, configuration.smtp.listen, "STARTTLS")
    line("", Bytes("only to addresses of this office: nothing is relayed"))
    if let certificate = ((try? Certificates.find(configuration, site.files)) ?? nil)?.certificate {
      line("Certificate", Bytes("when the program asks, its SHA-256 fingerprint is to be"))
      let print = certificate.fingerprint
      line("", Bytes(print.prefix(48)))
      line("", Bytes(print.dropFirst(48)))
    }
    line("Several devices", Bytes("set \"leave messages on the server\" in each program"))
  }

  private func ports(
    _ label: StaticString, _ name: StaticString, _ secure: [Listen], _ clear: [Listen], _ upgrade: StaticString
  ) {
    var text = Bytes(name)
    if let port = secure.first?.port {
      text += ", port "
      text.append(decimal: Int(port))
      text += " with SSL/TLS"
    }
    if let port = clear.first?.port {
      text += secure.isEmpty ? ", port " : ", or port "
      text.append(decimal: Int(port))
      text += " with "
      text += upgrade
    }
    line(label, text)
  }

  private func line(_ label: StaticString, _ text: Bytes) {
    var line = Bytes(label)
    line.pad(to: 17)
    line += text
    output.line(line)
  }
}
