import System
import Wire

/// Notices by one stat(2) that a file became another.
struct FileWatch {
  enum Look {
    case unchanged
    /// New text to be read. Nil when there is no file.
    case changed(Bytes?)
    case failed(Errno)
  }

  let path: Path
  let limit: Int
  /// What was read last; nil when nothing was, or nothing could be.
  private var known: FileStatus?
  /// Whether a missing file was told of.
  private var isKnownMissing = false
  /// Whether the file had changed so shortly before it was read that the next change could bear the same time.
  private var isFresh = false

  init(_ path: Path, limit: Int) {
    self.path = path
    self.limit = limit
  }

  /// Has the next look read the file whatever stat(2) says.
  mutating func forget() {
    known = nil
    isKnownMissing = false
  }

  /// - Parameter now: seconds since 1970.
  mutating func look(_ files: Files, now: Int64) -> Look {
    do throws(Errno) {
      let status = try files.status(path)
      if status == known, !isFresh { return .unchanged }
      // Opening a pipe would wait for its other end.
      guard status.isRegular else { throw status.isDirectory ? .isDirectory : .invalid }
      let text = try files.contents(path, limit: limit)
      known = status
      isKnownMissing = false
      isFresh = now - 2 < status.modified && status.modified < now + 2
      return .changed(text)
    } catch {
      known = nil
      guard error == .notFound else { return .failed(error) }
      if isKnownMissing { return .unchanged }
      isKnownMissing = true
      return .changed(nil)
    }
  }
}
