import System
import Wire

/// What systemd tells of the service, and of the watchdogs.
struct Supervisors {
  private let service: Bytes?
  private let manager: Bytes?

  init() {
    service = Tool.ask(
      "systemctl show restante.service -p ActiveState -p NRestarts -p StatusText -p WatchdogUSec")
    manager = service == nil ? nil : Tool.ask("systemctl show -p RuntimeWatchdogUSec")
  }

  /// Whether systemd has the service and it is running or about to.
  var isActive: Bool {
    let state = SystemText.value("ActiveState=", in: service) ?? []
    return state.equals("active") || state.equals("activating") || state.equals("reloading")
  }

  /// What the service says of itself.
  var statusText: Bytes { SystemText.value("StatusText=", in: service) ?? [] }

  /// How often systemd had to start the service anew since the device was started.
  var restarts: Int64 { SystemText.number(SystemText.value("NRestarts=", in: service)) ?? 0 }

  /// Why that was the last time, in systemd's words.
  var lastRestart: Bytes {
    // SD_MESSAGE_UNIT_PROCESS_EXIT
    let text = Tool.ask(
      """
      journalctl -b -q -n 1 -o cat --no-pager UNIT=restante.service MESSAGE_ID=98e322203f7a4ed290d09fe03c09fe15
      """)
    return SystemText.lines(text ?? []).first ?? []
  }

  private static func isSet(_ time: Bytes?) -> Bool {
    guard let first = time?.first else { return false }
    return first >= 0x31 && first <= 0x39
  }

  /// Whether a hung program and a hung kernel each end in a new start, and words about it; nil where it is not known.
  var watchdog: (isArmed: Bool?, words: Bytes) {
    guard let service, let manager else {
      return (nil, Bytes("not known here: systemd does not run this machine"))
    }
    let program = SystemText.value("WatchdogUSec=", in: service)
    let machine = SystemText.value("RuntimeWatchdogUSec=", in: manager)
    if !Files().exists(Path("/dev/watchdog0")) {
      return (
        Supervisors.isSet(machine) ? false : nil,
        Bytes("none in this machine: if its kernel hangs, somebody must re-plug it")
      )
    }
    if !Supervisors.isSet(machine) {
      return (false, Bytes("not armed; set RuntimeWatchdogSec= in /etc/systemd/system.conf, and restart"))
    }
    if !Supervisors.isSet(program) {
      return (false, Bytes("that of the server is not armed; set WatchdogSec= in restante.service"))
    }
    var words = Bytes("armed: a hung machine starts anew after ")
    words += machine ?? []
    words += ", a hung server after "
    words += program ?? []
    return (true, words)
  }
}
