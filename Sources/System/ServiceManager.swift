import CLinux
import Wire

/// The service manager that started us, systemd as a rule. Without one nothing here does anything.
public enum ServiceManager {
  /// Whether one listens to what it is told.
  public static var isPresent: Bool { Process.environment("NOTIFY_SOCKET") != nil }

  /// Tells it lines such as `READY=1`, with line feeds between them: sd_notify(3).
  public static func tell(_ lines: Bytes) {
    var terminated = lines
    terminated.append(0)
    unsafe terminated.withUnsafeBytes { buffer in
      _ = unsafe cl_notify(buffer.baseAddress!.assumingMemoryBound(to: CChar.self))
    }
  }

  public static func tell(_ lines: StaticString) { tell(Bytes(lines)) }

  /// Tells it that the configuration is read again from now on, until `READY=1`.
  public static func tellReloading() {
    var lines = Bytes("RELOADING=1\nMONOTONIC_USEC=")
    lines.append(decimal: Int(Clock.monotonicMicroseconds))
    tell(lines)
  }

  /// Milliseconds within which it wants to hear `WATCHDOG=1`; 0 when it does not.
  public static var watchdogInterval: Int64 { cl_watchdog_us() / 1000 }

  /// The listening sockets it handed over, with their names, which can be taken once. The caller owns them.
  public static func takeSockets() -> [(name: Bytes, number: Int32)] {
    var sockets: [(name: Bytes, number: Int32)] = []
    unsafe withUnsafeMutablePointer(to: &sockets) { pointer in
      _ = unsafe cl_passed_sockets(pointer) { context, number, name in
        let name = unsafe Bytes(cString: name!)
        unsafe context!.assumingMemoryBound(to: [(name: Bytes, number: Int32)].self).pointee.append((name, number))
      }
    }
    return sockets
  }
}

/// The memory of this process.
public enum Memory {
  /// Gives what is not used back to the kernel.
  public static func giveBack() { cl_return_memory() }
}
