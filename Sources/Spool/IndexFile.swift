import System
import Wire

/// A maildrop's index on disk: a line that says whose it is, then fixed-size entries in the order of their sequence
/// numbers. It is a cache of the log. Snapshots keep the file they began with, even when a shorter one took its name.
final class IndexFile {
  /// Octets of the first line, padded with spaces.
  static let headerSize = 128

  private let files: Files
  private let file: Descriptor
  /// Entries, wherever they are.
  private(set) var count: Int
  /// Entries in the file.
  private var written: Int
  /// The entries behind them, and the first line when not even that is there: the disk had no room for them yet. The
  /// log has them all, so readers need not notice.
  private var unwritten = Bytes()
  private var isHeaderUnwritten = false

  /// Octets of entries that wait for room at the most. While there is none mail is refused, so few come.
  private static let longestUnwritten = 1024 * 1024

  private init(_ files: Files, _ file: consuming Descriptor, count: Int) {
    self.files = files
    self.file = file
    self.count = count
    written = count
  }

  var descriptor: Int32 { file.number }

  /// Whether the file holds all there is.
  var isComplete: Bool { unwritten.isEmpty && !isHeaderUnwritten }

  private static func header(_ identity: SpoolIdentity, _ name: Bytes) -> Bytes {
    var line = Bytes("restante-index-1 ")
    line += identity.prefix
    line += " "
    line += name
    while line.count < headerSize - 1 { line.append(ASCII.space) }
    line.append(ASCII.lf)
    return line
  }

  /// An empty index at `path`, in the place of what was there.
  static func make(_ path: Path, _ identity: SpoolIdentity, _ name: Bytes, _ files: Files) throws(Errno) -> IndexFile {
    let file = try files.open(path, [.read, .write, .create, .truncate])
    let index = IndexFile(files, file, count: 0)
    index.unwritten = header(identity, name)
    index.isHeaderUnwritten = true
    try index.writeOut()
    return index
  }

  /// Opens the index of `name` and hands every entry up to and including sequence number `last` to `each`; what
  /// follows is cut off. Throws `.damaged` when it is not such an index, or an entry's sum is wrong.
  static func open(
    _ path: Path, _ identity: SpoolIdentity, _ name: Bytes, _ files: Files, upTo last: UInt64, writable: Bool = true,
    _ each: (Entry) -> Void
  ) throws(SpoolError) -> IndexFile {
    do throws(Errno) {
      let file = try files.open(path, writable ? [.read, .write] : [.read])
      var header = Bytes()
      try files.readAll(file.number, into: &header, count: headerSize, at: 0)
      guard header == IndexFile.header(identity, name) else { return try refuse() }
      var count = 0
      var previous: UInt64 = 0
      var chunk = Bytes()
      reading: while true {
        chunk.removeAll(keepingCapacity: true)
        let offset = Int64(headerSize) + Int64(count) * Int64(Entry.size)
        try files.readAll(file.number, into: &chunk, count: 800 * Entry.size, at: offset)
        var at = 0
        while at + Entry.size <= chunk.count {
          // What was appended after the checkpoint may have reached the disk in part: it comes from the log again.
          if Entry.sequence(chunk, at) > last { break reading }
          guard let entry = Entry(chunk, at: at), entry.sequence > previous else { return try refuse() }
          previous = entry.sequence
          each(entry)
          count += 1
          at += Entry.size
        }
        if chunk.count < 800 * Entry.size { break }
      }
      if writable {
        try files.truncate(file.number, to: Int64(headerSize) + Int64(count) * Int64(Entry.size))
      }
      return IndexFile(files, file, count: count)
    } catch {
      throw error == .invalid ? .damaged : SpoolError(error)
    }
  }

  /// The one way out of `open` for an index that is not what it should be.
  private static func refuse() throws(Errno) -> IndexFile { throw .invalid }

  private func offset(_ index: Int) -> Int64 { Int64(IndexFile.headerSize) + Int64(index) * Int64(Entry.size) }

  func append(_ entry: Entry) throws(Errno) {
    if unwritten.isEmpty { unwritten.reserveCapacity(Entry.size) }
    entry.append(to: &unwritten)
    try writeOut()
    count += 1
  }

  /// Writes what waits for room. That there still is none is no error.
  func writeOut() throws(Errno) {
    if isComplete { return }
    do throws(Errno) {
      try files.writeAll(file.number, unwritten.span, at: isHeaderUnwritten ? 0 : offset(written))
    } catch {
      guard error.isDiskFull, unwritten.count < IndexFile.longestUnwritten else { throw error }
      return
    }
    written += waiting
    unwritten.removeAll(keepingCapacity: unwritten.count <= 4096)
    isHeaderUnwritten = false
  }

  /// Entries that wait for room.
  private var waiting: Int { (unwritten.count - (isHeaderUnwritten ? IndexFile.headerSize : 0)) / Entry.size }

  /// Where in `unwritten` the entry at `index` stands.
  private func place(_ index: Int) -> Int {
    (isHeaderUnwritten ? IndexFile.headerSize : 0) + (index - written) * Entry.size
  }

  /// Appends up to `count` raw entries from `index` on to `bytes`; returns how many there were.
  func read(_ index: Int, count: Int, into bytes: inout Bytes) throws(Errno) -> Int {
    let wanted = max(0, min(count, self.count - index))
    let stored = max(0, min(wanted, written - index))
    if stored > 0 {
      let got = try files.readAll(file.number, into: &bytes, count: stored * Entry.size, at: offset(index))
      if got < stored * Entry.size { return got / Entry.size }
    }
    if stored < wanted { bytes += unwritten[place(index + stored)..<place(index + wanted)] }
    return wanted
  }

  /// Writes raw entries in the place of those from `index` on.
  private func write(_ index: Int, _ raw: Bytes) throws(Errno) {
    let stored = max(0, min(raw.count / Entry.size, written - index)) * Entry.size
    if stored > 0 { try files.writeAll(file.number, raw.span.extracting(0..<stored), at: offset(index)) }
    if stored < raw.count {
      let start = place(max(index, written))
      unwritten.replaceSubrange(start..<(start + raw.count - stored), with: raw[stored...])
    }
  }

  func entry(_ index: Int) throws(SpoolError) -> Entry {
    var bytes = Bytes()
    do throws(Errno) {
      guard try read(index, count: 1, into: &bytes) == 1 else { throw .io }
    } catch {
      throw .failed(error)
    }
    guard let entry = Entry(bytes, at: 0) else { throw .damaged }
    return entry
  }

  /// Where the entry of `sequence` stands, or the first one after it: binary search.
  func position(of sequence: UInt64) throws(SpoolError) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if try entry(middle).sequence < sequence { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Calls `change` with every entry from `index` on, until it returns `.stop`, and writes back those it changed.
  func update(from index: Int, _ change: (Int, inout Entry) -> Change) throws(SpoolError) {
    var index = index
    while index < count {
      var raw = Bytes()
      do throws(Errno) {
        let got = try read(index, count: 100, into: &raw)
        if got == 0 { throw .io }
        var fresh = Bytes()
        var changed = false
        var stopped = false
        for row in 0..<got {
          guard var entry = Entry(raw, at: row * Entry.size) else { throw .invalid }
          if !stopped {
            switch change(index + row, &entry) {
            case .keep: break
            case .write: changed = true
            case .stop: stopped = true
            }
          }
          entry.append(to: &fresh)
        }
        if changed { try write(index, fresh) }
        if stopped { return }
        index += got
      } catch {
        throw error == .invalid ? .damaged : SpoolError(error)
      }
    }
  }

  enum Change { case keep, write, stop }
}
