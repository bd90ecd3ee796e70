import Wire

/// Why a maildrop could not do what it was asked to.
public enum MaildropError: Error {
  /// A local fault that will pass; the mail is there: `[SYS/TEMP]`.
  case temporary
  /// This message cannot be read any more, and waiting does not help: `[SYS/PERM]`.
  case gone
}

/// A maildrop as one session sees it: a snapshot, taken at login, that deliveries and other sessions do not change.
/// Its messages are numbered 1...count: RFC 1939 §5.
public protocol Maildrop {
  /// An open message, ready to be sent. The session hands it on and never looks inside.
  associatedtype Content

  /// Messages in the snapshot.
  var count: Int { get }

  /// Octets of all messages together, counted as RFC 1939 §11 does: CRLF lines, before dot-stuffing.
  var octets: Int { get }

  /// What every unique-id of this maildrop begins with: at most 54 octets of 0x21...0x7E. The message's own id
  /// follows in hexadecimal: RFC 1939 §7, UIDL.
  var uidPrefix: Bytes { get }

  /// Calls `body` for the messages from number `first` on, in order, until it returns false or the last was given.
  /// `octets` is the message's size as in LIST, `uid` what UIDL tells it by.
  func visit(from first: Int, _ body: (_ number: Int, _ octets: Int, _ uid: UInt64) -> Bool) throws(MaildropError)

  /// Opens message `number`, so that it can be read to its end whatever is deleted meanwhile.
  func open(_ number: Int) throws(MaildropError) -> Opened<Content>
}

/// What ``Maildrop/open(_:)`` found.
public struct Opened<Content> {
  public var content: Content
  /// The message's size as in LIST.
  public var octets: Int
  /// Whether the message's header holds UTF-8 (RFC 6532), so that a reader must have said UTF8 first.
  public var needsUTF8: Bool

  public init(content: Content, octets: Int, needsUTF8: Bool) {
    self.content = content
    self.octets = octets
    self.needsUTF8 = needsUTF8
  }
}
