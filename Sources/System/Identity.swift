import CLinux
import Wire

/// A user of the system and the group that files get.
public struct Identity: Equatable, Sendable {
  public let user: UInt32
  public let group: UInt32

  public static let root = Identity(user: 0, group: 0)

  public init(user: UInt32, group: UInt32) {
    self.user = user
    self.group = group
  }

  /// Who a file or directory belongs to.
  public init(ownerOf path: Path) throws(Errno) {
    var user: UInt32 = 0
    var group: UInt32 = 0
    try Errno.check(unsafe path.withCString { unsafe cl_owner($0, &user, &group) })
    self.init(user: user, group: group)
  }

  /// The user of that name; nil when there is none.
  public init?(named name: StaticString) {
    var terminated = Bytes(name)
    terminated.append(0)
    var user: UInt32 = 0
    var group: UInt32 = 0
    let result = unsafe terminated.withUnsafeBytes {
      unsafe cl_user($0.baseAddress!.assumingMemoryBound(to: CChar.self), &user, &group)
    }
    if result < 0 { return nil }
    self.init(user: user, group: group)
  }

  /// Takes this identity for everything the process does from now on, so that what it writes belongs to it. Only root
  /// can, and it can go back.
  public func become() throws(Errno) { try Errno.check(cl_become(user, group)) }

  /// Makes a file or directory belong to this identity.
  public func own(_ path: Path) throws(Errno) {
    try Errno.check(unsafe path.withCString { unsafe cl_chown($0, user, group) })
  }

  /// Runs `body` with root's rights to files on this thread, where the process is root that became another; otherwise
  /// just runs it. For the files that the person at the keyboard named.
  public static func asCaller<R: ~Copyable, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    let before = became
    if before != nil { _ = cl_files_as(0, 0) }
    defer { if let before { _ = cl_files_as(before.user, before.group) } }
    return try body()
  }

  /// Who this process became, if it is root that did.
  private static var became: Identity? {
    var user: UInt32 = 0
    var group: UInt32 = 0
    return unsafe cl_became(&user, &group) != 0 ? Identity(user: user, group: group) : nil
  }
}
