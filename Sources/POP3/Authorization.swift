import Wire

/// The AUTHORIZATION state (RFC 1939 §4), and what is answered in both states.
extension Session {
  /// RFC 1939 §7. That the user exists is not told here, so there is no `[AUTH]` either: RFC 3206 §4.
  mutating func user(_ rest: Span<UInt8>, reply: inout Bytes) -> Effect {
    guard takesPasswords else { return fail(.insecure, reply: &reply) }
    let arguments = Arguments(rest)
    guard arguments.count > 0 else { return fail(.argument, reply: &reply) }
    let name = rest.extracting(arguments.first)
    guard arguments.count == 1, SASLExchange.isName(name) else { return fail(.userName, reply: &reply) }
    state = .authorization(name: Bytes(name))
    say(.password, reply: &reply)
    return .more
  }

  /// RFC 1939 §7. A password may hold spaces, at its ends too, so all that follows the first one is the password.
  mutating func pass(_ rest: Span<UInt8>, name: Bytes?, reply: inout Bytes) -> Effect {
    guard takesPasswords else { return fail(.insecure, reply: &reply) }
    guard let name else { return fail(.userFirst, reply: &reply) }
    guard rest.count > 0 else { return fail(.argument, reply: &reply) }
    state = .authenticating(nil)
    return .authenticate(name: name, password: Bytes(rest))
  }

  /// Whether one may log in here: USER, PASS and AUTH are there under the same condition.
  private var takesPasswords: Bool { secure || !settings.requireTLS }

  /// RFC 5034 §4. Without an argument it tells the mechanisms, as clients older than CAPA expect.
  mutating func auth(_ rest: Span<UInt8>, reply: inout Bytes) -> Effect {
    guard takesPasswords else { return fail(.insecure, reply: &reply) }
    let arguments = Arguments(rest)
    guard arguments.count > 0 else {
      say(.mechanisms, reply: &reply)
      reply.removeLast(2)
      SASLExchange.appendMechanisms(to: &reply, after: "\r\n", tls: isTLS, login: false)
      reply += "\r\n.\r\n"
      return .more
    }
    guard arguments.count < 3 else { return fail(.noArgument, reply: &reply) }
    guard var exchange = SASLExchange(mechanism: rest.extracting(arguments.first), tls: isTLS, login: false) else {
      return fail(.noMechanism, reply: &reply)
    }
    let step = exchange.begin(rest.extracting(arguments.second))
    return go(on: exchange, step, reply: &reply)
  }

  /// Does what a turn of the client's in AUTH came to.
  mutating func go(on exchange: SASLExchange, _ step: SASLExchange.Step, reply: inout Bytes) -> Effect {
    state = .authorization(name: nil)
    switch step {
    case .challenge(let challenge):
      state = .exchanging(exchange)
      reply += "+ "
      reply += challenge
      reply.appendCRLF()
      return .more
    case .password(let name, let password):
      state = .authenticating(nil)
      return .authenticate(name: name, password: password)
    case .scram(let message):
      state = .authenticating(exchange)
      return .scram(message)
    case .refused: return fail(.refused, last: .refusedAndOver, reply: &reply)
    case .cancelled: return fail(.cancelled, reply: &reply)
    case .malformed: return fail(.malformed, reply: &reply)
    }
  }

  /// RFC 1939 §4, §6.
  mutating func quit(_ rest: Span<UInt8>, reply: inout Bytes) -> Effect {
    guard Arguments(rest).count == 0 else { return fail(.noArgument, reply: &reply) }
    guard marks.isEmpty else {
      state = .updating(count: marks.count)
      let marked = marks
      marks = DeletionMarks()
      return .update(marked)
    }
    say(.goodbye, reply: &reply)
    state = .ended
    return .close
  }

  /// RFC 2595 §4. What came along with it was sent in the clear, by anyone: it ends the session.
  mutating func startTLS(_ rest: Span<UInt8>, isLast: Bool, reply: inout Bytes) -> Effect {
    guard Arguments(rest).count == 0 else { return fail(.noArgument, reply: &reply) }
    guard settings.offersTLS, !isTLS else { return fail(.noTLS, reply: &reply) }
    guard isLast else { return end(.pipelinedTLS, reply: &reply) }
    say(.beginTLS, reply: &reply)
    state = .startingTLS
    return .startTLS
  }

  /// RFC 6856 §2.1.
  mutating func enableUTF8(_ rest: Span<UInt8>, reply: inout Bytes) -> Effect {
    guard Arguments(rest).count == 0 else { return fail(.noArgument, reply: &reply) }
    utf8 = true
    say(.utf8, reply: &reply)
    return .more
  }

  /// RFC 2449 §5. The list is the same in both states, but for what depends on the connection.
  mutating func capabilities(_ rest: Span<UInt8>, reply: inout Bytes) -> Effect {
    guard Arguments(rest).count == 0 else { return fail(.noArgument, reply: &reply) }
    say(.capabilities, reply: &reply)
    reply += "TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
    if takesPasswords {
      reply += "USER\r\nSASL"
      SASLExchange.appendMechanisms(to: &reply, after: " ", tls: isTLS, login: false)
      reply.appendCRLF()
    }
    if settings.offersTLS && !isTLS { reply += "STLS\r\n" }
    reply += settings.utf8Names ? "UTF8 USER\r\nLANG\r\nEXPIRE " : "UTF8\r\nLANG\r\nEXPIRE "
    if let days = settings.expireDays { reply.append(decimal: days) } else { reply += "NEVER" }
    if let delay = settings.loginDelay {
      reply += "\r\nLOGIN-DELAY "
      reply.append(decimal: delay)
    }
    reply += "\r\nIMPLEMENTATION "
    reply += settings.implementation
    reply += "\r\n.\r\n"
    return .more
  }

  /// RFC 6856 §3: the languages there are, or the one to speak from now on.
  mutating func chooseLanguage(_ rest: Span<UInt8>, reply: inout Bytes) -> Effect {
    let arguments = Arguments(rest)
    switch arguments.count {
    case 0:
      say(.languages, reply: &reply)
      reply += "i-default\r\nen English\r\nde Deutsch\r\n.\r\n"
    case 1:
      guard let chosen = Language(range: rest.extracting(arguments.first)) else {
        return fail(.language, reply: &reply)
      }
      language = chosen
      reply += "+OK "
      reply += chosen.tag
      reply.append(ASCII.space)
      reply += Text.chosen.words(in: chosen)
      reply.appendCRLF()
    default:
      return fail(.noArgument, reply: &reply)
    }
    return .more
  }
}
