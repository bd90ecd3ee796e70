import Wire

/// The commands we know, whether they are offered or only answered with a hint.
enum Verb {
  case helo, ehlo, mail, rcpt, data, bdat, rset, noop, vrfy, expn, help, quit
  /// What mail programs try that were told of a password or of encryption: RFC 4954, RFC 3207.
  case auth, startTLS
  /// Commands of other times and other servers, RFC 5321 appendix F and RFC 1985.
  case obsolete
  /// What a web browser, or a web page that wants to misuse one, begins with.
  case http

  /// Verbs are compared without regard to case: RFC 5321 §2.4.
  init?(_ word: Span<UInt8>) {
    if word.equalsIgnoringCase("rcpt") {
      self = .rcpt
    } else if word.equalsIgnoringCase("mail") {
      self = .mail
    } else if word.equalsIgnoringCase("data") {
      self = .data
    } else if word.equalsIgnoringCase("bdat") {
      self = .bdat
    } else if word.equalsIgnoringCase("ehlo") {
      self = .ehlo
    } else if word.equalsIgnoringCase("helo") {
      self = .helo
    } else if word.equalsIgnoringCase("quit") {
      self = .quit
    } else if word.equalsIgnoringCase("rset") {
      self = .rset
    } else if word.equalsIgnoringCase("noop") {
      self = .noop
    } else if word.equalsIgnoringCase("vrfy") {
      self = .vrfy
    } else if word.equalsIgnoringCase("expn") {
      self = .expn
    } else if word.equalsIgnoringCase("help") {
      self = .help
    } else if word.equalsIgnoringCase("auth") {
      self = .auth
    } else if word.equalsIgnoringCase("starttls") {
      self = .startTLS
    } else if Self.isObsolete(word) {
      self = .obsolete
    } else if Self.isHTTP(word) {
      self = .http
    } else {
      return nil
    }
  }

  private static func isObsolete(_ word: Span<UInt8>) -> Bool {
    word.equalsIgnoringCase("send") || word.equalsIgnoringCase("soml") || word.equalsIgnoringCase("saml")
      || word.equalsIgnoringCase("turn") || word.equalsIgnoringCase("etrn")
  }

  /// HTTP's methods are case-sensitive (RFC 9110 §9.1), but nobody who writes one in small letters means us either.
  private static func isHTTP(_ word: Span<UInt8>) -> Bool {
    word.equalsIgnoringCase("get") || word.equalsIgnoringCase("post") || word.equalsIgnoringCase("head")
      || word.equalsIgnoringCase("put") || word.equalsIgnoringCase("options") || word.equalsIgnoringCase("connect")
      || word.equalsIgnoringCase("delete") || word.equalsIgnoringCase("patch") || word.equalsIgnoringCase("pri")
  }
}
