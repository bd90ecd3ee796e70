import System
import Wire

/// Reads the whole spool and compares every record with its sum.
public struct SpoolCheck {
  /// What was found wrong.
  public enum Problem: Equatable, Sendable {
    /// Neither of the two files says who the spool is: nothing in it can be read.
    case noIdentity
    /// A file or directory cannot be read.
    case unreadable(Path, Errno)
    /// Octets of a segment that are no record.
    case damage(segment: UInt32, offset: Int64, octets: Int64)
    /// A message or a list of deletions is not what was written.
    case wrongSum(segment: UInt32, offset: Int64, octets: Int64, sequence: UInt64, maildrops: [Bytes])
    /// The file of a large message is missing, too short, or not what was written.
    case wrongContent(file: UInt32, sequence: UInt64, maildrops: [Bytes])
    /// The last write was not complete; no acknowledged message is concerned. A daemon that starts cuts it off.
    case tornTail(segment: UInt32, offset: Int64, octets: Int64)
    /// An index is missing or damaged; a daemon that starts rebuilds it.
    case badIndex(Bytes)
    case noCheckpoint
  }

  /// What was looked at.
  public struct Summary: Equatable, Sendable {
    public var segments = 0
    public var records = 0
    public var messages = 0
    public var octets: Int64 = 0
    public var maildrops = 0
  }

  private let place: SpoolFiles
  private let files: Files
  public private(set) var summary = Summary()
  public private(set) var problems: [Problem] = []

  /// Checks the spool in `directory`. While a daemon runs, the end of its last segment is passed over.
  public init(_ directory: Path, files: Files = Files(), whileRunning: Bool) {
    place = SpoolFiles(directory)
    self.files = files
    do throws(SpoolError) {
      guard let identity = try SpoolIdentity.read(place, files) else {
        if files.exists(place.log) { problems.append(.noIdentity) }
        return
      }
      checkLog(identity, whileRunning)
      if !whileRunning { checkIndexes(identity) }
    } catch {
      if case .failed(let errno) = error { problems.append(.unreadable(place.id, errno)) }
    }
  }

  private mutating func checkLog(_ identity: SpoolIdentity, _ whileRunning: Bool) {
    let numbers: [UInt32]
    do throws(Errno) {
      numbers = try place.numbers(files).segments
    } catch {
      problems.append(.unreadable(place.log, error))
      return
    }
    let bounds = Recovery.bounds(numbers, place, files, identity)
    for segment in numbers {
      summary.segments += 1
      do throws(Errno) {
        try check(
          segment, bounds[UInt64(segment)].map { Int64($0) }, identity, isLast: segment == numbers.last, whileRunning)
      } catch {
        problems.append(.unreadable(place.segment(segment), error))
      }
    }
  }

  private mutating func check(
    _ segment: UInt32, _ limit: Int64?, _ identity: SpoolIdentity, isLast: Bool, _ whileRunning: Bool
  ) throws(Errno) {
    var scanner = try SegmentScanner(place.segment(segment), files, key: identity.key, limit: limit)
    while true {
      switch try scanner.next() {
      case .end(let offset, let torn):
        guard torn, !(isLast && whileRunning) else { return }
        let octets = scanner.limit - offset
        let isTail = isLast && octets <= Recovery.longestTail
        problems.append(
          isTail
            ? .tornTail(segment: segment, offset: offset, octets: octets)
            : .damage(segment: segment, offset: offset, octets: octets))
        return
      case .damage(let offset, let count, _):
        problems.append(.damage(segment: segment, offset: offset, octets: count))
      case .record(let header, let offset, let lineLength):
        summary.records += 1
        if header.kind == .message || header.kind == .large {
          summary.messages += 1
          summary.octets += Int64(header.length)
        }
        if header.kind == .large {
          try checkContent(header)
        } else if header.kind != .gap && header.length > 0 {
          let sum = try scanner.sum(at: offset + Int64(lineLength), count: Int64(header.length))
          if sum != header.crc && !(isLast && whileRunning) {
            problems.append(
              .wrongSum(
                segment: segment, offset: offset, octets: header.extent(lineLength: lineLength),
                sequence: header.sequence, maildrops: header.names))
          }
        }
      }
    }
  }

