import System
import Wire

/// Why a server did not start.
public struct StartFailure: Error, Equatable, Sendable {
  /// What the process ends with: one of sysexits(3).
  public let exitCode: Int32
  /// What happened and what to do, for a person.
  public let text: Bytes

  /// Whether it is the mail that cannot be reached, which may be over some time: see ``Unavailable``.
  public let isOfSpool: Bool

  public init(_ exitCode: Int32, _ text: Bytes, isOfSpool: Bool = false) {
    self.exitCode = exitCode
    self.text = text
    self.isOfSpool = isOfSpool
  }

  public static let unavailable: Int32 = 69
  public static let cannotCreate: Int32 = 73
  public static let inputOutput: Int32 = 74
  public static let tryAgain: Int32 = 75
  public static let permission: Int32 = 77
  public static let configuration: Int32 = 78
}
