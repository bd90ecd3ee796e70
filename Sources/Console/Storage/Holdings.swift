import Server
import System
import Wire

/// The files beside the spool that make a device what it is, and what they are called in a backup.
struct Holdings {
  struct Holding {
    /// `etc/...` belongs to root, `state/...` to the server's user.
    let name: Bytes
    let path: Path

    var isConfiguration: Bool { name.hasPrefix("etc/") }
  }

  private(set) var all: [Holding] = []

  /// Those that a configuration in `file` speaks of, whether they are there or not.
  init(_ file: Path, _ configuration: Configuration, state: Path, _ files: Files) {
    add("etc/restante.conf", file)
    let dropIns = file.adding(suffix: ".d")
    for name in (try? files.list(dropIns)) ?? [] where name.count > 5 && name.suffix(5).elementsEqual(Bytes(".conf")) {
      all.append(Holding(name: Bytes("etc/restante.conf.d/") + name, path: dropIns.appending(name)))
    }
    add("etc/aliases", configuration.device.aliases)
    add("etc/console.pin", file.directory.appending("console.pin"))
    add("etc/shell.pin", file.directory.appending("shell.pin"))
    for name in Holdings.networkFiles(in: NetworkTrial.directory, files) {
      all.append(Holding(name: Bytes("etc/") + name, path: NetworkTrial.directory.appending(name)))
    }
    if let certificate = configuration.tls.certificate { add("etc/certificate", certificate) }
    if let key = configuration.tls.privateKey { add("etc/key", key) }
    add("state/accounts", state.appending("accounts"))
    add("state/certificate.pem", state.appending("certificate.pem"))
  }

  /// What `restante network` has written there.
  static func networkFiles(in directory: Path, _ files: Files) -> [Bytes] {
    ((try? files.list(directory)) ?? []).filter { $0.hasPrefix(NetworkTrial.prefix) }
  }

  private mutating func add(_ name: StaticString, _ path: Path) {
    all.append(Holding(name: Bytes(name), path: path))
  }

  /// Where the command line has the configuration.
  static func file(_ invocation: Invocation) -> Path {
    invocation.value(.config).map { Path($0) } ?? Configuration.standardFile
  }
}
