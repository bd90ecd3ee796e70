import CLinux
import Wire

/// Why the kernel refused: an errno value.
public struct Errno: Error, Equatable, Sendable {
  /// The positive errno value.
  public let code: Int32

  public init(_ code: Int32) { self.code = code }

  public static let notFound = Errno(Int32(CL_ENOENT))
  public static let exists = Errno(Int32(CL_EEXIST))
  public static let again = Errno(Int32(CL_EAGAIN))
  public static let interrupted = Errno(Int32(CL_EINTR))
  public static let noSpace = Errno(Int32(CL_ENOSPC))
  public static let quotaExceeded = Errno(Int32(CL_EDQUOT))
  public static let io = Errno(Int32(CL_EIO))
  public static let denied = Errno(Int32(CL_EACCES))
  public static let notPermitted = Errno(Int32(CL_EPERM))
  public static let readOnly = Errno(Int32(CL_EROFS))
  public static let invalid = Errno(Int32(CL_EINVAL))
  public static let tooManyFiles = Errno(Int32(CL_EMFILE))
  public static let tooManyFilesInSystem = Errno(Int32(CL_ENFILE))
  public static let inUse = Errno(Int32(CL_EADDRINUSE))
  public static let refused = Errno(Int32(CL_ECONNREFUSED))
  public static let isDirectory = Errno(Int32(CL_EISDIR))
  public static let notSupported = Errno(Int32(CL_EOPNOTSUPP))

  /// Whether the disk (or a disk quota) is full.
  public var isDiskFull: Bool { self == .noSpace || self == .quotaExceeded }

  /// The kernel's words for it.
  public var text: Bytes {
    guard let words = unsafe cl_strerror(code) else { return Bytes("unknown error") }
    return unsafe Bytes(cString: words)
  }

  /// `result` if it is none of an error; throws the errno it carries otherwise.
  @discardableResult
  static func check(_ result: Int32) throws(Errno) -> Int32 {
    if result < 0 { throw Errno(-result) }
    return result
  }

  static func check(_ result: Int64) throws(Errno) -> Int {
    if result < 0 { throw Errno(Int32(truncatingIfNeeded: -result)) }
    return Int(result)
  }
}

extension Array where Element == UInt8 {
  /// A copy of a C string without its NUL.
  @unsafe
  init(cString: UnsafePointer<CChar>) {
    self.init()
    var at = unsafe cString
    while unsafe at.pointee != 0 {
      append(unsafe UInt8(bitPattern: at.pointee))
      unsafe at += 1
    }
  }
}
