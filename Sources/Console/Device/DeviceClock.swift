import System
import Wire

/// The device's clock: where its time is from, and that it never goes back behind what was known.
enum DeviceClock {
  /// There from when somebody set it by hand until the device is off.
  private static let byHand = Path("/run/restante-clock-by-hand")

  static var isSet: Bool { Clock.now >= Limits.clockFloor }

  /// Where the time is from.
  static var source: Bytes {
    if !isSet { return Bytes("not set") }
    if Files().exists(Path("/run/systemd/timesync/synchronized")) { return Bytes("set by the network") }
    if Files().exists(byHand) { return Bytes("set by hand") }
    if Files().exists(Path("/dev/rtc0")) { return Bytes("from the clock with a battery") }
    return DevicePlace.read("clock") == nil
      ? Bytes("as this machine has it") : Bytes("carried on from the last time known; it may be behind")
  }

  /// Remembers the time for a start without a clock.
  static func keep() throws(Failure) {
    guard isSet else { return }
    var text = Bytes()
    text.append(decimal: Int(Clock.now))
    try DevicePlace.write("clock", text + [ASCII.lf])
  }

  /// Goes on from the last time known, if the clock is behind it.
  static func restore() throws(Failure) {
    guard let last = SystemText.number(DevicePlace.read("clock")), last > Clock.now else { return }
    try set(last)
  }

  static func setByHand(_ time: Int64) throws(Failure) {
    try set(time)
    _ = try? Files().open(byHand, [.write, .create])
    try keep()
  }

  private static func set(_ time: Int64) throws(Failure) {
    do throws(Errno) {
      try Clock.set(time)
    } catch {
      throw Failure(error == .notPermitted ? .permission : .io, Bytes("the clock cannot be set: ") + error.text)
    }
  }
}
