import CLinux

/// Which of its descriptors can go on: epoll(7), level-triggered.
public struct Poll: ~Copyable {
  /// What a descriptor can do now.
  public struct Ready: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let read = Ready(rawValue: UInt32(CL_POLL_READ))
    public static let write = Ready(rawValue: UInt32(CL_POLL_WRITE))
    /// A condition of its own kind: poll(2), POLLPRI.
    public static let priority = Ready(rawValue: UInt32(CL_POLL_PRIORITY))
    /// Both directions are gone, or an error waits.
    public static let hangUp = Ready(rawValue: UInt32(CL_POLL_HANGUP))
  }

  private let epoll: Descriptor
  private var events = [cl_event](repeating: cl_event(), count: 64)

  public init() throws(Errno) { epoll = try Descriptor(Errno.check(cl_epoll())) }

  /// Begins to watch `descriptor`; events come with `token`.
  public func add(_ descriptor: Int32, _ interest: Ready, token: UInt64) throws(Errno) {
    try Errno.check(cl_epoll_set(epoll.number, descriptor, interest.rawValue, token, 1))
  }

  /// Changes what is watched for. With nothing, only a hang-up is reported.
  public func change(_ descriptor: Int32, _ interest: Ready, token: UInt64) throws(Errno) {
    try Errno.check(cl_epoll_set(epoll.number, descriptor, interest.rawValue, token, 0))
  }

  public func remove(_ descriptor: Int32) { _ = cl_epoll_remove(epoll.number, descriptor) }

  /// Waits until something is ready or `milliseconds` have gone (-1: for ever), and calls `each` for what is.
  public mutating func wait(milliseconds: Int, _ each: (_ token: UInt64, _ ready: Ready) -> Void) throws(Errno) {
    let result = unsafe cl_epoll_wait(epoll.number, &events, 64, Int32(clamping: milliseconds))
    if result == -Errno.interrupted.code { return }
    for index in 0..<Int(try Errno.check(result)) {
      each(events[index].token, Ready(rawValue: events[index].ready))
    }
  }
}

/// The signals this program understands, as events.
public struct Signals: ~Copyable {
  public enum Signal { case terminate, reload, other }

  private let descriptor: Descriptor

  /// Holds SIGTERM, SIGINT, SIGHUP and SIGUSR1 back from now on; SIGPIPE is ignored.
  public init() throws(Errno) { descriptor = try Descriptor(Errno.check(cl_signalfd())) }

  public var number: Int32 { descriptor.number }

  /// The next pending signal.
  public func next() -> Signal? {
    let number = cl_signalfd_read(descriptor.number)
    if number < 0 { return nil }
    switch Int(number) {
    case CL_SIGTERM, CL_SIGINT: return .terminate
    case CL_SIGHUP: return .reload
    default: return .other
    }
  }
}
