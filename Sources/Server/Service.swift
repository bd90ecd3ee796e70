import Wire

/// What a connection is for.
public enum Service: UInt8, Sendable {
  case smtp, pop3, control

  /// As it stands in the journal.
  public var name: StaticString {
    switch self {
    case .smtp: "SMTP"
    case .pop3: "POP3"
    case .control: "control"
    }
  }
}
