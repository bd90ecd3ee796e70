import CLinux
import Wire

/// A terminal that somebody sits at.
public struct Terminal: ~Copyable {
  private let descriptor: Descriptor

  /// The terminal this process is controlled from, whatever standard input is.
  public init() throws(Errno) { descriptor = try Files().open(Path("/dev/tty"), [.read, .write]) }

  public func write(_ text: Bytes) { Process.write(text, to: descriptor.number) }

  /// Reads a line that is not shown, at most `limit` octets of it; nil after a pause: ask again.
  ///
  /// The terminal's mode is put back before a signal (Ctrl-C) ends the process.
  public func readSecret(limit: Int) throws(Errno) -> Bytes? {
    var line = Bytes(repeating: 0, count: limit)
    let result = unsafe line.withUnsafeMutableBytes {
      unsafe cl_read_secret(descriptor.number, $0.baseAddress, $0.count)
    }
    if result == -Int64(Errno.interrupted.code) { return nil }
    line.removeLast(limit - (try Errno.check(result)))
    return line
  }

  /// How many columns a terminal has; nil where it is none or does not say.
  public static func width(_ terminal: Int32) -> Int? {
    let columns = Int(cl_terminal_width(terminal))
    return columns > 0 ? columns : nil
  }
}
