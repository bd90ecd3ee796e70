import System
import Wire

/// A change of the network that is tried: the settings before it are kept until it is confirmed, and come back by
/// themselves after two minutes, by a timer of systemd's, or at the next start.
struct NetworkTrial {
  static let directory = Path("/etc/systemd/network")
  /// What its files' names begin with.
  static let prefix: StaticString = "10-restante-"
  /// The file that was changed, a line feed, and what stood in it; nothing where it was not there.
  private static let pending: StaticString = "network.pending"
  private static let timer: StaticString = "systemctl stop restante-network-return.timer"

  static var isPending: Bool { DevicePlace.read(pending) != nil }

  /// Insists that the network is systemd-networkd's, and that a change will be taken back.
  static func check() throws(Failure) {
    try DevicePlace.needsRoot()
    let state = Tool.ask(
      "systemctl show systemd-networkd.service restante-network-return.timer -p LoadState -p ActiveState")
    let words = SystemText.words(state ?? [])
    guard words.contains(where: { $0.equals("ActiveState=active") }),
      words.filter({ $0.equals("LoadState=loaded") }).count == 2
    else {
      throw Failure(
        .unavailable,
        "the network of this machine is not the appliance's (systemd-networkd), so it is changed elsewhere")
    }
  }

  /// Writes the settings of an interface and has them taken.
  static func begin(_ interface: Bytes, _ text: Bytes) throws(Failure) {
    let file = directory.appending(Bytes(prefix) + interface + Bytes(".network"))
    // A second change before the first is confirmed goes back to what was before both.
    if !isPending {
      let before = (try? Files().contents(file, limit: Limits.configurationFile)) ?? []
      try DevicePlace.write(pending, file.bytes + [ASCII.lf] + before)
    }
    // First that it goes back, then that it is changed.
    guard Tool.ask("systemctl restart restante-network-return.timer") != nil else {
      DevicePlace.remove(pending)
      throw Failure(
        .unavailable, "systemd does not set the clock by which the old settings come back; nothing was changed")
    }
    do throws(Errno) {
      try Files().ensureDirectory(directory, permissions: 0o755)
      try write(file, text)
    } catch {
      throw Failure("cannot write", file, error)
    }
    apply()
  }

  /// networkd reads it as a user of its own.
  private static func write(_ file: Path, _ text: Bytes) throws(Errno) {
    try Files().replace(file, with: text, permissions: 0o644)
    let written = try Files().open(file, .read)
    try Files().setPermissions(written.number, 0o644)
  }

  static func confirm() throws(Failure) {
    try DevicePlace.needsRoot()
    guard isPending else {
      throw Failure(
        .data, "there is no change of the network that waits to be confirmed; it may have gone back by itself")
    }
    DevicePlace.remove(pending)
    _ = Tool.ask(timer)
  }

  /// Puts back what was before; false if there is nothing to be put back.
  static func revert() throws(Failure) -> Bool {
    try DevicePlace.needsRoot()
    guard let kept = try? Files().contents(DevicePlace.file(pending), limit: Limits.configurationFile + 4096) else {
      return false
    }
    let end = kept.firstIndex(of: ASCII.lf) ?? kept.count
    let file = Path(Bytes(kept[..<end]))
    let before = Bytes(kept.dropFirst(end + 1))
    do throws(Errno) {
      if before.isEmpty { try Files().remove(file) } else { try write(file, before) }
    } catch {
      if error != .notFound { throw Failure("cannot put back", file, error) }
    }
    DevicePlace.remove(pending)
    _ = Tool.ask(timer)
    apply()
    return true
  }

  /// Has networkd take its files. While the device starts it does not run yet, and will.
  private static func apply() {
    guard Tool.ask("systemctl is-active --quiet systemd-networkd") != nil else { return }
    // Without D-Bus, as on the appliance, networkd cannot be told; starting it anew does the same.
    if Tool.ask("networkctl reload") == nil { _ = Tool.ask("systemctl restart systemd-networkd") }
  }
}
