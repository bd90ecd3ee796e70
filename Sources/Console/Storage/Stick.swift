import System
import Wire

/// A USB stick, or a partition of one, that has a file system we know.
struct Stick: Equatable {
  enum Format: Equatable {
    case fat, exfat, ext4

    var type: StaticString {
      switch self {
      case .fat: "vfat"
      case .exfat: "exfat"
      case .ext4: "ext4"
      }
    }

    var options: StaticString { self == .ext4 ? "" : "umask=0077" }

    /// What the first octets of a partition say; nil for anything else.
    init?(_ start: Span<UInt8>) {
      guard start.count >= 2048 else { return nil }
      if start.extracting(3..<11).equals("EXFAT   ") {
        self = .exfat
      } else if start[1080] == 0x53 && start[1081] == 0xEF {
        self = .ext4
      } else if start[510] == 0x55 && start[511] == 0xAA
        && (start.extracting(82..<86).equals("FAT3") || start.extracting(54..<57).equals("FAT"))
      {
        self = .fat
      } else {
        return nil
      }
    }
  }

  /// The kernel's name for it: `sdb1`.
  let name: Bytes
  /// Octets.
  let size: Int64
  /// Nil where it is none that we know.
  let format: Format?
  /// Who made it, as it says itself.
  let model: Bytes

  var device: Path { Path("/dev").appending(name) }

  /// Where the one stick that is in use is mounted.
  static let directory = Path("/run/restante-stick")

  /// Every stick there is, without the disk that the device runs from and what else is in use.
  ///
  /// - Parameters:
  ///   - system: sysfs.
  ///   - devices: where the devices are.
  static func all(
    _ files: Files, system: Path = Path("/sys"), devices: Path = Path("/dev"),
    mounts: Path = Path("/proc/self/mountinfo")
  ) -> [Stick] {
    let used = files.short(mounts).split(separator: ASCII.lf).map { $0.split(separator: ASCII.space) }
    var sticks: [Stick] = []
    let blocks = system.appending("block")
    var disks = (try? files.list(blocks)) ?? []
    disks.shellSort { $0.lexicographicallyPrecedes($1) }
    for disk in disks {
      let directory = blocks.appending(disk)
      guard disk.hasPrefix("sd") || disk.hasPrefix("mmcblk"), isRemovable(directory, files) else { continue }
      var parts = ((try? files.list(directory)) ?? []).filter {
        files.exists(directory.appending($0).appending("partition"))
      }
      parts.shellSort { $0.lexicographicallyPrecedes($1) }
      var places = parts.map { ($0, directory.appending($0)) }
      if places.isEmpty { places = [(disk, directory)] }
      // One partition of the device's own, or one that somebody uses, and nothing on that disk is offered.
      guard !places.contains(where: { isTaken($0.1, used, files) }) else { continue }
      var model = line(directory.appending("device/vendor"), files)
      if !model.isEmpty { model.append(ASCII.space) }
      model += line(directory.appending("device/model"), files)
      for (name, place) in places {
        let sectors = line(place.appending("size"), files).span.decimal ?? 0
        if sectors == 0 { continue }
        var start = Bytes()
        if let file = try? files.open(devices.appending(name), .read) {
          _ = try? files.readAll(file.number, into: &start, count: 2048, at: 0)
        }
        sticks.append(
          Stick(name: name, size: Int64(clamping: sectors) * 512, format: Format(start.span), model: model))
      }
    }
    return sticks
  }

  private static func isRemovable(_ disk: Path, _ files: Files) -> Bool {
    if line(disk.appending("removable"), files).equals("1") { return true }
    return ((try? Mounts.link(disk)) ?? []).contains("/usb")
  }

  private static func isTaken(_ place: Path, _ mounts: [[ArraySlice<UInt8>]], _ files: Files) -> Bool {
    if files.short(place.appending("uevent")).contains("PARTNAME=restante-") { return true }
    let number = line(place.appending("dev"), files)
    return mounts.contains { fields in
      fields.count > 4 && fields[2].elementsEqual(number) && !fields[4].elementsEqual(directory.bytes)
    }
  }

  /// The first line of one of the kernel's files, without the spaces at its end.
  private static func line(_ path: Path, _ files: Files) -> Bytes {
    var line = Bytes(files.short(path).prefix { $0 != ASCII.lf })
    while line.last == ASCII.space { line.removeLast() }
    return line
  }

  /// Whether a stick is mounted.
  static func isMounted(_ files: Files) -> Bool {
    let target = Bytes(" ") + directory.bytes + Bytes(" ")
    return files.short(Path("/proc/self/mountinfo")).split(separator: ASCII.lf).contains { line in
      line.count > target.count
        && (0...line.count - target.count).contains { at in
          line[(line.startIndex + at)...].starts(with: target)
        }
    }
  }
}
