import System
import Wire

/// The disk that a directory is on, as the kernel tells of it.
struct Disk {
  /// Whether it can only be read.
  let isReadOnly: Bool
  /// Where the kernel tells of the partition, and of the disk it is on; empty where there is no such thing, as in memory.
  private let partition: Bytes
  private let whole: Bytes

  /// Nil where it cannot be found out.
  init?(of path: Path) {
    guard let table = SystemText.read("/proc/self/mountinfo") else { return nil }
    var found: [Bytes] = []
    var longest = 0
    for line in SystemText.lines(table) {
      let words = SystemText.words(line)
      // The last of those on one place lies on top. proc(5): number, parent, device, root, place, options.
      guard words.count > 6, words[4].count >= longest, Disk.holds(words[4], path.bytes) else { continue }
      longest = words[4].count
      found = words
    }
    guard !found.isEmpty else { return nil }
    // The options of the place, and behind a hyphen, the kind and the name, those of the file system.
    let last = found[found.count - 1]
    isReadOnly = Disk.isReadOnly(found[5]) || Disk.isReadOnly(last)
    let base = Bytes("/sys/dev/block/") + found[2]
    guard Files().exists(Path(base)) else {
      partition = []
      whole = []
      return
    }
    partition = base
    whole = Files().exists(Path(base + Bytes("/partition"))) ? base + Bytes("/..") : base
  }

  private static func isReadOnly(_ options: Bytes) -> Bool { options.equals("ro") || options.hasPrefix("ro,") }

  private static func holds(_ place: Bytes, _ path: Bytes) -> Bool {
    place.equals("/") || path == place || path.starts(with: place + [0x2F])
  }

  /// Octets written to the whole disk since it was started; nil where that is not known.
  var written: Int64? {
    guard !whole.isEmpty, let text = SystemText.read(whole + Bytes("/stat")) else { return nil }
    let words = SystemText.words(text)
    // Documentation/block/stat.rst: the seventh is sectors of 512 octets.
    return words.count > 6 ? SystemText.number(words[6]).map { $0 * 512 } : nil
  }

  /// The kernel's name for the partition, such as `mmcblk0p5`; empty where it has none.
  var name: Bytes { SystemText.value("DEVNAME=", in: SystemText.read(partition + Bytes("/uevent"))) ?? [] }

  /// Errors that ext4 has found in its structures, also before the last start.
  var errors: Int64 {
    let text = SystemText.read(Bytes("/sys/fs/ext4/") + name + Bytes("/errors_count"))
    return SystemText.number(text) ?? 0
  }

  /// Lines in which the kernel has complained of it since it was started.
  var complaints: Int {
    guard let log = try? ChildProcess.ask(Tool.words("dmesg"), limit: 1 << 20), !name.isEmpty else { return 0 }
    return SystemText.lines(log.text).filter {
      SystemText.contains($0, "I/O error") || SystemText.contains($0, "EXT4-fs error")
    }.count
  }

  /// How much of its life a flash disk has used, by its own estimate: tenths, 11 past the end; nil where it says nothing.
  var lifeTenths: Int? {
    guard !whole.isEmpty, let text = SystemText.read(whole + Bytes("/device/life_time")) else { return nil }
    // Two kinds of memory, 0x01 for the first tenth.
    return SystemText.words(text).map { word in
      let digits = Bytes(word.dropFirst(2))
      return Int(clamping: digits.span.hexadecimal ?? 0)
    }.max()
  }
}
