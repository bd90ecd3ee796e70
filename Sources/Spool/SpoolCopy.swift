import System
import Wire

/// The spool as it is at one moment, as files that a new spool can begin with: every message that is to be read or can be
/// restored, with the number it has. What nobody needs any more is left out, and the indexes, which come from the log.
///
/// Either nobody has the spool open meanwhile, or the daemon holds its sweeper (`Spool.hold`): nothing that stands in
/// the log then changes.
public final class SpoolCopy {
  /// One file of the copy.
  public struct Part: Sendable {
    /// Its name within the spool's directory.
    public let name: Bytes
    public let size: Int64
    fileprivate let source: Source
  }

  fileprivate enum Source: Sendable {
    case text(Bytes)
    case segment(UInt32)
    case large(UInt32)
  }

  /// Up to where the log is on the disk.
  public struct Position: Sendable {
    public var segment: UInt32
    public var offset: Int64
    public var sequence: UInt64

    public init(segment: UInt32, offset: Int64, sequence: UInt64) {
      self.segment = segment
      self.offset = offset
      self.sequence = sequence
    }
  }

  public private(set) var parts: [Part] = []
  /// Messages in it, those that were deleted too.
  public private(set) var messages = 0
  /// Places that could not be read.
  public private(set) var damages = 0

  private let place: SpoolFiles
  private let files: Files
  private let key: UInt32
  private var bounds: [UInt64: Int] = [:]
  /// Keeps others from opening the spool, when nobody has.
  private var held: Descriptor?

  private static let chunk = 64 * 1024

  /// Looks at all of the log in `directory`. `position` is what the daemon says; nil where none runs: then the spool is
  /// kept from everybody else for as long as this lives. Throws `.held` when that cannot be.
  public init(_ directory: Path, files: Files = Files(), position: Position?) throws(SpoolError) {
    place = SpoolFiles(directory)
    self.files = files
    do throws(Errno) {
      if position == nil {
        held = try files.open(directory, [.read, .directory])
        if let directory = held?.number { try files.lock(directory, wait: false) }
      }
    } catch {
      throw error == .again ? .held : error == .notFound ? .gone : .failed(error)
    }
    guard let identity = try SpoolIdentity.read(place, files) else { throw .damaged }
    key = identity.key
    do throws(Errno) { try look(identity, position) } catch { throw .failed(error) }
  }

  private func look(_ identity: SpoolIdentity, _ position: Position?) throws(Errno) {
    for name in ["id", "log/id"] as [StaticString] { add(Bytes(name), .text(identity.text)) }
    let numbers = try place.numbers(files)
    let segments = numbers.segments.filter { $0 <= position?.segment ?? .max }
    bounds = Recovery.bounds(segments, place, files, identity)
    var last = position?.sequence ?? Checkpoint.load(place, files)?.sequence ?? 0
    if let position {
      bounds[UInt64(position.segment)] = Int(position.offset)
    } else if let open = segments.last {
      bounds[UInt64(open)] = Int(try end(of: open))
    }
    var previous: (number: UInt32, size: Int64) = (0, 0)
    for segment in segments {
      var size: Int64 = 0
      for run in try runs(segment, { last = max(last, $0) }, counts: true) { size += run.count }
      add(place.segment(segment), .segment(segment), size)
      previous = (segment, size)
    }
    if previous.number == 0 && last == 0 { return }
    // A segment of its own says where the one before ends, and which number was given out last.
    let number = max(previous.number, numbers.large.last ?? 0) + 1
    var header = RecordHeader(.segment, sequence: last, batch: last + 1, time: 0, extra: UInt64(previous.number))
    header.octets = UInt32(clamping: previous.size)
    var line = Bytes()
    header.append(to: &line, key: key)
    add(place.segment(number), .text(line), Int64(line.count))
  }

  private func add(_ path: Path, _ source: Source, _ size: Int64) {
    parts.append(Part(name: Bytes("log/") + path.name, size: size, source: source))
  }

  private func add(_ name: Bytes, _ source: Source) {
    guard case .text(let text) = source else { return }
    parts.append(Part(name: name, size: Int64(text.count), source: source))
  }

