import CLinux
import Wire

/// File systems that come and go. Only root may change them.
public enum Mounts {
  /// Mounts what is on `device` for data alone: no programs, no devices. `options` are the file system's own.
  public static func mount(
    _ device: Path, on directory: Path, type: StaticString, options: StaticString, readOnly: Bool
  ) throws(Errno) {
    let result = unsafe device.withCString { device in
      unsafe directory.withCString { directory in
        // A literal ends in NUL.
        unsafe cl_mount(device, directory, characters(type), characters(options), readOnly ? 1 : 0)
      }
    }
    try Errno.check(result)
  }

  private static func characters(_ text: StaticString) -> UnsafePointer<CChar> {
    unsafe UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
  }

  /// Writes out what is still to be written, and lets go of the file system; with `detach` also where somebody uses it
  /// or the device is gone.
  public static func unmount(_ directory: Path, detach: Bool = false) throws(Errno) {
    try Errno.check(unsafe directory.withCString { unsafe cl_unmount($0, detach ? 1 : 0) })
  }

  /// Returns when all that was written to the file system of an open file is on its device.
  public static func flush(_ file: Int32) throws(Errno) { try Errno.check(cl_sync_filesystem(file)) }

  /// Where a symbolic link leads, as it stands there.
  public static func link(_ path: Path) throws(Errno) -> Bytes {
    var bytes = Bytes(repeating: 0, count: 4096)
    let result = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe path.withCString {
        unsafe cl_read_link($0, buffer.baseAddress!.assumingMemoryBound(to: CChar.self), buffer.count)
      }
    }
    bytes.removeLast(bytes.count - (try Errno.check(result)))
    return bytes
  }
}