  private mutating func checkContent(_ header: RecordHeader) throws(Errno) {
    let number = UInt32(truncatingIfNeeded: header.extra)
    do throws(Errno) {
      let file = try files.open(place.large(number), .read)
      var crc = CRC32C()
      var done: Int64 = 0
      var chunk = Bytes()
      while done < Int64(header.length) {
        chunk.removeAll(keepingCapacity: true)
        let got = try files.readAll(file.number, into: &chunk, count: 65536, at: done)
        if got == 0 { break }
        crc.add(chunk)
        done += Int64(got)
      }
      if done == Int64(header.length) && crc.value == header.crc { return }
    } catch {
      if error != .notFound { throw error }
    }
    problems.append(.wrongContent(file: number, sequence: header.sequence, maildrops: header.names))
  }

  private mutating func checkIndexes(_ identity: SpoolIdentity) {
    guard let checkpoint = Checkpoint.load(place, files) else {
      if summary.records > 1 { problems.append(.noCheckpoint) }
      return
    }
    for known in checkpoint.maildrops {
      summary.maildrops += 1
      var count = 0
      do throws(SpoolError) {
        _ = try IndexFile.open(
          place.index(known.name), identity, known.name, files, upTo: checkpoint.sequence, writable: false
        ) { _ in count += 1 }
        if count != known.count { problems.append(.badIndex(known.name)) }
      } catch {
        problems.append(.badIndex(known.name))
      }
    }
  }

  // MARK: repair

  /// Mends what can be mended while no daemon runs: copies damaged octets of the log to `damaged/` in the spool and
  /// puts a gap in their place, and has the indexes rebuilt. Nothing that can still be read is touched. Returns how
  /// many places were mended.
  public func repair() throws(SpoolError) -> Int {
    guard let identity = try SpoolIdentity.read(place, files) else { throw .damaged }
    var mended = 0
    do throws(Errno) {
      let directory = try files.open(place.root, [.read, .directory])
      try files.lock(directory.number, wait: false)
      for problem in problems {
        switch problem {
        case .damage(let segment, let offset, let octets), .wrongSum(let segment, let offset, let octets, _, _):
          try putAside(segment, offset, octets, identity)
          mended += 1
        case .tornTail(let segment, let offset, let octets):
          try copy(segment, offset, octets)
          let file = try files.open(place.segment(segment), [.read, .write])
          try files.truncate(file.number, to: offset)
          try files.flush(file.number)
          mended += 1
        case .badIndex, .noCheckpoint: mended += 1
        case .noIdentity, .unreadable, .wrongContent: break
        }
      }
      if mended > 0 {
        // Without a checkpoint, the next start reads the whole log.
        do throws(Errno) { try files.remove(place.checkpoint) } catch { if error != .notFound { throw error } }
        try files.flushDirectory(place.root)
      }
    } catch {
      throw error == .again ? .held : SpoolError(error)
    }
    return mended
  }

  private func putAside(
    _ segment: UInt32, _ offset: Int64, _ octets: Int64, _ identity: SpoolIdentity
  ) throws(Errno) {
    try copy(segment, offset, octets)
    let run = Reclamation.Run(offset: offset, length: octets, sequence: 0)
    // A place too short for a gap's line stays: the records around it are found without.
    guard let line = RecordHeader.gap(run, key: identity.key) else { return }
    let file = try files.open(place.segment(segment), [.read, .write])
    try files.writeAll(file.number, line.span, at: offset)
    try files.flush(file.number)
  }

  private func copy(_ segment: UInt32, _ offset: Int64, _ octets: Int64) throws(Errno) {
    try files.ensureDirectory(place.damaged)
    var name = Bytes()
    name.append(decimal: UInt64(segment), width: 10)
    name += "-"
    name.append(decimal: Int(offset))
    let source = try files.open(place.segment(segment), .read)
    let target = try files.open(place.damaged.appending(name), [.write, .create, .truncate])
    var done: Int64 = 0
    var chunk = Bytes()
    while done < octets {
      chunk.removeAll(keepingCapacity: true)
      let wanted = Int(min(65536, octets - done))
      let got = try files.readAll(source.number, into: &chunk, count: wanted, at: offset + done)
      if got == 0 { break }
      try files.writeAll(target.number, chunk.span, at: done)
      done += Int64(got)
    }
    try files.flush(target.number)
    try files.flushDirectory(place.damaged)
  }
}
