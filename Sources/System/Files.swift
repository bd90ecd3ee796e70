import CLinux
import Wire

/// How a file is opened.
public struct OpenMode: OptionSet, Sendable {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }
  public static let read = OpenMode(rawValue: Int32(CL_READ))
  public static let write = OpenMode(rawValue: Int32(CL_WRITE))
  public static let create = OpenMode(rawValue: Int32(CL_CREATE))
  public static let exclusive = OpenMode(rawValue: Int32(CL_EXCLUSIVE))
  public static let truncate = OpenMode(rawValue: Int32(CL_TRUNCATE))
  public static let append = OpenMode(rawValue: Int32(CL_APPEND))
  public static let directory = OpenMode(rawValue: Int32(CL_DIRECTORY))
}

/// What the kernel says of a file.
public struct FileStatus: Equatable, Sendable {
  /// Octets long.
  public var size: Int64
  /// Octets it really takes on the disk.
  public var allocated: Int64
  /// Seconds since 1970, and nanoseconds, of the last change.
  public var modified: Int64
  public var modifiedNanoseconds: Int64
  public var inode: UInt64
  /// Permission bits.
  public var mode: UInt32
  public var owner: UInt32
  public var group: UInt32
  public var isDirectory: Bool
  public var isRegular: Bool
}

/// The calls to the kernel that touch files: the one seam of its kind. Tests override what shall fail; nothing else
/// does. Each call is one system call, so it can be short, or interrupted, as the kernel pleases: see `FilesWhole`.
open class Files: @unchecked Sendable {
  public init() {}

  open func open(_ path: Path, _ mode: OpenMode, permissions: UInt32 = 0o600) throws(Errno) -> Descriptor {
    try Descriptor(Errno.check(unsafe path.withCString { unsafe cl_open($0, mode.rawValue, permissions) }))
  }

  /// Reads up to `count` octets at `offset` and appends them to `bytes`; returns how many, 0 at the end.
  open func read(_ file: Int32, into bytes: inout Bytes, count: Int, at offset: Int64) throws(Errno) -> Int {
    var result: Int64 = 0
    unsafe bytes.append(upTo: count) { buffer in
      result = unsafe cl_pread(file, buffer.baseAddress, count, offset)
      return Int(clamping: result)
    }
    return try Errno.check(result)
  }

  /// Writes `bytes` at `offset`; returns how many octets were taken.
  open func write(_ file: Int32, _ bytes: Span<UInt8>, at offset: Int64) throws(Errno) -> Int {
    try Errno.check(
      unsafe bytes.withUnsafeBytes { unsafe cl_pwrite(file, $0.baseAddress, $0.count, offset) })
  }

  /// Returns when the file's octets, and what is needed to find them, are on the disk.
  open func flush(_ file: Int32) throws(Errno) {
    try Errno.check(cl_fdatasync(file))
  }

  /// Has what was flushed read from the disk again, not from memory.
  open func forgetCached(_ file: Int32) { _ = cl_forget_cached(file) }

  /// The same for a directory's names.
  open func flushDirectory(_ path: Path) throws(Errno) {
    let directory = try open(path, [.read, .directory])
    try Errno.check(cl_fsync(directory.number))
  }

  /// Asks for the range to be written soon, and does not wait.
  open func startWriteback(_ file: Int32, at offset: Int64, count: Int64) {
    _ = cl_start_writeback(file, offset, count)
  }

  open func truncate(_ file: Int32, to size: Int64) throws(Errno) {
    try Errno.check(cl_ftruncate(file, size))
  }

  /// Sets blocks aside for the range without changing the file's size.
  open func allocate(_ file: Int32, at offset: Int64, count: Int64) throws(Errno) {
    try Errno.check(cl_allocate(file, offset, count))
  }

  /// Gives the whole blocks within the range back; they read as zeros from then on.
  open func punchHole(_ file: Int32, at offset: Int64, count: Int64) throws(Errno) {
    try Errno.check(cl_punch_hole(file, offset, count))
  }

  open func rename(_ from: Path, to: Path) throws(Errno) {
    try Errno.check(unsafe from.withCString { old in unsafe to.withCString { unsafe cl_rename(old, $0) } })
  }

  open func remove(_ path: Path) throws(Errno) {
    try Errno.check(unsafe path.withCString { unsafe cl_unlink($0) })
  }

  open func makeDirectory(_ path: Path, permissions: UInt32 = 0o700) throws(Errno) {
    try Errno.check(unsafe path.withCString { unsafe cl_mkdir($0, permissions) })
  }

  open func removeDirectory(_ path: Path) throws(Errno) {
    try Errno.check(unsafe path.withCString { unsafe cl_rmdir($0) })
  }

  /// Sets an open file's permission bits, whatever the umask says.
  open func setPermissions(_ file: Int32, _ permissions: UInt32) throws(Errno) {
    try Errno.check(cl_fchmod(file, permissions))
  }

  /// Gives an open file away; only root may.
  open func setOwner(_ file: Int32, user: UInt32, group: UInt32) throws(Errno) {
    try Errno.check(cl_fchown(file, user, group))
  }

  open func status(_ path: Path) throws(Errno) -> FileStatus {
    var raw = cl_stat()
    try Errno.check(unsafe path.withCString { unsafe cl_stat($0, &raw) })
    return FileStatus(raw)
  }

  open func status(of file: Int32) throws(Errno) -> FileStatus {
    var raw = cl_stat()
    try Errno.check(unsafe cl_fstat(file, &raw))
    return FileStatus(raw)
  }

  /// Takes the kernel's lock on an open file or directory; `.again` when another process holds it. The lock goes
  /// with the descriptor, whatever becomes of the process: it cannot go stale.
  open func lock(_ file: Int32, wait: Bool) throws(Errno) {
    try Errno.check(cl_lock(file, wait ? 1 : 0))
  }

  /// Octets of the file system that `path` is on: all, and those left for us.
  open func space(_ path: Path) throws(Errno) -> (total: Int64, available: Int64) {
    var total: Int64 = 0
    var available: Int64 = 0
    try Errno.check(unsafe path.withCString { unsafe cl_statvfs($0, &total, &available) })
    return (total, available)
  }

  /// The names in a directory, in no order.
  open func list(_ path: Path) throws(Errno) -> [Bytes] {
    var names: [Bytes] = []
    let result = unsafe withUnsafeMutablePointer(to: &names) { pointer in
      unsafe path.withCString { name in
        unsafe cl_list(name, pointer) { context, entry in
          unsafe context!.assumingMemoryBound(to: [Bytes].self).pointee.append(Bytes(cString: entry!))
          return 0
        }
      }
    }
    try Errno.check(result)
    return names
  }
}

extension FileStatus {
  init(_ raw: cl_stat) {
    self.init(
      size: raw.size, allocated: raw.blocks * 512, modified: raw.mtime, modifiedNanoseconds: raw.mtime_ns,
      inode: raw.inode, mode: raw.mode & 0o7777, owner: raw.uid, group: raw.gid, isDirectory: raw.is_directory != 0,
      isRegular: raw.is_regular != 0)
  }
}
