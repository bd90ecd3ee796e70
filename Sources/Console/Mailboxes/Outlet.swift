import System
import Wire

/// A file that somebody named, made so that it is there when it is whole, and never in the place of another: written
/// beside it, flushed, and given its name.
final class Outlet {
  private let path: Path
  private let unfinished: Path
  private let file: Descriptor
  private let replaces: Bool
  private let files: Files
  private var pending = Bytes()
  private var offset: Int64 = 0
  private var isFinished = false

  private static let gathered = 64 * 1024

  /// - Parameters:
  ///   - unfinished: what it is called until it is whole, in the same file system.
  ///   - replaces: whether one that is there gives way to it, once it is whole.
  init(_ path: Path, unfinished: Path, replaces: Bool = false, _ files: Files) throws(Failure) {
    self.path = path
    self.unfinished = unfinished
    self.replaces = replaces
    self.files = files
    do throws(Errno) {
      file = try Identity.asCaller { () throws(Errno) in
        if !replaces && files.exists(path) { throw .exists }
        return try files.open(unfinished, [.read, .write, .create, .exclusive])
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

  /// Has all that was written on the disk, and what is read through the descriptor returned come from there.
  func settle() throws(Failure) -> Int32 {
    try flush()
    do throws(Errno) { try files.flush(file.number) } catch { throw Outlet.failure(path, error) }
    files.forgetCached(file.number)
    return file.number
  }

  /// Gives the file its name. Its directory is still to be flushed.
  func finish() throws(Failure) {
    try flush()
    do throws(Errno) {
      try files.flush(file.number)
      try Identity.asCaller { () throws(Errno) in
        // Somebody else may have begun the same, and what is called so now is not what was written here.
        if try files.status(unfinished).inode != files.status(of: file.number).inode { throw .exists }
        if replaces { try files.rename(unfinished, to: path) } else { try Streams.rename(unfinished, toNew: path) }
      }
    } catch {
      throw Outlet.failure(path, error)
    }
    isFinished = true
  }

  static func failure(_ path: Path, _ error: Errno) -> Failure {
    if error.code == 27 {
      // EFBIG: what FAT has no room for in one file.
      return Failure(
        .cannotCreate, "this file system takes no file of more than 4 GB; format the stick with exFAT or ext4")
    }
    if error == .readOnly {
      return Failure(.cannotCreate, "it is write-protected; move the stick's switch, or take another one")
    }
    guard error == .exists else { return Failure("cannot write", path, error, otherwise: .cannotCreate) }
    var text = Bytes()
    text.append(shown: path.bytes.span, limit: 4096)
    text += " is there already and was not touched; choose another name"
    return Failure(.cannotCreate, text)
  }
}
