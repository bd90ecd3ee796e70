import Wire

@testable import System

/// A disk that forgets: what was written but not flushed may be there after a crash, or not, or in part, page by page
/// and name by name, as the worst of real disks have it. It can also refuse any call, or take only half of a write.
final class MemoryDisk: Files, @unchecked Sendable {
  final class Node {
    var current: Bytes
    var durable: Bytes
    /// Writes and truncations since the last flush, in order.
    var pending: [Change] = []
    var isDirectory = false
    var inode: UInt64
    init(_ inode: UInt64, _ bytes: Bytes = []) {
      self.inode = inode
      current = bytes
      durable = bytes
    }
  }

  enum Change {
    case write(offset: Int, Bytes)
    case size(Int)
  }

  /// A change of names since the directory was last flushed.
  enum NameChange {
    case link(Bytes, Node)
    case unlink(Bytes)
  }

  enum Call: Hashable { case open, read, write, flush, flushDirectory, truncate, allocate, punch, rename, remove, list }

  private let lock = Lock()
  private var names: [Bytes: Node] = [:]
  private var durableNames: [Bytes: Node] = [:]
  private var pendingNames: [NameChange] = []
  private var descriptors: [Int32: Node] = [:]
  private var nextDescriptor: Int32 = 1_000_000
  private var nextInode: UInt64 = 1
  private var locked: [UInt64: Int32] = [:]

  /// What each call shall throw, by its count from now on: asked before the call does anything.
  var fault: ((Call, Path?) -> Errno?)?
  /// Writes take only half of what they are given.
  var writesShort = false
  /// Every other call is interrupted once.
  var interrupts = false
  /// Octets the disk holds; `available` is what is left of them.
  var capacity: Int64 = 1 << 30
  var reportedAvailable: Int64?
  /// After so many calls the power goes: every call fails, and nothing changes any more.
  var callsLeft = Int.max
  private(set) var calls = 0
  private(set) var flushes = 0
  /// A failed flush loses what was to be flushed, as Linux does.
  private var interrupted = false

  override init() {
    super.init()
    let root = Node(0)
    root.isDirectory = true
    names[Bytes("/")] = root
    durableNames[Bytes("/")] = root
  }

  private func guarded<R>(
    _ call: Call, _ path: Path? = nil, file: Int32? = nil, _ body: () throws(Errno) -> R
  ) throws(Errno) -> R {
    var path = path
    var result: Result<R, Errno> = .failure(.io)
    lock.locked {
      calls += 1
      if callsLeft <= 0 {
        result = .failure(.io)
        return
      }
      callsLeft -= 1
      if interrupts, call == .write || call == .read {
        interrupted.toggle()
        if interrupted {
          result = .failure(.interrupted)
          return
        }
      }
      if fault != nil, path == nil, let file, let node = descriptors[file] {
        path = names.first { $0.value === node }.map { Path($0.key) }
      }
      if let error = fault?(call, path) {
        result = .failure(error)
        return
      }
      do throws(Errno) { result = .success(try body()) } catch { result = .failure(error) }
    }
    return try result.get()
  }

  private func node(_ file: Int32) throws(Errno) -> Node {
    guard let node = descriptors[file] else { throw Errno(9) }
    return node
  }

  private var used: Int64 { names.values.reduce(0) { $0 + Int64($1.current.count) } }

  override func open(_ path: Path, _ mode: OpenMode, permissions: UInt32) throws(Errno) -> Descriptor {
    let number = try guarded(.open, path) { () throws(Errno) -> Int32 in
      var node = names[path.bytes]
      if node == nil {
        guard mode.contains(.create) else { throw .notFound }
        guard names[path.directory.bytes] != nil else { throw .notFound }
        nextInode += 1
        let made = Node(nextInode)
        node = made
        names[path.bytes] = made
        pendingNames.append(.link(path.bytes, made))
      } else if mode.contains(.exclusive) {
        throw .exists
      }
      if mode.contains(.truncate), let node, !node.current.isEmpty {
        node.current = []
        node.pending.append(.size(0))
      }
      nextDescriptor += 1
      descriptors[nextDescriptor] = node
      return nextDescriptor
    }
    return Descriptor(number)
  }

