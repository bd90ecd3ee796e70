import System
import Wire

/// What `status` tells of the device beside the mail: lines of a word and what is to be said of it.
struct DeviceReport {
  private(set) var lines: [(name: StaticString, words: Bytes)] = []

  init(state: Path) {
    if let release = SystemText.read("/usr/lib/restante/release") {
      var words = SystemText.value("VERSION=", in: release) ?? []
      let kernel = SystemText.words(SystemText.read("/proc/cmdline") ?? [])
      if let slot = kernel.first(where: { $0.hasPrefix("restante.slot=") }) {
        words += " in slot "
        words += slot[14...]
      }
      if kernel.contains(where: { $0.equals("restante.trial=1") }) { words += ", started to be tried" }
      lines.append(("firmware", words))
    }
    let addresses = Sockets.ownAddresses
    lines.append(("addresses", addresses.isEmpty ? Bytes("none") : Bytes(addresses.dropFirst())))
    addDisk(state)
    if let memory = SystemText.read("/proc/meminfo") {
      var words = Bytes()
      words.append(rounded: (SystemText.number(SystemText.value("MemAvailable:", in: memory)) ?? 0) * 1024)
      words += " of "
      words.append(rounded: (SystemText.number(SystemText.value("MemTotal:", in: memory)) ?? 0) * 1024)
      words += " available; load "
      words += Bytes((SystemText.read("/proc/loadavg") ?? []).prefix { $0 != ASCII.space })
      lines.append(("memory", words))
    }
    var clock = Bytes()
    Moment.append(Clock.now, to: &clock)
    clock += ", "
    clock += DeviceClock.source
    lines.append(("clock", clock))
    let supervisors = Supervisors()
    lines.append(("watchdog", supervisors.watchdog.words))
    var why = Bytes("the device: ")
    // The image writes it down: first what goes on since when, then why it was started.
    why +=
      SystemText.lines(DevicePlace.read("boot") ?? []).dropFirst().first
      ?? Bytes("not known, since nobody keeps a record of it here")
    if supervisors.restarts > 0 {
      why += "; since then the server was started anew by itself, times: "
      why.append(decimal: Int(supervisors.restarts))
      why += ". "
      why += supervisors.lastRestart
    }
    lines.append(("last_restart", why))
  }

  private mutating func addDisk(_ state: Path) {
    guard let disk = Disk(of: state), let written = disk.written else { return }
    var words = Bytes()
    words.append(rounded: written)
    words += " to the disk since it was started"
    if let life = disk.lifeTenths, life > 0 {
      words += "; of its life used: "
      words.append(decimal: min(life, 10) * 10)
      words += "%"
    }
    lines.append(("written", words))
  }
}
