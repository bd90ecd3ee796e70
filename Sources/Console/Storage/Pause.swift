import System

/// Waits for what cannot tell when it is there.
enum Pause {
  static func milliseconds(_ count: Int) throws(Errno) {
    var poll = try Poll()
    try poll.wait(milliseconds: count) { _, _ in }
  }
}
