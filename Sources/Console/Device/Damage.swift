import System
import Wire

/// What is wrong with the card: what the device's start found damaged, until somebody has seen it or a month is over; and
/// that nothing can be written to it.
enum Damage {
  /// Seconds that it is told for.
  private static let told: Int64 = 30 * 86_400

  /// Whether there is something that somebody should have seen.
  static var isTold: Bool {
    let status = try? Identity.asCaller { () throws(Errno) in try Files().status(DevicePlace.file("damage")) }
    return status.map { Clock.now - $0.modified < told } ?? false
  }

  /// Somebody has seen it, and seen to it.
  static func seen() throws(Failure) {
    let paths = [DevicePlace.file("lost"), Path("/run/restante-data.lost"), DevicePlace.file("damage")]
    do throws(Errno) {
      try Identity.asCaller { () throws(Errno) in
        for path in paths where Files().exists(path) { try Files().remove(path) }
      }
    } catch {
      throw Failure("cannot remove", paths[2], error)
    }
  }

  /// Sentences for people; empty where all is well.
  static func words(of state: Path) -> Bytes {
    var words = Bytes()
    if let disk = Disk(of: state), disk.isReadOnly || disk.errors > 0 {
      words += """
        ERRORS SHOWED ON THE CARD, and nothing may be written to it: restart the device, which repairs it; if they come \
        back, make a backup and put in another card.
        """
      words += " "
    }
    if isTold, let text = DevicePlace.read("damage") {
      for line in SystemText.lines(text) { words += line + [ASCII.space] }
      words += "(`restante status --seen` ends this.) "
    }
    if !words.isEmpty { words.removeLast() }
    return words
  }
}
