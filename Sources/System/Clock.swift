import CLinux

/// The two clocks. Protocols and the spool are told the time; only the event loop and the commands read it.
public enum Clock {
  /// Milliseconds that only ever grow, from an arbitrary beginning.
  public static var monotonic: Int64 { cl_monotonic_us() / 1000 }

  /// The same in microseconds.
  public static var monotonicMicroseconds: Int64 { cl_monotonic_us() }

  /// Seconds since 1970, as far as this device knows.
  public static var now: Int64 { cl_time() }

  /// Sets the device's clock, and the one with a battery where there is one. Only root may.
  public static func set(_ seconds: Int64) throws(Errno) { try Errno.check(cl_set_time(seconds)) }

  /// Seconds that local time is east of UTC at `time`.
  public static func localOffset(at time: Int64) -> Int { Int(cl_local_offset(time)) }
}
