import System
import Wire

/// Files of which the `failing`th call fails, or that one and all after it, as if the plug had been pulled then.
final class FaultyFiles: Files, @unchecked Sendable {
  private(set) var calls = 0
  /// What was called, in order.
  private(set) var log: [String] = []
  private let failing: Int
  private let isCrash: Bool
  private let error: Errno
  /// Octets one write takes at most.
  var longestWrite = Int.max

  init(failing: Int = .max, isCrash: Bool = false, error: Errno = .io) {
    self.failing = failing
    self.isCrash = isCrash
    self.error = error
  }

  private func step(_ name: String) throws(Errno) {
    calls += 1
    log.append(name)
    if calls == failing || (isCrash && calls > failing) { throw error }
  }

  override func open(_ path: Path, _ mode: OpenMode, permissions: UInt32) throws(Errno) -> Descriptor {
    try step("open")
    return try super.open(path, mode, permissions: permissions)
  }
  override func read(_ file: Int32, into bytes: inout Bytes, count: Int, at offset: Int64) throws(Errno) -> Int {
    try step("read")
    return try super.read(file, into: &bytes, count: count, at: offset)
  }
  override func write(_ file: Int32, _ bytes: Span<UInt8>, at offset: Int64) throws(Errno) -> Int {
    try step("write")
    return try super.write(file, bytes.extracting(first: min(bytes.count, longestWrite)), at: offset)
  }
  override func flush(_ file: Int32) throws(Errno) {
    try step("flush")
    try super.flush(file)
  }
  override func flushDirectory(_ path: Path) throws(Errno) {
    try step("flush directory")
    try super.flushDirectory(path)
  }
  override func rename(_ from: Path, to: Path) throws(Errno) {
    try step("rename")
    try super.rename(from, to: to)
  }
  override func remove(_ path: Path) throws(Errno) {
    try step("remove")
    try super.remove(path)
  }
  override func status(_ path: Path) throws(Errno) -> FileStatus {
    try step("status")
    return try super.status(path)
  }
  override func status(of file: Int32) throws(Errno) -> FileStatus {
    try step("status of file")
    return try super.status(of: file)
  }
  override func lock(_ file: Int32, wait: Bool) throws(Errno) {
    try step("lock")
    try super.lock(file, wait: wait)
  }
  override func setPermissions(_ file: Int32, _ permissions: UInt32) throws(Errno) {
    try step("set permissions")
    try super.setPermissions(file, permissions)
  }
  override func setOwner(_ file: Int32, user: UInt32, group: UInt32) throws(Errno) {
    try step("set owner")
    try super.setOwner(file, user: user, group: group)
  }
}
