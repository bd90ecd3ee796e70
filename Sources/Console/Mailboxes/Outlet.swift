import System
import Wire

/// A file that somebody named, made so that it is there when it is whole, and never in the place of another: written
/// beside it, flushed, and given its name.
final class Outlet {
  private let path: Path
  private let unfinished: Path
  private let file: Descriptor
  private let files: Files
  private var pending = Bytes()
  private var offset: Int64 = 0
  private var isFinished = false

  private static let gathered = 64 * 1024

  /// - Parameter unfinished: what it is called until it is whole, in the same file system.
  init(_ path: Path, unfinished: Path, _ files: Files) throws(Failure) {
    self.path = path
    self.unfinished = unfinished
    self.files = files
    do throws(Errno) {
      file = try Identity.asCaller { () throws(Errno) in
        if files.exists(path) { throw .exists }
        return try files.open(unfinished, [.write, .create, .exclusive])
      }
    } catch {
      throw Outlet.failure(path, error)
    }
  }

  deinit {
    if !isFinished { Identity.asCaller { try? files.remove(unfinished) } }
  }

  func write(_ text: Bytes) throws(Failure) {
    pending += text
    if pending.count >= Outlet.gathered { try flush() }
  }

  private func flush() throws(Failure) {
    do throws(Errno) {
      try files.writeAll(file.number, pending.span, at: offset)
    } catch {
      throw Outlet.failure(path, error)
    }
    offset += Int64(pending.count)
    pending.removeAll(keepingCapacity: true)
  }

  /// Gives the file its name. Its directory is still to be flushed.
  func finish() throws(Failure) {
    try flush()
    do throws(Errno) {
      try files.flush(file.number)
      try Identity.asCaller { () throws(Errno) in try Streams.rename(unfinished, toNew: path) }
    } catch {
      throw Outlet.failure(path, error)
    }
    isFinished = true
  }

  static func failure(_ path: Path, _ error: Errno) -> Failure {
    guard error == .exists else { return Failure("cannot write", path, error, otherwise: .cannotCreate) }
    var text = Bytes()
    text.append(shown: path.bytes.span, limit: 4096)
    text += " is there already and was not touched; choose another name"
    return Failure(.cannotCreate, text)
  }
}
