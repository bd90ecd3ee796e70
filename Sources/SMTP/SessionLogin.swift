import Wire

/// STARTTLS and AUTH.
extension Session {
  // MARK: STARTTLS, RFC 3207

  mutating func startTLS(
    _ argument: Span<UInt8>, isLast: Bool, _ reply: inout Bytes, _ content: inout Bytes
  ) -> Effect? {
    guard argument.count == 0 else { return refuseArgument(&reply) }
    guard !isTLS else { return refuse("503 5.5.1 Encryption has begun already; nothing was done.", &reply) }
    guard settings.offersTLS else {
      return refuse("454 4.7.0 Encryption is not to be had here now. Go on without it, or try again later.", &reply)
    }
    guard isLast else {
      // They were sent in the clear, by anyone, and must not count as said under TLS: CVE-2011-0411.
      let text: StaticString = " Commands came along with STARTTLS, where others could slip them in; closing."
      return end("421 4.7.0 ", text, &reply)
    }
    say("220 2.0.0 Begin TLS now", &reply)
    _ = endTransaction(&content)
    state = .startingTLS
    return .startTLS
  }

  // MARK: AUTH, RFC 4954 §4

  mutating func authenticate(_ argument: Span<UInt8>, _ reply: inout Bytes) -> Effect? {
    guard secure else {
      return refuse(
        settings.offersTLS
          ? "538 5.7.11 Passwords are taken under TLS only. Turn STARTTLS on in the sender, or authentication off."
          : "502 5.5.1 Mail is taken here without a password. Turn authentication off in the sender.", &reply)
    }
    guard greeting != .none else {
      return refuse("503 5.5.1 Say who you are first: send EHLO and the name of your host.", &reply)
    }
    guard !isAuthenticated else { return refuse("503 5.5.1 You are logged in already; go on with MAIL.", &reply) }
    guard transaction == .none else {
      return refuse("503 5.5.1 A message is under way already. Finish it, or send RSET.", &reply)
    }
    let space = argument.firstIndex(of: ASCII.space) ?? argument.count
    guard space > 0 else { return refuse("501 5.5.4 How? Send AUTH and a mechanism; EHLO lists them.", &reply) }
    guard var exchange = SASLExchange(mechanism: argument.extracting(0..<space), tls: isTLS, login: true) else {
      return refuse("504 5.5.4 This way to log in is not offered here; EHLO lists those that are.", &reply)
    }
    let step = exchange.begin(argument.extracting(Self.skipSpaces(argument, from: space)...))
    return go(on: exchange, step, &reply)
  }

  /// Does what a turn of the client's in AUTH came to.
  mutating func go(on exchange: SASLExchange, _ step: SASLExchange.Step, _ reply: inout Bytes) -> Effect? {
    state = .command
    switch step {
    case .challenge(let challenge):
      state = .exchanging(exchange)
      reply += "334 "
      say(challenge, &reply)
      return nil
    case .password(let name, let password):
      state = .authenticating(nil)
      return .authenticate(name: name, password: password)
    case .scram(let message):
      state = .authenticating(exchange)
      return .scram(message)
    case .refused: return refuse(Self.wrong, &reply)
    case .cancelled: return refuse("501 5.7.0 The login was given up, as you asked.", &reply)
    case .malformed:
      return refuse("501 5.5.2 This is no base64, or not what the mechanism has; the login was given up.", &reply)
    }
  }

  private static let wrong: StaticString =
    "535 5.7.8 The user name or the password is wrong. Check both, capital and small letters too."

  /// Sends the server's next message in SCRAM. Then call `receive` again.
  public mutating func answer(challenge: Bytes, reply: inout Bytes) {
    guard case .authenticating(let exchange?) = state else { return }
    state = .exchanging(exchange)
    reply += "334 "
    Base64.encode(challenge.span, to: &reply)
    reply.appendCRLF()
  }

  /// Says whether the login went well. Then call `receive` again.
  public mutating func answer(authentication answer: AuthenticationAnswer, reply: inout Bytes) {
    guard case .authenticating = state else { return }
    state = .command
    switch answer {
    case .welcome:
      isAuthenticated = true
      say("235 2.7.0 Welcome", &reply)
    case .refused: _ = refuse(Self.wrong, &reply)
    case .temporarily:
      say("454 4.7.0 A fault here keeps the password from being checked now. Try again later.", &reply)
    case .banned:
      _ = refuse("454 4.7.0 Too many wrong passwords came from your address. Correct them and try again later.", &reply)
    }
  }
}
