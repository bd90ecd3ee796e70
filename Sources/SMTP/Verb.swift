import Wire

/// The commands we know, whether they are offered or only answered with a hint. In the order of `Verb.table`.
enum Verb: UInt8 {
  case helo, ehlo, mail, rcpt, data, bdat, rset, noop, vrfy, expn, help, quit
  /// What mail programs try that were told of a password or of encryption: RFC 4954, RFC 3207.
  case auth, startTLS
  /// Commands of other times and other servers: RFC 5321 appendix F, RFC 1985.
  case send, soml, saml, turn, etrn
  /// What a web browser, or a web page that wants to misuse one, begins with: RFC 9110 §9.3, RFC 9113 §3.4.
  case get, post, head, put, options, connect, delete, patch, pri

  /// The verbs in lower case, eight octets each.
  private static let table: StaticString = """
    helo    ehlo    mail    rcpt    data    bdat    rset    noop    vrfy    expn    help    quit    auth    \
    starttlssend    soml    saml    turn    etrn    get     post    head    put     options connect delete  \
    patch   pri     \

    """

  /// Verbs are compared without regard to case: RFC 5321 §2.4.
  init?(_ word: Span<UInt8>) {
    guard word.count > 0, word.count <= 8 else { return nil }
    var entry: UInt8 = 0
    while 8 * Int(entry) + 8 <= Self.table.utf8CodeUnitCount {
      if Self.matches(word, entry) {
        self.init(rawValue: entry)
        return
      }
      entry += 1
    }
    return nil
  }

  private static func matches(_ word: Span<UInt8>, _ entry: UInt8) -> Bool {
    for index in 0..<8 {
      let octet = index < word.count ? ASCII.lower(word[index]) : ASCII.space
      if unsafe table.utf8Start[8 * Int(entry) + index] != octet { return false }
    }
    return true
  }
}
