import System
import Wire

/// A look whether the spool's disk still keeps what it is given: a small file is written over, flushed and read back.
struct Probe {
  private let path: Path
  private let files: Files

  init(_ place: SpoolFiles, _ files: Files) {
    path = place.probe
    self.files = files
  }

  /// Waits for the disk. A full one has not failed: what is there can be read, and what is new is refused with words.
  func run() -> Spool.Health {
    // Each time other octets, and as many as before: written over, they cost the card one block and no other change.
    var octets = Bytes()
    octets.append(decimal: UInt64(clamping: Clock.monotonicMicroseconds), width: 20)
    octets += " is written here to see whether the disk keeps it\n"
    do throws(Errno) {
      let file = try files.open(path, [.read, .write, .create])
      try files.writeAll(file.number, octets.span, at: 0)
      try files.flush(file.number)
      // What is in memory is no proof.
      files.forgetCached(file.number)
      var back = Bytes()
      try files.readAll(file.number, into: &back, count: octets.count, at: 0)
      return back == octets ? .well : .failed(nil)
    } catch {
      return error.isDiskFull ? .well : .failed(error)
    }
  }
}

extension Spool {
  /// What a probe came to.
  public enum Health: Equatable, Sendable {
    case well
    /// The disk failed, or with nil, gave other octets back than it was given.
    case failed(Errno?)
  }

  /// Asks the committer for an answer, which ``takeHealth()`` has when it has come; with `disk` for one of the disk's.
  public func askHealth(disk: Bool) { committer.submit(.probe(disk)) }

  /// The answer, once; nil while none has come.
  public func takeHealth() -> Health? {
    defer { health = nil }
    return health
  }
}
