import Wire

/// The keywords we know, whether they are offered or only answered with a hint.
enum Verb {
  case user, pass, quit, capa, stls, utf8, lang
  case stat, list, uidl, retr, top, dele, rset, noop
  /// Other ways to log in, not offered here: RFC 1939 §7, RFC 5034.
  case apop, auth
  /// What a web browser begins with.
  case http
  /// What a program that wants to send mail begins with.
  case smtp

  /// Keywords are compared without regard to case: RFC 1939 §3.
  init?(_ keyword: Span<UInt8>) {
    if keyword.equalsIgnoringCase("retr") {
      self = .retr
    } else if keyword.equalsIgnoringCase("dele") {
      self = .dele
    } else if keyword.equalsIgnoringCase("top") {
      self = .top
    } else if keyword.equalsIgnoringCase("list") {
      self = .list
    } else if keyword.equalsIgnoringCase("uidl") {
      self = .uidl
    } else if keyword.equalsIgnoringCase("user") {
      self = .user
    } else if keyword.equalsIgnoringCase("pass") {
      self = .pass
    } else if keyword.equalsIgnoringCase("stat") {
      self = .stat
    } else if keyword.equalsIgnoringCase("quit") {
      self = .quit
    } else if keyword.equalsIgnoringCase("noop") {
      self = .noop
    } else if keyword.equalsIgnoringCase("capa") {
      self = .capa
    } else if keyword.equalsIgnoringCase("rset") {
      self = .rset
    } else if keyword.equalsIgnoringCase("utf8") {
      self = .utf8
    } else if keyword.equalsIgnoringCase("lang") {
      self = .lang
    } else if keyword.equalsIgnoringCase("stls") {
      self = .stls
    } else if keyword.equalsIgnoringCase("apop") {
      self = .apop
    } else if keyword.equalsIgnoringCase("auth") {
      self = .auth
    } else if Self.isHTTP(keyword) {
      self = .http
    } else if keyword.equalsIgnoringCase("ehlo") || keyword.equalsIgnoringCase("helo")
      || keyword.equalsIgnoringCase("mail")
    {
      self = .smtp
    } else {
      return nil
    }
  }

  /// HTTP's methods are case-sensitive (RFC 9110 §9.1), but nobody who writes one in small letters means us either.
  private static func isHTTP(_ keyword: Span<UInt8>) -> Bool {
    keyword.equalsIgnoringCase("get") || keyword.equalsIgnoringCase("post") || keyword.equalsIgnoringCase("head")
      || keyword.equalsIgnoringCase("put") || keyword.equalsIgnoringCase("options")
      || keyword.equalsIgnoringCase("connect") || keyword.equalsIgnoringCase("pri")
  }
}