  override func read(_ file: Int32, into bytes: inout Bytes, count: Int, at offset: Int64) throws(Errno) -> Int {
    let got = try guarded(.read) { () throws(Errno) -> Bytes in
      let node = try node(file)
      let start = min(Int(offset), node.current.count)
      return Bytes(node.current[start..<min(start + count, node.current.count)])
    }
    bytes += got
    return got.count
  }

  override func write(_ file: Int32, _ bytes: Span<UInt8>, at offset: Int64) throws(Errno) -> Int {
    var copy = Bytes(bytes)
    if writesShort && copy.count > 1 { copy.removeLast(copy.count / 2) }
    let data = copy
    return try guarded(.write, file: file) { () throws(Errno) -> Int in
      let node = try node(file)
      let growth = Int64(max(0, Int(offset) + data.count - node.current.count))
      if used + growth > capacity { throw .noSpace }
      MemoryDisk.apply(.write(offset: Int(offset), data), to: &node.current)
      node.pending.append(.write(offset: Int(offset), data))
      return data.count
    }
  }

  private static func apply(_ change: Change, to bytes: inout Bytes) {
    switch change {
    case .size(let size):
      if size < bytes.count { bytes.removeLast(bytes.count - size) }
      while bytes.count < size { bytes.append(0) }
    case .write(let offset, let data):
      if bytes.count < offset + data.count {
        bytes.append(contentsOf: repeatElement(0, count: offset + data.count - bytes.count))
      }
      bytes.replaceSubrange(offset..<(offset + data.count), with: data)
    }
  }

  override func flush(_ file: Int32) throws(Errno) {
    var failed = false
    do throws(Errno) {
      try guarded(.flush) { () throws(Errno) in
        let node = try node(file)
        node.durable = node.current
        node.pending = []
        flushes += 1
      }
    } catch {
      failed = true
      if callsLeft > 0 { lock.locked { descriptors[file]?.pending = [] } }
      throw error
    }
    _ = failed
  }

  override func flushDirectory(_ path: Path) throws(Errno) {
    try guarded(.flushDirectory, path) {
      // One directory's flush makes all names durable before it, as a journal does.
      durableNames = names
      pendingNames = []
    }
  }

  override func startWriteback(_ file: Int32, at offset: Int64, count: Int64) {}

  override func truncate(_ file: Int32, to size: Int64) throws(Errno) {
    try guarded(.truncate) { () throws(Errno) in
      let node = try node(file)
      if Int(size) == node.current.count { return }
      MemoryDisk.apply(.size(Int(size)), to: &node.current)
      node.pending.append(.size(Int(size)))
    }
  }

  override func allocate(_ file: Int32, at offset: Int64, count: Int64) throws(Errno) {
    try guarded(.allocate) { () throws(Errno) in
      if used + count > capacity { throw .noSpace }
    }
  }

  override func punchHole(_ file: Int32, at offset: Int64, count: Int64) throws(Errno) {
    try guarded(.punch) { () throws(Errno) in
      let node = try node(file)
      let zeros = Bytes(repeating: 0, count: Int(count))
      MemoryDisk.apply(.write(offset: Int(offset), zeros), to: &node.current)
      node.pending.append(.write(offset: Int(offset), zeros))
    }
  }

  override func rename(_ from: Path, to: Path) throws(Errno) {
    try guarded(.rename, to) { () throws(Errno) in
      guard let node = names.removeValue(forKey: from.bytes) else { throw .notFound }
      names[to.bytes] = node
      pendingNames.append(.unlink(from.bytes))
      pendingNames.append(.link(to.bytes, node))
    }
  }

  override func remove(_ path: Path) throws(Errno) {
    try guarded(.remove, path) { () throws(Errno) in
      guard names.removeValue(forKey: path.bytes) != nil else { throw .notFound }
      pendingNames.append(.unlink(path.bytes))
    }
  }

