import Server
import System
import Wire

/// Where the console finds things.
struct Place {
  let files: Files
  /// What `--config` says; nil for the standard file.
  let named: Path?
  /// Wrong guesses at PINs are remembered here until the device restarts.
  let runtime: Path
  /// Says why the data partition is missing, where it is.
  var missing = Path("/run/restante-data.missing")
  /// USB sticks are mounted below it.
  var stick = Path("/run/restante-stick")

  init(_ config: Bytes?, runtime: Path? = nil, files: Files = Files()) {
    self.files = files
    named = config.map { Path($0) }
    if let runtime {
      self.runtime = runtime
      return
    }
    let given = Process.environment("RUNTIME_DIRECTORY") ?? Bytes()
    // systemd puts colons between several; the first is ours.
    let first = Bytes(given.split(separator: 0x3A).first ?? [])
    self.runtime = first.isEmpty ? Path("/run/restante-console") : Path(first)
  }

  private var file: Path { named ?? Configuration.standardFile }

  /// What the device was told at its first boot.
  var dropIns: Path { file.adding(suffix: ".d") }
  /// The verifier of a PIN.
  func pin(_ name: StaticString) -> Path { file.directory.appending(name).adding(suffix: ".pin") }

  /// As it is now; defaults where it is wrong, so that the console works then, too.
  var configuration: Configuration { Configuration.load(named, files: files).configuration }

  /// The device's own state, root's.
  var device: Path { configuration.device.stateDirectory.adding(suffix: "-device") }
  /// There once the questions of the first boot were answered.
  var firstBootDone: Path { device.appending("first-boot-done") }

  /// Why there is no data partition; nil where there is one.
  var missingWhy: Bytes? { try? files.contents(missing, limit: 4096) }
}
