import System
import Wire

/// A small file that people and programs change while others read it: read, changed and replaced as one step.
///
/// Readers see the old text or the new one, never half of it, and so does whoever looks after a crash. Two who change
/// it at the same time wait for each other (the lock is the kernel's, on the file's directory, so it cannot go stale).
public struct LockedFile {
  let files: Files
  let path: Path
  /// Octets past which the file is taken for damage (EFBIG).
  let limit: Int
  /// Permission bits the file may have; what it has beyond them is taken away.
  let permissions: UInt32
  /// Those of a file that is made.
  let fresh: UInt32

  public init(_ files: Files, _ path: Path, limit: Int, permissions: UInt32, fresh: UInt32 = 0o600) {
    self.fresh = fresh
    self.files = files
    self.path = path
    self.limit = limit
    self.permissions = permissions
  }

  /// The text now; nil when there is no file.
  public func read() throws(Errno) -> Bytes? {
    do throws(Errno) {
      // Opening a pipe would wait for its other end.
      guard try files.status(path).isRegular else { throw Errno.invalid }
      return try files.contents(path, limit: limit)
    } catch {
      if error == .notFound { return nil }
      throw error
    }
  }

  /// Takes the lock, reads the text, and puts what `change` makes of it in its place. When this throws, the file is as
  /// it was, or, where only the last flush failed, as `change` wants it.
  public func edit<Failure: FileFailure>(_ change: (Bytes?) throws(Failure) -> Bytes) throws(Failure) {
    let directory: Descriptor
    do throws(Errno) {
      directory = try lockDirectory()
    } catch {
      throw .file(error)
    }
    let old: Bytes?
    do throws(Errno) {
      old = try read()
    } catch {
      throw .file(error)
    }
    let new = try change(old)
    do throws(Errno) {
      try replace(with: new, directory: directory.number)
    } catch {
      throw .file(error)
    }
  }

  private func lockDirectory() throws(Errno) -> Descriptor {
    let directory = try files.open(path.directory, [.read, .directory])
    while true {
      do throws(Errno) {
        try files.lock(directory.number, wait: true)
        return directory
      } catch {
        if error != .interrupted { throw error }
      }
    }
  }

  private func replace(with text: Bytes, directory: Int32) throws(Errno) {
    // Whoever changes it, often root, it stays the owner's; a new one belongs to whom the directory does.
    let here = try files.status(of: directory)
    var owner = (user: here.owner, group: here.group)
    var mode = fresh
    do throws(Errno) {
      let old = try files.status(path)
      owner = (old.owner, old.group)
      mode = old.mode & permissions | 0o600
    } catch {
      if error != .notFound { throw error }
    }
    let fresh = path.adding(suffix: ".new")
    // One that a crash left behind may have another owner.
    do throws(Errno) { try files.remove(fresh) } catch { if error != .notFound { throw error } }
    do throws(Errno) {
      let file = try files.open(fresh, [.write, .create, .exclusive], permissions: 0o600)
      let status = try files.status(of: file.number)
      if status.owner != owner.user || status.group != owner.group {
        try files.setOwner(file.number, user: owner.user, group: owner.group)
      }
      if status.mode != mode { try files.setPermissions(file.number, mode) }
      try files.writeAll(file.number, text.span, at: 0)
      try files.flush(file.number)
      try files.rename(fresh, to: path)
    } catch {
      try? files.remove(fresh)
      throw error
    }
    try files.flushDirectory(path.directory)
  }
}

/// An error that can also be the kernel's: what `LockedFile.edit` throws.
public protocol FileFailure: Error {
  static func file(_ error: Errno) -> Self
}