  override func makeDirectory(_ path: Path, permissions: UInt32) throws(Errno) {
    try guarded(.open, path) { () throws(Errno) in
      guard names[path.bytes] == nil else { throw .exists }
      nextInode += 1
      let made = Node(nextInode)
      made.isDirectory = true
      names[path.bytes] = made
      pendingNames.append(.link(path.bytes, made))
    }
  }

  override func status(_ path: Path) throws(Errno) -> FileStatus {
    try guarded(.open, path) { () throws(Errno) -> FileStatus in
      guard let node = names[path.bytes] else { throw .notFound }
      return status(node)
    }
  }

  override func status(of file: Int32) throws(Errno) -> FileStatus {
    try guarded(.open) { () throws(Errno) -> FileStatus in status(try node(file)) }
  }

  private func status(_ node: Node) -> FileStatus {
    FileStatus(
      size: Int64(node.current.count), allocated: Int64(node.current.count), modified: 0, modifiedNanoseconds: 0,
      inode: node.inode, mode: 0o600, owner: 0, group: 0, isDirectory: node.isDirectory, isRegular: !node.isDirectory)
  }

  override func lock(_ file: Int32, wait: Bool) throws(Errno) {}

  override func space(_ path: Path) throws(Errno) -> (total: Int64, available: Int64) {
    try guarded(.open, path) { (capacity, reportedAvailable ?? capacity - used) }
  }

  override func list(_ path: Path) throws(Errno) -> [Bytes] {
    try guarded(.list, path) {
      var prefix = path.bytes
      prefix += "/"
      return names.keys.filter { $0.starts(with: prefix) && !$0.dropFirst(prefix.count).contains(0x2F) }
        .map { Bytes($0.dropFirst(prefix.count)) }
    }
  }

  // MARK: what a test does to it

  /// The disk as a machine that starts again finds it: what was flushed, and as much of the rest as `random` wills.
  func afterCrash(_ random: inout some RandomNumberGenerator) -> MemoryDisk {
    let disk = MemoryDisk()
    lock.locked {
      var kept = durableNames
      let journaled = Int.random(in: 0...pendingNames.count, using: &random)
      for change in pendingNames.prefix(journaled) {
        switch change {
        case .link(let name, let node): kept[name] = node
        case .unlink(let name): kept[name] = nil
        }
      }
      for (name, node) in kept {
        var bytes = node.durable
        let all = Bool.random(using: &random)
        for change in node.pending where all || Bool.random(using: &random) {
          guard case .write(let offset, let data) = change, !all else {
            MemoryDisk.apply(change, to: &bytes)
            continue
          }
          // Pages reach the disk one by one, in any order; the last may be cut at a sector.
          var at = offset
          while at < offset + data.count {
            let end = min(offset + data.count, (at / 512 + 1) * 512)
            if Int.random(in: 0..<4, using: &random) > 0 {
              MemoryDisk.apply(.write(offset: at, Bytes(data[(at - offset)..<(end - offset)])), to: &bytes)
            }
            at = end
          }
        }
        let copy = Node(node.inode, bytes)
        copy.isDirectory = node.isDirectory
        disk.names[name] = copy
      }
      disk.durableNames = disk.names
      disk.nextInode = nextInode
    }
    return disk
  }

  func contents(_ path: StaticString) -> Bytes? { lock.locked { names[Bytes(path)]?.current } }

  func set(_ path: StaticString, _ bytes: Bytes) {
    lock.locked {
      let node = Node(names[Bytes(path)]?.inode ?? 9999, bytes)
      names[Bytes(path)] = node
      durableNames[Bytes(path)] = node
    }
  }

  func delete(_ path: StaticString) {
    lock.locked {
      names[Bytes(path)] = nil
      durableNames[Bytes(path)] = nil
    }
  }

  var paths: [String] { lock.locked { names.keys.map { $0.text }.sorted() } }
}
