import Accounts
import Server
import System
import Wire

/// `demo`: an office for an afternoon, in a directory that goes with it.
struct Demo {
  private let endsAtOnce: Bool
  private let output: Output
  private let files = Files()

  static let name: StaticString = "anna"
  static let domain: StaticString = "demo.example"

  init(endsAtOnce: Bool, _ output: Output) {
    self.endsAtOnce = endsAtOnce
    self.output = output
  }

  func run() throws(Failure) -> ExitCode {
    let place = try makePlace()
    defer { remove(place) }
    let password = try Demo.password()
    let configuration = try configuration(place)
    try addAccount(password, configuration)
    // The server's events would be among the dialogue's lines; they are shown from its end on.
    let journal: Descriptor
    do throws(Errno) {
      journal = try files.open(Path("/dev/null"), .write)
    } catch {
      throw Failure("cannot open", Path("/dev/null"), error)
    }
    let server: Server
    do throws(StartFailure) {
      server = try Server(configuration, journal: Journal(descriptor: journal.number, hasSeverity: false))
    } catch {
      throw Failure(ExitCode(rawValue: error.exitCode) ?? .software, error.text)
    }
    guard let smtp = server.addresses(of: .smtp).first, let pop3 = server.addresses(of: .pop3).first else {
      throw Failure(.software, "the server listens nowhere")
    }
    let tour = DemoTour(
      smtp: smtp, pop3: pop3, password: password, secure: Demo.secure(server), journal: journal.number,
      endsAtOnce: endsAtOnce)
    let remote = server.remoteControl
    do throws(Errno) {
      try Thread.start(stack: 512 * 1024) {
        tour.run()
        if tour.isOver { remote.stop() }
      }
    } catch {
      throw Failure(.unavailable, Bytes("cannot start a thread: ") + error.text)
    }
    // SIGHUP tells a server to read its files again; here it is the window that was closed.
    let hasTerminal = Process.isTerminal(1)
    server.run { hasTerminal && !Process.isTerminal(1) }
    return tour.succeeded ? .ok : .software
  }

  /// How to use TLS, and what to compare.
  private static func secure(_ server: Server) -> Bytes {
    var text = Bytes("\nor encrypted, with STLS and STARTTLS, or at once on port ")
    text.append(decimal: Int(server.addresses(of: .pop3, isTLS: true).first?.port ?? 0))
    text += " (POP3) and "
    text.append(decimal: Int(server.addresses(of: .smtp, isTLS: true).first?.port ?? 0))
    text += " (SMTP);\nthe certificate's SHA-256 fingerprint is\n\n  "
    text += server.fingerprint
    text += "\n"
    return text
  }

  // MARK: before

  private func makePlace() throws(Failure) -> Path {
    let parent = Path(Process.environment("TMPDIR").flatMap { $0.isEmpty ? nil : $0 } ?? Bytes("/tmp"))
    do throws(Errno) {
      return try Process.temporaryDirectory(in: parent, prefix: "restante-demo.")
    } catch {
      throw Failure("cannot make a directory in", parent, error, otherwise: .cannotCreate)
    }
  }

  /// Twelve letters that can be read over the phone, in groups; some 60 bits.
  private static func password() throws(Failure) -> Bytes {
    let letters: StaticString = "abcdefghijkmnpqrstuvwxyz23456789"
    do throws(Errno) {
      var password = Bytes()
      for (index, octet) in try Crypto.random(12).enumerated() {
        if index > 0, index % 4 == 0 { password.append(0x2D) }
        password.append(unsafe letters.utf8Start[Int(octet & 31)])
      }
      return password
    } catch {
      throw Failure(.unavailable, Bytes("cannot make a password: ") + error.text)
    }
  }

  private func configuration(_ place: Path) throws(Failure) -> Configuration {
    var configuration = Configuration()
    configuration.device.hostName = Bytes("localhost")
    configuration.device.domains = [Bytes(Demo.domain)]
    configuration.device.stateDirectory = place.appending("state")
    configuration.device.aliases = place.appending("aliases")
    configuration.smtp.listen = [.address(try Demo.free(2525))]
    configuration.smtp.listenTLS = [.address(try Demo.free(2465))]
    configuration.pop3.listen = [.address(try Demo.free(1110))]
    configuration.pop3.listenTLS = [.address(try Demo.free(1995))]
    // A developer's disk is fuller than an appliance's should be.
    configuration.spool.keepFree = .percent(0)
    return configuration
  }

  /// The port on the loopback interface when it is free, as is easy to remember; otherwise one the kernel chooses.
  private static func free(_ port: UInt16) throws(Failure) -> SocketAddress {
    guard let wanted = SocketAddress(Bytes("127.0.0.1"), port: port),
      let any = SocketAddress(Bytes("127.0.0.1"), port: 0)
    else { throw Failure(.software, "no loopback address") }
    return (try? Sockets.listen(wanted)) != nil ? wanted : any
  }

  private func addAccount(_ password: Bytes, _ configuration: Configuration) throws(Failure) {
    let state = configuration.device.stateDirectory
    do throws(Errno) {
      try files.ensureDirectory(state)
    } catch {
      throw Failure("cannot make", state, error, otherwise: .cannotCreate)
    }
    let verifier: Verifier
    do throws(PasswordProblem) {
      verifier = try Verifier.make(password: password)
    } catch {
      throw Failure(.unavailable, error.text)
    }
    do throws(AccountsError) {
      try AccountsFile(files, state.appending("accounts")).edit { (list: inout AccountList) throws(AccountsError) in
        try list.add(Account(name: Bytes(Demo.name), verifier: verifier, created: Clock.now))
      }
    } catch {
      throw Failure(.cannotCreate, "cannot write the accounts of the demonstration")
    }
  }

  // MARK: after

  /// Removes a directory with all that is in it.
  private func remove(_ directory: Path) {
    for name in (try? files.list(directory)) ?? [] {
      let path = directory.appending(name)
      do throws(Errno) { try files.remove(path) } catch { remove(path) }
    }
    try? files.removeDirectory(directory)
  }
}
