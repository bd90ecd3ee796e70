import Wire

/// What the sender said about a message before its content: RFC 5321 §2.3.1.
///
/// The recipients are not here: the caller has seen each in ``Session/Effect/recipient(_:)`` and keeps of it what it
/// needs, so that a thousand of them are not held twice.
public struct Envelope: Sendable {
  /// Where notices about this message go, without angle brackets; empty for the null reverse-path.
  public internal(set) var reversePath = Bytes()
  /// Recipients accepted so far.
  public internal(set) var recipientCount = 0
  /// The recipient as the sender spelled it, if there is exactly one; else empty.
  public internal(set) var onlyRecipient = Bytes()
  /// Whether BODY=8BITMIME was declared: RFC 6152 §3. A hint; content is never refused for its octets' high bits.
  public internal(set) var is8Bit = false
  /// Whether SMTPUTF8 was asked for: addresses and headers may be in UTF-8 (RFC 6531 §3.4).
  public internal(set) var isUTF8 = false
  /// The content's size as RFC 1939 §11 counts, with our trace headers: CRLF as two octets, no stuffing, no ending line.
  /// Final when ``Session/Effect/deliver`` is returned.
  public internal(set) var octets = 0
}
