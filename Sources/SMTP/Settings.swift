import Wire

/// What all sessions of a listener share. A class, so that a thousand idle sessions hold one copy.
public final class Settings: Sendable {
  /// Our name in the greeting and in trace headers.
  public let hostName: Bytes
  /// Octets of the largest message taken, as RFC 1870 §3 counts them: CRLF as two, no stuffing, no ending line.
  public let maximumMessageSize: Int
  /// What becomes of a message with a bare CR or LF in it.
  public let bareNewline: BareNewline
  /// Recipients of one message.
  public let recipients: Int
  /// Messages in one session.
  public let transactions: Int
  /// Whether STARTTLS is offered where TLS has not begun: RFC 3207.
  public let offersTLS: Bool

  public init(
    hostName: Bytes, maximumMessageSize: Int, bareNewline: BareNewline = .reject, recipients: Int = Limits.recipients,
    transactions: Int = Limits.smtpTransactions, offersTLS: Bool = false
  ) {
    self.hostName = hostName
    self.maximumMessageSize = maximumMessageSize
    self.bareNewline = bareNewline
    self.recipients = recipients
    self.transactions = transactions
    self.offersTLS = offersTLS
  }
}
