/// What one reader did in one session: messages and their octets.
public struct Fetched: Sendable {
  public var topped: Int32 = 0
  public var toppedOctets: Int64 = 0
  public var retrieved: Int32 = 0
  public var retrievedOctets: Int64 = 0
  public var deleted = 0
  /// The maildrop at login.
  public var messages = 0
  public var octets: Int64 = 0

  public init() {}

  /// Whether there is anything to tell.
  var isEmpty: Bool { topped == 0 && retrieved == 0 && deleted == 0 }
}
