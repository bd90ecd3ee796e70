/// The server's side of one SASL exchange (RFC 4422 §3) as far as it is the same in every protocol: which mechanisms
/// there are, what comes in which turn, base 64, `*` to cancel.
///
/// No mechanism knows anything of the password here: a name with its password, or a message of SCRAM, comes out.
public enum SASLExchange: Sendable {
  case plain
  /// LOGIN, which no RFC has and many a sender speaks: the name is awaited, then the password.
  case loginName
  case loginPassword(name: Bytes)
  /// RFC 5802 §5.1: the client's first message is awaited, its last, the empty answer to our last.
  case scramFirst(plus: Bool)
  case scramFinal
  case scramEnd

  /// What a turn of the client's comes to.
  public enum Step: Sendable {
    /// Send this challenge, which is in base 64 already, and read the answer to it.
    case challenge(StaticString)
    /// Is this the name's password?
    case password(name: Bytes, password: Bytes)
    case scram(SCRAMMessage)
    /// The client would act as somebody else than it is: no more than a wrong password.
    case refused
    /// RFC 4422 §3.5: the client would rather not.
    case cancelled
    /// This is no base 64, or not what the mechanism has.
    case malformed
  }

  /// A client's turn in SCRAM, decoded from base 64.
  public enum SCRAMMessage: Sendable {
    /// The first. With `plus`, SCRAM-SHA-256-PLUS was chosen.
    case first(Bytes, plus: Bool)
    case final(Bytes)
    /// The client has seen that we know it: neither SMTP nor POP3 can say that with success.
    case acknowledged
  }

  /// The mechanism of this name, in either case; nil where there is none. SCRAM-SHA-256-PLUS is one only under TLS,
  /// LOGIN only with `login`.
  public init?(mechanism name: Span<UInt8>, tls: Bool, login: Bool) {
    if name.equalsIgnoringCase("plain") {
      self = .plain
    } else if name.equalsIgnoringCase("scram-sha-256") {
      self = .scramFirst(plus: false)
    } else if tls, name.equalsIgnoringCase("scram-sha-256-plus") {
      self = .scramFirst(plus: true)
    } else if login, name.equalsIgnoringCase("login") {
      self = .loginName
    } else {
      return nil
    }
  }

  /// The names of the mechanisms there are, with `separator` before each.
  public static func appendMechanisms(to text: inout Bytes, after separator: StaticString, tls: Bool, login: Bool) {
    text += separator
    text += "PLAIN"
    if login {
      text += separator
      text += "LOGIN"
    }
    text += separator
    text += "SCRAM-SHA-256"
    if tls {
      text += separator
      text += "SCRAM-SHA-256-PLUS"
    }
  }

  /// Begins with what followed the mechanism's name: nothing, or an initial response, where `=` is an empty one
  /// (RFC 4954 §4, RFC 5034 §4).
  public mutating func begin(_ initial: Span<UInt8>) -> Step {
    if initial.count > 0 { return take(initial.equals("=") ? initial.extracting(0..<0) : initial) }
    // `Username:`
    if case .loginName = self { return .challenge("VXNlcm5hbWU6") }
    return .challenge("")
  }

  /// Goes on with the client's line, given without its end.
  public mutating func take(_ line: Span<UInt8>) -> Step {
    if line.equals("*") { return .cancelled }
    guard let message = Base64.decode(line) else { return .malformed }
    switch self {
    case .plain: return Self.plain(message.span)
    case .loginName:
      guard Self.isName(message.span) else { return .malformed }
      self = .loginPassword(name: message)
      // `Password:`
      return .challenge("UGFzc3dvcmQ6")
    case .loginPassword(let name): return message.isEmpty ? .malformed : .password(name: name, password: message)
    case .scramFirst(let plus):
      self = .scramFinal
      return .scram(.first(message, plus: plus))
    case .scramFinal:
      self = .scramEnd
      return .scram(.final(message))
    case .scramEnd: return message.isEmpty ? .scram(.acknowledged) : .malformed
    }
  }

  /// RFC 4616 §2: [authzid] NUL authcid NUL passwd.
  private static func plain(_ message: Span<UInt8>) -> Step {
    guard let first = message.firstIndex(of: 0), let second = message.firstIndex(of: 0, from: first + 1),
      message.firstIndex(of: 0, from: second + 1) == nil, second + 1 < message.count
    else { return .malformed }
    let name = message.extracting(first + 1..<second)
    guard isName(name) else { return .malformed }
    let authorization = Bytes(message.extracting(0..<first))
    guard authorization.isEmpty || authorization.lowercased == Bytes(name).lowercased else { return .refused }
    return .password(name: Bytes(name), password: Bytes(message.extracting((second + 1)...)))
  }

  /// Whether this can be a user's name: UTF-8 without control characters, and not empty.
  public static func isName(_ name: Span<UInt8>) -> Bool {
    for index in name.indices where name[index] < ASCII.space || name[index] == 0x7F { return false }
    return name.count > 0 && name.isUTF8
  }
}