  /// Where a torn tail begins in the last segment of a spool that nobody has open: what a start would cut.
  private func end(of segment: UInt32) throws(Errno) -> Int64 {
    var scanner = try SegmentScanner(place.segment(segment), files, key: key)
    var latest: UInt64 = 0
    reading: while true {
      switch try scanner.next() {
      case .end: break reading
      case .damage: continue
      case .record(let header, _, _): latest = max(latest, header.batch)
      }
    }
    scanner.seek(0)
    var last: UInt64 = 0
    while true {
      switch try scanner.next() {
      case .end(let offset, _): return offset
      case .damage(let offset, _, _): if latest <= last + 1 { return offset }
      case .record(let header, let offset, let lineLength):
        last = max(last, header.sequence)
        if header.kind == .large || header.kind == .gap || latest > header.sequence { continue }
        let sum = try scanner.sum(at: offset + Int64(lineLength), count: Int64(header.length))
        if sum != header.crc { return offset }
      }
    }
  }

  /// The runs of a segment that are records somebody may need. The files of large messages become parts when `counts`.
  private func runs(
    _ segment: UInt32, _ sequence: (UInt64) -> Void = { _ in }, counts: Bool = false
  ) throws(Errno) -> [(offset: Int64, count: Int64)] {
    var runs: [(offset: Int64, count: Int64)] = []
    do throws(Errno) {
      var scanner = try SegmentScanner(
        place.segment(segment), files, key: key, limit: bounds[UInt64(segment)].map { Int64($0) })
      while true {
        switch try scanner.next() {
        case .end(_, let torn):
          if torn && counts { damages += 1 }
          return runs
        case .damage: if counts { damages += 1 }
        case .record(let header, let offset, let lineLength):
          sequence(header.sequence)
          if header.kind == .gap { continue }
          let extent = header.extent(lineLength: lineLength)
          if let open = runs.last, open.offset + open.count == offset {
            runs[runs.count - 1].count += extent
          } else {
            runs.append((offset, extent))
          }
          guard counts, header.kind == .message || header.kind == .large else { continue }
          messages += 1
          if header.kind == .large { addContent(header) }
        }
      }
    } catch {
      // A card that is going: what stands before this place is saved, and whatever the others hold.
      if counts { damages += 1 }
      return runs
    }
  }

  private func addContent(_ header: RecordHeader) {
    let number = UInt32(truncatingIfNeeded: header.extra)
    let path = place.large(number)
    guard let status = try? files.status(path), status.size >= Int64(header.length) else {
      damages += 1
      return
    }
    add(path, .large(number), Int64(header.length))
  }

  /// Calls `body` with what a part consists of, piece by piece, as many octets as its size says: those that cannot be
  /// read any more are zeros.
  public func read<E: Error>(_ part: Part, _ body: (Span<UInt8>) throws(E) -> Void) throws(E) {
    switch part.source {
    case .text(let text): try body(text.span)
    case .segment(let number):
      try read(place.segment(number), (try? runs(number)) ?? [], part.size, body)
    case .large(let number): try read(place.large(number), [(0, part.size)], part.size, body)
    }
  }

  private func read<E: Error>(
    _ path: Path, _ runs: [(offset: Int64, count: Int64)], _ size: Int64, _ body: (Span<UInt8>) throws(E) -> Void
  ) throws(E) {
    var left = size
    var chunk = Bytes()
    var isWhole = true
    func hand(_ octets: inout Bytes, _ count: Int) throws(E) {
      if octets.count < count {
        isWhole = false
        octets.append(contentsOf: repeatElement(0, count: count - octets.count))
      }
      left -= Int64(count)
      try body(octets.span)
    }
    if let file = try? files.open(path, .read) {
      for run in runs {
        var done: Int64 = 0
        while done < run.count, left > 0 {
          chunk.removeAll(keepingCapacity: true)
          let wanted = Int(min(Int64(SpoolCopy.chunk), run.count - done, left))
          _ = try? files.readAll(file.number, into: &chunk, count: wanted, at: run.offset + done)
          try hand(&chunk, wanted)
          done += Int64(wanted)
        }
      }
    }
    while left > 0 {
      chunk.removeAll(keepingCapacity: true)
      try hand(&chunk, Int(min(Int64(SpoolCopy.chunk), left)))
    }
    if !isWhole { damages += 1 }
  }
}

extension Spool {
  /// Everything up to here is on disk. Nil while the sweeper has still to finish what it began before `hold`.
  public var position: SpoolCopy.Position? {
    if sweeper.isReclaiming { return nil }
    return SpoolCopy.Position(segment: published.segment, offset: published.offset, sequence: published.sequence)
  }
}
