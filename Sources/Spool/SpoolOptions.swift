/// What the configuration says of the spool.
public struct SpoolOptions: Equatable, Sendable {
  /// Seconds for which deleted mail can be restored, space permitting.
  public var keepDeleted: Int64
  /// Percent of the file system below which new mail is refused.
  public var keepFreePercent: Int
  /// Seconds after which mail is deleted unread; nil: never.
  public var expireAfter: Int64?

  public init(keepDeleted: Int64 = 7 * 86400, keepFreePercent: Int = 10, expireAfter: Int64? = nil) {
    self.keepDeleted = keepDeleted
    self.keepFreePercent = keepFreePercent
    self.expireAfter = expireAfter
  }

  /// Seconds since 1970 before which the clock is taken as not set: boards without a battery boot in 1970.
  /// 2020-01-01, before this program was written.
  public static let clockUnset: Int64 = 1_577_836_800
}
