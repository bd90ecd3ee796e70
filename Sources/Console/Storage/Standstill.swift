import Server
import System
import Wire

/// Has the server stand still while its files give way to others. Its ports stay open: who connects waits, or comes
/// again.
final class Standstill {
  private var wasRunning = false
  /// The state directory is that of the unit.
  private let isDevice: Bool
  /// Keeps a server that a connection has started meanwhile away from the spool.
  private var held: Descriptor?

  private static let unit: StaticString = "restante.service"

  /// Stops the server, if one runs. That is systemd's to do: a server that somebody else started is left alone.
  init(_ site: Site) throws(Failure) {
    isDevice = site.state == Configuration().device.stateDirectory
    for _ in 0..<5 {
      try stop(site)
      do throws(Errno) {
        guard site.files.exists(site.spool) else { return }
        held = try site.files.open(site.spool, [.read, .directory])
        if let spool = held?.number { try site.files.lock(spool, wait: false) }
        return
      } catch {
        if error != .again {
          end()
          throw Failure("cannot open", site.spool, error)
        }
      }
      // It is just starting, or about to end.
      try? Pause.milliseconds(500)
    }
    end()
    throw Failure(.tryAgain, "the server does not let go of its files; try again in a moment")
  }

  private func stop(_ site: Site) throws(Failure) {
    guard let client = try ControlClient.connect(site.state) else { return }
    var process = Bytes("/proc/")
    for line in try client.lines(Bytes("STATUS")) where line.hasPrefix("process=") { process += line.dropFirst(8) }
    guard site.files.short(Path(process).appending("cgroup")).contains(Standstill.unit) else {
      var text = Bytes("the server runs, and systemd does not know of it; stop it first (process ")
      text += process.dropFirst(6)
      text += ")"
      throw Failure(.unavailable, text)
    }
    try Standstill.systemctl("stop")
    wasRunning = true
  }

  /// Starts it again, if it ran; or has one try again that has found no spool it could use.
  func end() {
    held = nil
    if wasRunning || isDevice { try? Standstill.systemctl(wasRunning ? "restart" : "try-restart", error: nil) }
  }

  static func systemctl(
    _ verb: StaticString, _ unit: StaticString = Standstill.unit, error: Int32? = 2
  ) throws(Failure) {
    do throws(Errno) {
      let child = try ChildProcess([Bytes("systemctl"), Bytes(verb), Bytes(unit)], error: error)
      if try child.wait() == 0 { return }
    } catch {
      throw Failure("cannot run", Path("systemctl"), error)
    }
    throw Failure(.unavailable, Bytes("systemctl ") + Bytes(verb) + Bytes(" did not work; the journal says why"))
  }
}

extension Files {
  /// A short text, such as the kernel's own files have, that does not tell its size; empty where there is none.
  func short(_ path: Path) -> Bytes {
    var text = Bytes()
    if let file = try? open(path, .read) { _ = try? readAll(file.number, into: &text, count: 64 * 1024, at: 0) }
    return text
  }
}
