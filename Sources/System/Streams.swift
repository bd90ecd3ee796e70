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
}
