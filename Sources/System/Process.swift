import CLinux
import Wire

/// This process and its surroundings.
public enum Process {
  /// The value of an environment variable.
  public static func environment(_ name: StaticString) -> Bytes? {
    var terminated = Bytes(name)
    terminated.append(0)
    let value = unsafe terminated.withUnsafeBytes {
      unsafe cl_getenv($0.baseAddress!.assumingMemoryBound(to: CChar.self))
    }
    guard let value = unsafe value else { return nil }
    return unsafe Bytes(cString: value)
  }

  /// The system's name, as gethostname(2) has it; "localhost" where it has none.
  public static var hostName: Bytes {
    var name = [CChar](repeating: 0, count: 256)
    guard unsafe cl_hostname(&name, name.count) == 0 else { return Bytes("localhost") }
    let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return bytes.isEmpty ? Bytes("localhost") : bytes
  }

  public static var identifier: Int32 { cl_pid() }
  public static var user: UInt32 { cl_uid() }

  /// Allows as many descriptors as the hard limit does; returns how many.
  @discardableResult
  public static func raiseDescriptorLimit() -> Int { Int(cl_raise_descriptor_limit()) }

  /// Ends the process.
  public static func exit(_ code: Int32) -> Never {
    cl_exit(code)
    fatalError()
  }

  /// Writes all of `bytes` to a descriptor such as standard output; errors end the writing.
  @discardableResult
  public static func write(_ bytes: Bytes, to descriptor: Int32) -> Bool {
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { unsafe cl_write(descriptor, $0.baseAddress! + done, $0.count - done) }
      if count == -Int64(Errno.interrupted.code) { continue }
      if count <= 0 { return false }
      done += Int(count)
    }
    return true
  }

  /// Reads up to `count` octets from a descriptor such as standard input; empty at the end.
  public static func read(_ descriptor: Int32, count: Int) throws(Errno) -> Bytes {
    var bytes = Bytes(repeating: 0, count: count)
    while true {
      let got = unsafe bytes.withUnsafeMutableBytes { unsafe cl_read(descriptor, $0.baseAddress, $0.count) }
      if got == -Int64(Errno.interrupted.code) { continue }
      bytes.removeLast(count - (try Errno.check(max(got, -4095))))
      return bytes
    }
  }

  public static func isTerminal(_ descriptor: Int32) -> Bool { cl_isatty(descriptor) != 0 }

  /// Turns a terminal's echo off (for a password) or on.
  public static func setEcho(_ on: Bool, _ terminal: Int32) { _ = cl_getpass_mode(terminal, on ? 0 : 1) }

  /// Makes a directory of a new name below `parent`, for us alone.
  public static func temporaryDirectory(in parent: Path, prefix: StaticString) throws(Errno) -> Path {
    var template = parent.appending(prefix).bytes
    template += "XXXXXX\0"
    let result = unsafe template.withUnsafeMutableBytes {
      unsafe cl_mkdtemp($0.baseAddress!.assumingMemoryBound(to: CChar.self))
    }
    try Errno.check(result)
    return Path(template)
  }
}
