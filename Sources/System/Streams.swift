import CLinux
import Wire

/// Descriptors that are read and written from beginning to end, such as pipes, terminals and files made anew.
public enum Streams {
  /// Writes all of `bytes`.
  public static func write(_ bytes: Span<UInt8>, to descriptor: Int32) throws(Errno) {
    var done = 0
    while done < bytes.count {
      let result = unsafe bytes.extracting(done...).withUnsafeBytes {
        unsafe cl_write(descriptor, $0.baseAddress, $0.count)
      }
      if result == -Int64(Errno.interrupted.code) { continue }
      let count = try Errno.check(result)
      if count == 0 { throw .noSpace }
      done += count
    }
  }

  /// Writes some of `bytes`, a page at most, and never waits: `.again` where nobody takes it. Returns how many octets.
  public static func writeNow(_ bytes: Span<UInt8>, to descriptor: Int32) throws(Errno) -> Int {
    try Errno.check(unsafe bytes.withUnsafeBytes { unsafe cl_write_now(descriptor, $0.baseAddress, $0.count) })
  }

  /// Renames a file, but not onto one that is there: `.exists`.
  public static func rename(_ from: Path, toNew to: Path) throws(Errno) {
    try Errno.check(unsafe from.withCString { old in unsafe to.withCString { unsafe cl_rename_new(old, $0) } })
  }

  /// Another descriptor for what `descriptor` is open on.
  public static func duplicate(_ descriptor: Int32) throws(Errno) -> Descriptor {
    try Descriptor(Errno.check(cl_duplicate(descriptor)))
  }

  /// Makes `target` the same as `source`, as a shell's redirection does.
  public static func redirect(_ target: Int32, to source: Int32) throws(Errno) {
    try Errno.check(cl_redirect(target, source))
  }
}
