import System
import Wire

/// The names of the spool's files.
///
///     id, log/id              who this spool is, twice
///     log/0000000001.log      a segment of the log
///     log/0000000002.msg      the content of one large message, in wire format
///     index/NAME              a maildrop's index
///     checkpoint              how far the indexes are known to be on disk
///     probe                   what is written to see whether the disk keeps it
///     damaged/                what `check --repair` has put aside
struct SpoolFiles: Sendable {
  let root: Path
  let log: Path
  let indexes: Path

  init(_ root: Path) {
    self.root = root
    log = root.appending("log")
    indexes = root.appending("index")
  }

  var id: Path { root.appending("id") }
  var secondID: Path { log.appending("id") }
  var checkpoint: Path { root.appending("checkpoint") }
  var probe: Path { root.appending("probe") }
  var damaged: Path { root.appending("damaged") }

  func segment(_ number: UInt32) -> Path { numbered(number, ".log") }
  func large(_ number: UInt32) -> Path { numbered(number, ".msg") }
  func index(_ name: Bytes) -> Path { indexes.appending(name) }

  private func numbered(_ number: UInt32, _ suffix: StaticString) -> Path {
    var name = Bytes()
    name.append(decimal: UInt64(number), width: 10)
    name += suffix
    return log.appending(name)
  }

  /// The numbers of the segments and of the large messages in the log's directory, in order.
  func numbers(_ files: Files) throws(Errno) -> (segments: [UInt32], large: [UInt32]) {
    var segments: [UInt32] = []
    var large: [UInt32] = []
    for name in try files.list(log) {
      guard name.count == 14, let number = name.span.extracting(0..<10).decimal.flatMap({ UInt32(exactly: $0) })
      else { continue }
      let suffix = name.span.extracting(10..<14)
      if suffix.equals(".log") { segments.append(number) }
      if suffix.equals(".msg") { large.append(number) }
    }
    segments.shellSort(<)
    large.shellSort(<)
    return (segments, large)
  }
}
