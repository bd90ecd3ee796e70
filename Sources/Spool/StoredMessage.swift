import System
import Wire

/// An open file of the log, shared by those who read from it; closed when the last of them is done.
final class LogFile {
  let number: UInt32
  let file: Descriptor

  init(_ number: UInt32, _ file: consuming Descriptor) {
    self.number = number
    self.file = file
  }
}

/// A message ready to be sent. As long as it is held its octets stay where they are.
public final class StoredMessage {
  /// The size POP3 reports.
  public let octets: Int
  /// Octets of the stored content, dot-stuffed and with its last line, the dot.
  public let count: Int64
  /// Where in the file the content begins.
  public let offset: Int64
  /// The message may be read in UTF-8 mode only (RFC 6856 §5).
  public let needsUTF8: Bool

  private let source: LogFile
  private let files: Files

  init(_ entry: Entry, _ source: LogFile, _ files: Files) {
    octets = Int(entry.octets)
    count = Int64(entry.length)
    offset = entry.isLarge ? 0 : Int64(entry.offset) + Int64(entry.lineLength)
    needsUTF8 = entry.needsUTF8
    self.source = source
    self.files = files
  }

  /// The file, for sendfile(2).
  public var descriptor: Int32 { source.file.number }

  /// Appends up to `count` octets of the content from `position` on to `bytes`; returns how many.
  @discardableResult
  public func read(into bytes: inout Bytes, count: Int, at position: Int64) throws(SpoolError) -> Int {
    let wanted = min(Int64(count), self.count - position)
    guard wanted > 0 else { return 0 }
    do throws(Errno) {
      return try files.readAll(source.file.number, into: &bytes, count: Int(wanted), at: offset + position)
    } catch {
      throw .failed(error)
    }
  }
}

/// Opens messages, keeping the files read last open.
final class MessageStore {
  private let place: SpoolFiles
  private let files: Files
  private let key: UInt32
  private let report: (SpoolEvent) -> Void
  private var recent: [LogFile] = []
  /// Entries read last: whoever opens one message opens the next one after it, as a rule.
  private var entries = Bytes()
  private var entriesFrom: (index: IndexFile, row: Int)?

  /// Entries read at a time.
  private static let readAhead = 64

  /// Log files kept open for the next reader. Mail is mostly read soon after it came, from one or two segments.
  private static let keptOpen = 4

  init(_ place: SpoolFiles, _ files: Files, key: UInt32, report: @escaping (SpoolEvent) -> Void) {
    self.place = place
    self.files = files
    self.key = key
    self.report = report
  }

  /// Forgets an open file, so that its room comes back when it is unlinked.
  func forget(_ number: UInt32) { recent.removeAll { $0.number == number } }

  /// The entry in row `row` of an index, to open its message by. Its state may be older than the index.
  func entry(_ row: Int, of index: IndexFile) throws(SpoolError) -> Entry {
    if let known = entriesFrom, known.index === index, row >= known.row,
      let entry = Entry(entries, at: (row - known.row) * Entry.size)
    {
      return entry
    }
    entries.removeAll(keepingCapacity: true)
    entriesFrom = nil
    do throws(Errno) {
      _ = try index.read(row, count: MessageStore.readAhead, into: &entries)
    } catch {
      throw .failed(error)
    }
    guard let entry = Entry(entries, at: 0) else { throw .damaged }
    entriesFrom = (index, row)
    return entry
  }

  private func source(_ entry: Entry) throws(SpoolError) -> LogFile {
    if let known = recent.firstIndex(where: { $0.number == entry.segment }) { return recent[known] }
    do throws(Errno) {
      let path = entry.isLarge ? place.large(entry.segment) : place.segment(entry.segment)
      let opened = LogFile(entry.segment, try files.open(path, .read))
      // A large message is read once, as a rule: it does not push the segments out.
      if !entry.isLarge {
        if recent.count >= MessageStore.keptOpen { recent.removeFirst() }
        recent.append(opened)
      }
      return opened
    } catch {
      throw error == .notFound ? .gone : .failed(error)
    }
  }

  /// Opens the message of `entry`, having looked that it is really there.
  func open(_ entry: Entry) throws(SpoolError) -> StoredMessage {
    do throws(SpoolError) {
      return try lookAndOpen(entry)
    } catch {
      if error == .gone {
        // Its reader cannot mend that; the technician should know of it from the one who found it.
        report(
          entry.isLarge
            ? .contentMissing(sequence: entry.sequence, file: entry.segment)
            : .damaged(segment: entry.segment, offset: Int64(entry.offset), octets: Int64(entry.length)))
      }
      throw error
    }
  }

  private func lookAndOpen(_ entry: Entry) throws(SpoolError) -> StoredMessage {
    let source = try source(entry)
    do throws(Errno) {
      if entry.isLarge {
        guard try files.status(of: source.file.number).size >= Int64(entry.length) else { throw .invalid }
      } else {
        var line = Bytes()
        let length = Int(entry.lineLength)
        try files.readAll(source.file.number, into: &line, count: length, at: Int64(entry.offset))
        guard line.count == length, line.last == ASCII.lf,
          let header = RecordHeader(line: line.span.extracting(0..<(length - 1)), key: key),
          header.kind == .message, header.sequence == entry.sequence, header.length == entry.length
        else { throw .invalid }
      }
    } catch {
      throw error == .invalid ? .gone : .failed(error)
    }
    return StoredMessage(entry, source, files)
  }
}
