import System
import Testing
import Wire

@testable import Console

/// A device's /sys, /dev and mountinfo, as far as sticks need them.
private final class Machine {
  let files = Files()
  let place: Path
  private var mounts = Bytes("22 1 0:21 / / rw - squashfs /dev/root rw\n")

  init() throws {
    place = try Process.temporaryDirectory(in: Path("/tmp"), prefix: "restante-sticks-")
    try make("sys/block")
    try make("dev")
  }

  deinit { try? Replacement.removeTree(place, files) }

  private func make(_ path: String) throws {
    var directory = place
    for part in path.split(separator: "/") {
      directory = directory.appending(Bytes(part.utf8))
      try files.ensureDirectory(directory)
    }
  }

  func write(_ text: Bytes, to path: String) throws {
    if let slash = path.lastIndex(of: "/") { try make(String(path[..<slash])) }
    try files.replace(place.appending(Bytes(path.utf8)), with: text)
  }

  /// A disk, with partitions or none.
  func disk(_ name: String, removable: Bool = true, parts: [(number: Int, label: String, start: Bytes)]) throws {
    try write(Bytes(removable ? "1\n" : "0\n"), to: "sys/block/\(name)/removable")
    try write(Bytes("Maker   \n"), to: "sys/block/\(name)/device/vendor")
    try write(Bytes("Stick 2000      \n"), to: "sys/block/\(name)/device/model")
    try write(Bytes("2048\n"), to: "sys/block/\(name)/size")
    for (number, label, start) in parts {
      let directory = number == 0 ? "sys/block/\(name)" : "sys/block/\(name)/\(name)\(number)"
      if number > 0 { try write(Bytes("\(number)\n".utf8), to: "\(directory)/partition") }
      try write(Bytes("1000\n"), to: "\(directory)/size")
      try write(Bytes("8:\(number)\n".utf8), to: "\(directory)/dev")
      try write(Bytes("DEVTYPE=partition\n\(label)".utf8), to: "\(directory)/uevent")
      try write(start, to: "dev/\(name)" + (number == 0 ? "" : "\(number)"))
    }
  }

  func mount(_ device: String, at path: String) {
    mounts += Bytes("30 22 \(device) / \(path) rw - vfat /dev/x rw\n".utf8)
  }

  var sticks: [Stick] {
    get throws {
      try write(mounts, to: "mounts")
      return Stick.all(
        files, system: place.appending("sys"), devices: place.appending("dev"), mounts: place.appending("mounts"))
    }
  }
}

private func octets(_ marks: [(at: Int, text: Bytes)]) -> Bytes {
  var bytes = Bytes(repeating: 0, count: 4096)
  for (at, text) in marks { bytes.replaceSubrange(at..<at + text.count, with: text) }
  return bytes
}

private let fat = octets([(82, Bytes("FAT32   ")), (510, [0x55, 0xAA])])
private let smallFAT = octets([(54, Bytes("FAT16   ")), (510, [0x55, 0xAA])])
private let exfat = octets([(3, Bytes("EXFAT   ")), (510, [0x55, 0xAA])])
private let ext4 = octets([(1080, [0x53, 0xEF])])

@Suite("USB sticks")
struct StickTests {
  @Test("are found with FAT, exFAT and ext4, in a partition or without one")
  func formats() throws {
    let machine = try Machine()
    try machine.disk("sda", parts: [(1, "", fat), (2, "", exfat), (3, "", ext4), (4, "", octets([]))])
    try machine.disk("sdb", parts: [(0, "", smallFAT)])
    let sticks = try machine.sticks
    #expect(sticks.map(\.name.text) == ["sda1", "sda2", "sda3", "sda4", "sdb"])
    #expect(sticks.map(\.format) == [.fat, .exfat, .ext4, nil, .fat])
    #expect(sticks[0].size == 512_000)
    #expect(sticks[0].model == Bytes("Maker Stick 2000"))
  }

  @Test("are not the disk that the device runs from, nor one that somebody uses")
  func others() throws {
    let machine = try Machine()
    try machine.disk("sda", parts: [(1, "", fat), (2, "PARTNAME=restante-data\n", ext4)])
    try machine.disk("sdb", removable: false, parts: [(3, "", fat)])
    #expect(try machine.sticks.isEmpty)
    try machine.disk("sdc", parts: [(5, "", fat), (6, "", fat)])
    #expect(try machine.sticks.count == 2)
    machine.mount("8:6", at: "/mnt")
    #expect(try machine.sticks.isEmpty)
  }

  @Test("that are in use by us are still sticks")
  func ours() throws {
    let machine = try Machine()
    try machine.disk("sdc", parts: [(5, "", fat)])
    machine.mount("8:5", at: "/run/restante-stick")
    #expect(try machine.sticks.count == 1)
  }
}
