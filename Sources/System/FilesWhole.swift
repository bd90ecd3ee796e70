import Wire

// Whole operations made of single calls: they go on after a short or interrupted call, and do nothing else.
extension Files {
  /// Writes all of `bytes` at `offset`. A call that takes nothing counts as a full disk.
  public final func writeAll(_ file: Int32, _ bytes: Span<UInt8>, at offset: Int64) throws(Errno) {
    var done = 0
    while done < bytes.count {
      do throws(Errno) {
        let count = try write(file, bytes.extracting(done..<bytes.count), at: offset + Int64(done))
        if count == 0 { throw .noSpace }
        done += count
      } catch {
        if error != .interrupted { throw error }
      }
    }
  }

  /// Appends up to `count` octets at `offset` to `bytes`, fewer only where the file ends; returns how many.
  @discardableResult
  public final func readAll(
    _ file: Int32, into bytes: inout Bytes, count: Int, at offset: Int64
  ) throws(Errno) -> Int {
    var done = 0
    while done < count {
      do throws(Errno) {
        let got = try read(file, into: &bytes, count: count - done, at: offset + Int64(done))
        if got == 0 { break }
        done += got
      } catch {
        if error != .interrupted { throw error }
      }
    }
    return done
  }

  /// All octets of a file, refused with `EFBIG` when it is longer than `limit`.
  public final func contents(_ path: Path, limit: Int) throws(Errno) -> Bytes {
    let file = try open(path, .read)
    let size = try status(of: file.number).size
    if size > Int64(limit) { throw Errno(27) }
    var bytes = Bytes()
    // One octet more shows a file that has grown meanwhile.
    try readAll(file.number, into: &bytes, count: Int(size) + 1, at: 0)
    return bytes
  }

  /// Puts `bytes` in the place of the file at `path` so that after a crash either the old or the new octets are
  /// there, whole: written beside it, flushed, renamed over it, and the directory flushed.
  public final func replace(_ path: Path, with bytes: Bytes, permissions: UInt32 = 0o600) throws(Errno) {
    let fresh = path.adding(suffix: ".new")
    do throws(Errno) {
      let file = try open(fresh, [.write, .create, .truncate], permissions: permissions)
      try writeAll(file.number, bytes.span, at: 0)
      try flush(file.number)
    } catch {
      try? remove(fresh)
      throw error
    }
    do throws(Errno) {
      try rename(fresh, to: path)
    } catch {
      try? remove(fresh)
      throw error
    }
    try flushDirectory(path.directory)
  }

  /// Makes the directory unless it is there.
  public final func ensureDirectory(_ path: Path, permissions: UInt32 = 0o700) throws(Errno) {
    do throws(Errno) {
      try makeDirectory(path, permissions: permissions)
    } catch {
      if error != .exists { throw error }
      return
    }
    try flushDirectory(path.directory)
  }

  public final func exists(_ path: Path) -> Bool {
    (try? status(path)) != nil
  }
}
