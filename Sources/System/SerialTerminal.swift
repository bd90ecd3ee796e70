import CLinux
import Wire

/// The terminal of a dialogue, such as a VT100 on a serial line. Nothing here ever waits for it: it may have gone, may
/// have stopped reading, and may send anything.
public struct SerialTerminal: ~Copyable {
  private let terminal: Descriptor
  private let path: Path

  /// Opens it and has it pass on octets as they come; when this goes, the terminal is as it was before.
  ///
  /// - Parameter path: its device; nil for the terminal on standard input.
  public init(_ path: Path?) throws(Errno) {
    var found = path ?? Path("/proc/self/fd/0")
    var number = Self.open(found, waits: false)
    if path == nil, number == -Errno.denied.code {
      // Standard input may be a terminal that another user has opened for us.
      found = Path("/dev/tty")
      number = Self.open(found, waits: false)
    }
    let opened = try Descriptor(Errno.check(number))
    try Errno.check(cl_terminal_mode(opened.number, Int32(CL_TERMINAL_RAW)))
    self.path = found
    terminal = opened
  }

  deinit { _ = cl_terminal_mode(terminal.number, Int32(CL_TERMINAL_BEFORE)) }

  /// To be watched with `Poll`.
  public var number: Int32 { terminal.number }

  /// What was typed, up to `count` octets; empty when nothing was. `EIO` when the line was hung up.
  public func read(count: Int) throws(Errno) -> Bytes {
    do throws(Errno) {
      let octets = try Process.read(terminal.number, count: count)
      // A terminal that is read without waiting says "again" when nothing was typed: an end is a hang-up.
      if octets.isEmpty { throw .io }
      return octets
    } catch {
      if error == .again { return [] }
      throw error
    }
  }

  /// Writes as much of `text` as the line takes at once; returns how many octets, 0 when it takes none now.
  public func write(_ text: Span<UInt8>) throws(Errno) -> Int {
    let result = unsafe text.withUnsafeBytes { unsafe cl_write(terminal.number, $0.baseAddress, $0.count) }
    if result == -Int64(Errno.again.code) || result == -Int64(Errno.interrupted.code) { return 0 }
    return try Errno.check(result)
  }

  /// Forgets what was typed and not read yet: nothing typed ahead shall answer what is asked next.
  public func dropInput() { _ = cl_terminal_drop(terminal.number, 0) }

  /// Forgets what was written to a line that takes nothing.
  public func dropOutput() { _ = cl_terminal_drop(terminal.number, 1) }

  /// Has a smaller program wait for what is typed next, if there is one: this process becomes that, and starts anew when
  /// something was typed. What is on the terminal stays, and how it is set.
  public func rest() { unsafe path.withCString { unsafe cl_terminal_rest($0) } }

  /// Whether this process has started anew after `rest`. True once.
  public static var hasRested: Bool { cl_terminal_rested() != 0 }

  /// Lends the terminal to another program: lines, echo and signals. `body` gets a descriptor for it.
  public func lend<R>(_ body: (Int32) throws(Errno) -> R) throws(Errno) -> R {
    let other = try Descriptor(Errno.check(Self.open(path, waits: true)))
    try Errno.check(cl_terminal_mode(terminal.number, Int32(CL_TERMINAL_LINES)))
    defer {
      _ = cl_terminal_foreground(terminal.number)
      _ = cl_terminal_mode(terminal.number, Int32(CL_TERMINAL_RAW))
    }
    return try body(other.number)
  }

  /// When something that was typed was last read, by whomever it is lent to: changes, within some eight seconds, with each
  /// such reading, and also when the clock is set.
  public var lastRead: Int64 { cl_terminal_last_read(terminal.number) }

  /// Whether the group that a program leads is in the terminal's foreground: a shell at its prompt, and not what somebody
  /// runs in that.
  public func isInFront(_ program: borrowing ChildProcess) -> Bool {
    cl_terminal_group(terminal.number) == program.identifier
  }

  private static func open(_ path: Path, waits: Bool) -> Int32 {
    unsafe path.withCString { unsafe cl_terminal_open($0, waits ? 1 : 0) }
  }
}
