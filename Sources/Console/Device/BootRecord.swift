import System
import Wire

/// How the device was started and how it had ended: `boot` on the data partition, written by the units of the image.
///
/// Its first line says what was going on when it was written, `running`, `off` or `restart` and since when; the second
/// why the device was started.
enum BootRecord {
  /// The device has started.
  static func begin() throws(Failure) {
    try DeviceClock.restore()
    var text = Bytes("running ")
    text.append(decimal: Int(Clock.now))
    text.append(ASCII.lf)
    text += why(before: DevicePlace.read("boot"))
    text.append(ASCII.lf)
    try DevicePlace.write("boot", text)
  }

  /// It is about to end, in order.
  static func end() throws(Failure) {
    let jobs = Tool.ask("systemctl list-jobs --no-legend --plain") ?? []
    var text = Bytes(SystemText.contains(jobs, "reboot.target") ? "restart " : "off ")
    text.append(decimal: Int(Clock.now))
    try DevicePlace.write("boot", text + [ASCII.lf])
    try DeviceClock.keep()
  }

  private static func why(before: Bytes?) -> Bytes {
    guard let before else { return Bytes("this was its first start") }
    if before.hasPrefix("off") { return Bytes("it had been switched off in order") }
    if before.hasPrefix("restart") { return Bytes("it had been told to restart") }
    // linux/watchdog.h: WDIOF_CARDRESET is 0x20. Drivers say it in decimal.
    let status = SystemText.number(SystemText.read("/sys/class/watchdog/watchdog0/bootstatus")) ?? 0
    if status & 0x20 != 0 { return Bytes("it had hung, and its watchdog started it anew") }
    if let crashes = try? Files().list(Path("/sys/fs/pstore")), !crashes.isEmpty {
      return Bytes("its kernel had crashed; /sys/fs/pstore has what it said")
    }
    return Bytes("it had ended without being shut down: the power was cut, or it hung or crashed")
  }

  /// Why the device was last started; nil where nobody has written that down.
  static var lastWhy: Bytes? {
    guard let text = DevicePlace.read("boot"), text.hasPrefix("running") else { return nil }
    return SystemText.lines(text).dropFirst().first
  }
}
