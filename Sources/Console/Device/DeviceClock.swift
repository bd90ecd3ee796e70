import System
import Wire

/// The device's clock, and where its time is from.
enum DeviceClock {
  /// There from when somebody set it by hand until the device is off.
  private static let byHand = Path("/run/restante-clock-by-hand")

  static var isSet: Bool { Clock.now >= Limits.clockFloor }

  /// Where the time is from.
  static var source: Bytes {
    if !isSet { return Bytes("not set") }
    if Files().exists(Path("/run/systemd/timesync/synchronized")) { return Bytes("set by the network") }
    if Files().exists(byHand) { return Bytes("set by hand") }
    return Files().exists(Path("/run/restante-clock.unset"))
      ? Bytes("carried on from the last time known; it may be behind") : Bytes("as this machine has it")
  }

  /// Sets it, and has a start without a clock go on from there: what starts the device looks at the file's own time.
  static func setByHand(_ time: Int64) throws(Failure) {
    do throws(Errno) {
      try Clock.set(time)
    } catch {
      throw Failure(error == .notPermitted ? .permission : .io, Bytes("the clock cannot be set: ") + error.text)
    }
    _ = try? Files().open(byHand, [.write, .create])
    if Files().exists(DevicePlace.directory) { try DevicePlace.write("clock", []) }
  }
}
