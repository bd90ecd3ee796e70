import CLinux
import Wire

extension Process {
  /// What the program was called with, without its own name.
  public static var arguments: [Bytes] {
    var all: [Bytes] = []
    var index: Int32 = 1
    while let text = unsafe cl_argument(index) {
      unsafe all.append(Bytes(cString: text))
      index += 1
    }
    return all
  }

  /// Sends this process a signal that `Signals` understands as an end: the way to stop a server in the same process.
  public static func terminate() { _ = cl_raise(Int32(CL_SIGTERM)) }
}
