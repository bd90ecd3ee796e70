import System
import Wire

/// Walks the records of one segment by their lines, without reading what messages say.
struct SegmentScanner: ~Copyable {
  enum Item {
    /// A record whose line begins at `offset` and has `lineLength` octets.
    case record(RecordHeader, offset: Int64, lineLength: Int)
    /// Octets from `offset` on that are no record, and the line of the record after them.
    case damage(offset: Int64, count: Int64, next: RecordHeader)
    /// Nothing but what `torn` tells from `offset` to the end: false when it is all zeros, or there is nothing.
    case end(offset: Int64, torn: Bool)
  }

  private let files: Files
  private let file: Descriptor
  private let key: UInt32
  /// Where the segment's records end, at the latest.
  let limit: Int64
  /// Where the next record should begin.
  private(set) var position: Int64

  private var window = Bytes()
  private var windowStart: Int64 = 0

  private static let windowSize = 64 * 1024

  /// Opens a segment. `limit` is where it is known to end; nil: at the end of its file.
  init(_ path: Path, _ files: Files, key: UInt32, from position: Int64 = 0, limit: Int64? = nil) throws(Errno) {
    let opened = try files.open(path, .read)
    let size = try files.status(of: opened.number).size
    file = opened
    self.files = files
    self.key = key
    self.limit = min(limit ?? size, size)
    self.position = position
  }

  /// The next record, or what stands in its place.
  mutating func next() throws(Errno) -> Item {
    if position >= limit { return .end(offset: position, torn: false) }
    if let (header, lineLength) = try line(at: position) {
      let end = position + header.extent(lineLength: lineLength)
      if end <= limit {
        defer { position = end }
        return .record(header, offset: position, lineLength: lineLength)
      }
    }
    // Not a record: look for the next line that is one.
    let start = position
    var torn = false
    var at = position
    var previous: UInt8 = 0
    while at < limit {
      try load(at, count: 1)
      let from = Int(at - windowStart)
      var candidate: Int?
      for index in from..<window.count {
        if window[index] != 0 { torn = true }
        if previous == ASCII.lf && window[index] >= 0x44 && RecordKind(rawValue: window[index]) != nil {
          candidate = index
          break
        }
        previous = window[index]
      }
      guard let candidate else {
        at = windowStart + Int64(window.count)
        continue
      }
      at = windowStart + Int64(candidate)
      if let (header, lineLength) = try line(at: at), at + header.extent(lineLength: lineLength) <= limit {
        position = at
        return .damage(offset: start, count: at - start, next: header)
      }
      // `line` may have moved the window; go on behind the octet that looked promising.
      previous = 0
      at += 1
    }
    return .end(offset: start, torn: torn)
  }

  /// Goes on at `offset`, where a record is known to begin.
  mutating func seek(_ offset: Int64) { position = offset }

  /// The CRC-32C of `count` octets at `offset`.
  mutating func sum(at offset: Int64, count: Int64) throws(Errno) -> UInt32 {
    var crc = CRC32C()
    var done: Int64 = 0
    while done < count {
      try load(offset + done, count: 1)
      let from = Int(offset + done - windowStart)
      let to = min(window.count, from + Int(count - done))
      guard to > from else { break }
      crc.add(window.span.extracting(from..<to))
      done += Int64(to - from)
    }
    return crc.value
  }

  /// Octets of the segment, as they are.
  mutating func octets(at offset: Int64, count: Int) throws(Errno) -> Bytes {
    var bytes = Bytes()
    try files.readAll(file.number, into: &bytes, count: count, at: offset)
    return bytes
  }

  private mutating func line(at offset: Int64) throws(Errno) -> (RecordHeader, Int)? {
    try load(offset, count: 1)
    var end = window.span.firstIndex(of: ASCII.lf, from: Int(offset - windowStart))
    if end == nil {
      try load(offset, count: RecordHeader.maximumLength)
      end = window.span.firstIndex(of: ASCII.lf, from: Int(offset - windowStart))
    }
    let start = Int(offset - windowStart)
    guard let end, end - start <= RecordHeader.maximumLength else { return nil }
    guard let header = RecordHeader(line: window.span.extracting(start..<end), key: key) else { return nil }
    return (header, end - start + 1)
  }

  /// Has the window hold `count` octets from `offset` on, or all there are.
  private mutating func load(_ offset: Int64, count: Int) throws(Errno) {
    let end = min(offset + Int64(count), limit)
    if offset >= windowStart && end <= windowStart + Int64(window.count) { return }
    window.removeAll(keepingCapacity: true)
    windowStart = offset
    let wanted = min(Int64(max(count, SegmentScanner.windowSize)), limit - offset)
    let got = try files.readAll(file.number, into: &window, count: Int(max(0, wanted)), at: offset)
    // A file that has become shorter is as bad as one that cannot be read.
    if got < Int(wanted) { throw .io }
  }
}
