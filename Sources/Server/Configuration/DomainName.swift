import Wire

/// Host and domain names in the configuration.
public enum DomainName {
  /// `text` in lower case if mail can be addressed to it (RFC 5321 §4.1.2, RFC 6531 §3.3); nil otherwise.
  public static func lowered(_ text: Bytes) -> Bytes? {
    guard text.first != 0x5B else { return nil }
    let mailbox = Bytes("postmaster@") + text
    return Mailbox(mailbox.span)?.domain
  }
}
