import CLinux

/// A lock between the threads of this process.
@safe
public final class Lock: @unchecked Sendable {
  let native: OpaquePointer

  public init() { unsafe native = cl_mutex_make() }
  deinit { unsafe cl_mutex_free(native) }

  /// Runs `body` while no other thread is in one of this lock.
  public func locked<R>(_ body: () -> R) -> R {
    unsafe cl_mutex_lock(native)
    defer { unsafe cl_mutex_unlock(native) }
    return body()
  }
}

/// What a thread waits for under a `Lock`.
@safe
public final class Condition: @unchecked Sendable {
  let native: OpaquePointer

  public init() { unsafe native = cl_condition_make() }
  deinit { unsafe cl_condition_free(native) }

  public func signal() { unsafe cl_condition_signal(native) }

  /// Waits to be signalled; call it within `lock.locked`, and look again afterwards.
  public func wait(_ lock: Lock) { unsafe cl_condition_wait(native, lock.native) }

  /// The same for at most `microseconds`; returns false when the time was up first.
  public func wait(_ lock: Lock, microseconds: Int64) -> Bool {
    unsafe cl_condition_wait_us(native, lock.native, microseconds) == 0
  }
}

/// A thread beside the event loop.
public enum Thread {
  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Starts `body` on a thread of its own with a stack of `stack` octets; nobody waits for its end.
  public static func start(stack: Int = 256 * 1024, _ body: @escaping @Sendable () -> Void) throws(Errno) {
    let boxed = unsafe Unmanaged.passRetained(Body(body))
    let result = unsafe cl_thread(stack, boxed.toOpaque()) { context in
      unsafe Unmanaged<Body>.fromOpaque(context!).takeRetainedValue().run()
    }
    if result < 0 {
      unsafe boxed.release()
      throw Errno(-result)
    }
  }
}

/// Wakes an event loop from another thread: readable while a signal is pending.
public final class WakeUp: @unchecked Sendable {
  private let event: Descriptor

  public init() throws(Errno) { event = try Descriptor(Errno.check(cl_eventfd())) }

  /// The descriptor to poll for reading.
  public var descriptor: Int32 { event.number }

  public func signal() { _ = cl_eventfd_signal(event.number) }
  public func drain() { _ = cl_eventfd_drain(event.number) }
}
