import Wire

/// One reader's session (RFC 1939), without input or output: octets in, replies and effects out.
///
/// The caller appends what the client sends to a buffer, offers it to ``receive(_:reply:)``, drops what was consumed,
/// and does what the effect says. Nothing is deleted but by ``Effect/update(_:)``: a session that is merely dropped
/// leaves its maildrop as it was.
public struct Session<M: Maildrop> {
  /// What the caller is to do next. In every case it sends what is in `reply` first.
  public enum Effect {
    /// Read more and call ``receive(_:reply:)`` with what was left and what came.
    case more
    /// Send `reply`, empty it, and call ``receive(_:reply:)`` again with what was left: replies to pipelined commands
    /// have piled up.
    case flush
    /// Find out whether this is the user's password, and call ``answer(authentication:reply:)``.
    case authenticate(name: Bytes, password: Bytes)
    /// The client's turn in SCRAM. After its first and its last message call ``answer(challenge:reply:)`` with the
    /// server's, or ``answer(authentication:reply:)`` if there is none; after ``Wire/SASLExchange/SCRAMMessage/acknowledged``
    /// the latter.
    case scram(SASLExchange.SCRAMMessage)
    /// Send the message as it is stored (dot-stuffed, to its `.` CRLF), then go on with ``receive(_:reply:)``. With
    /// `bodyLines`, send the header, the blank line and so many lines only, and end them with `.` CRLF:
    /// ``Wire/TopCutter`` finds the place.
    case send(M.Content, bodyLines: Int?)
    /// A long LIST or UIDL is not finished: when `reply` is sent, empty it and call ``resume(reply:)``.
    case resume
    /// Delete the marked messages durably, and call ``answer(update:reply:)``: RFC 1939 §6. Do it even if the client
    /// does not wait for the answer.
    case update(DeletionMarks)
    /// Send `reply`, begin TLS, and call ``startedTLS()``. Octets received before that must not be offered after it.
    case startTLS
    /// Send `reply` and close the connection.
    case close
  }

  /// How ``Effect/authenticate(name:password:)`` or ``Effect/scram(_:)`` went.
  public enum Authentication {
    /// The password is right; here is the user's maildrop.
    case welcome(M)
    /// There is no such user, or the password is wrong. The two must not be told apart, in time either.
    case refused
    /// The user's last login is too short a time ago: RFC 2449 §8.1.1.
    case loginDelay
    /// A local fault that will pass.
    case temporary
    /// The maildrop cannot be opened until somebody repairs it.
    case broken
  }

  /// How ``Effect/update(_:)`` went.
  public enum Update {
    /// Every marked message is deleted, and that is on disk.
    case done
    /// Some or all of them may still be there.
    case failed
  }

  /// The states of RFC 1939 §3, and where one waits for the caller.
  enum State {
    /// AUTHORIZATION; `name` is what USER gave.
    case authorization(name: Bytes?)
    /// Within AUTH: the client's next line is its answer to a challenge.
    case exchanging(SASLExchange)
    case authenticating(SASLExchange?)
    case transaction(M)
    /// Inside a long listing; `next` is the next message to tell.
    case listing(M, Listing, next: Int)
    case updating(count: Int)
    case startingTLS
    case ended
  }

  let settings: Settings
  var state = State.authorization(name: nil)
  var marks = DeletionMarks()
  /// Whether nobody on the way can read along. Passwords may depend on it.
  var secure: Bool
  /// Whether that is because of TLS.
  var isTLS: Bool
  var language = Language.standard
  /// Whether the client has said UTF8: RFC 6856 §2.1.
  var utf8 = false
  /// Commands in error and wrong passwords so far.
  private var errors: UInt8 = 0
  /// Octets dropped of a line that is too long and has not ended yet; 0 outside one.
  private var dropped: Int32 = 0

  /// `secure` says that the connection is encrypted, or local and so as good; `tls` that TLS has begun already.
  public init(settings: Settings, secure: Bool, tls: Bool = false) {
    self.settings = settings
    self.secure = secure || tls
    isTLS = tls
  }

  /// Whether the client has logged in, and so may stay longer.
  public var isLoggedIn: Bool {
    switch state {
    case .transaction, .listing, .updating: true
    case .authorization, .exchanging, .authenticating, .startingTLS, .ended: false
    }
  }

  /// Appends the greeting: RFC 1939 §4. It holds no angle brackets, which would offer APOP.
  public func greet(reply: inout Bytes) {
    reply += "+OK "
    for octet in settings.hostName where octet > ASCII.space && octet != 0x3C && octet != 0x3E { reply.append(octet) }
    reply += " POP3 ready\r\n"
  }

  /// Carries out the commands in `input` until one needs the caller or no whole line is left.
  ///
  /// With ``Effect/more`` what was not consumed is an unfinished line, shorter than ``Wire/Limits/pop3CommandLine``:
  /// keep it and offer it again with what follows. While an answer is awaited nothing is consumed.
  public mutating func receive(_ input: Span<UInt8>, reply: inout Bytes) -> (consumed: Int, effect: Effect) {
    var start = 0
    while true {
      switch state {
      case .authorization, .exchanging, .transaction: break
      case .authenticating, .listing, .updating, .startingTLS: return (start, .more)
      case .ended: return (input.count, .close)
      }
      guard start < input.count else { return (start, .more) }
      guard reply.count < Limits.pop3Replies else { return (start, .flush) }
      if dropped > 0 {
        // The line was answered when it became too long; here is how much more of it came.
        let lf = input.firstIndex(of: ASCII.lf, from: start)
        dropped += Int32(truncatingIfNeeded: min((lf ?? input.count) - start, Limits.pop3DroppedLine))
        if dropped > Limits.pop3DroppedLine { return (input.count, end(.tooMany, reply: &reply)) }
        if lf != nil { dropped = 0 }
        start = lf.map { $0 + 1 } ?? input.count
        continue
      }
      if input[start] == 0x16, !isLoggedIn, !isTLS {
        // The first octet of a TLS ClientHello; there will never be a line. RFC 8446 §5.1.
        return (input.count, end(.tls, reply: &reply))
      }
      let limit = min(input.count, start + Limits.pop3CommandLine)
      guard let lf = input.extracting(0..<limit).firstIndex(of: ASCII.lf, from: start) else {
        guard limit - start == Limits.pop3CommandLine else { return (start, .more) }
        let effect = tooLong(input.extracting(start..<limit), reply: &reply)
        start = limit
        dropped = 1
        if case .close = effect { return (input.count, effect) }
        continue
      }
      // Lines end with CRLF. LF alone is taken as well: nothing can be smuggled by it here, and people type it.
      let end = lf > start && input[lf - 1] == ASCII.cr ? lf - 1 : lf
      let effect = command(input.extracting(start..<end), isLast: lf + 1 == input.count, reply: &reply)
      start = lf + 1
      switch effect {
      case .more: continue
      case .close: return (input.count, effect)
      default: return (start, effect)
      }
    }
  }

  /// Sends the server's next message in SCRAM. Afterwards call ``receive(_:reply:)`` with the input that was left.
  public mutating func answer(challenge: Bytes, reply: inout Bytes) {
    guard case .authenticating(let exchange?) = state else { return }
    state = .exchanging(exchange)
    reply += "+ "
    Base64.encode(challenge.span, to: &reply)
    reply.appendCRLF()
  }

  /// Answers PASS and AUTH. Afterwards call ``receive(_:reply:)`` with the input that was left, unless it says to close.
  public mutating func answer(authentication: Authentication, reply: inout Bytes) -> Effect {
    guard case .authenticating = state else { return .more }
    state = .authorization(name: nil)
    switch authentication {
    case .welcome(let maildrop):
      state = .transaction(maildrop)
      errors = 0
      say(.welcome, maildrop.count, maildrop.octets, reply: &reply)
      return .more
    case .refused:
      return fail(.refused, last: .refusedAndOver, reply: &reply)
    case .loginDelay:
      refuse(.loginDelay, settings.loginDelay ?? 60, reply: &reply)
      return .more
    case .temporary:
      refuse(.loginFault, reply: &reply)
      return .more
    case .broken:
      refuse(.broken, reply: &reply)
      return .more
    }
  }

  /// Instead of a greeting or of an answer to a login: too many wrong passwords came from there. Send `reply` and close.
  public mutating func banned(seconds: Int64, reply: inout Bytes) {
    refuse(.banned, Int(clamping: (seconds + 59) / 60), reply: &reply)
    state = .ended
  }

  /// Answers QUIT after ``Effect/update(_:)``: RFC 1939 §6. The effect is always ``Effect/close``.
  public mutating func answer(update: Update, reply: inout Bytes) -> Effect {
    guard case .updating(let count) = state else { return .close }
    state = .ended
    switch update {
    case .done: say(.deleted, count, reply: &reply)
    case .failed: refuse(.updateFault, reply: &reply)
    }
    return .close
  }

  /// TLS has begun: what was said in the clear is forgotten, RFC 2595 §4. There is no second greeting.
  public mutating func startedTLS() {
    guard case .startingTLS = state else { return }
    state = .authorization(name: nil)
    secure = true
    isTLS = true
    language = .standard
    utf8 = false
  }

  /// The client was silent for too long. Close the connection: RFC 1939 §3 wants no answer and no deletion, so
  /// nothing is appended.
  public mutating func timedOut(reply: inout Bytes) {
    state = .ended
  }

  /// We are about to go. Appends a line that says so, unless it would stand in the middle of an answer; close then.
  /// Call it between answers only, not while a message is being sent or an update is under way.
  public mutating func shuttingDown(reply: inout Bytes) {
    switch state {
    case .authorization, .exchanging, .authenticating, .transaction: refuse(.shuttingDown, reply: &reply)
    case .listing, .updating, .startingTLS, .ended: break
    }
    state = .ended
  }
}

extension Session {
  /// Carries out one line, without its CRLF. A state is a table of commands.
  private mutating func command(_ line: Span<UInt8>, isLast: Bool, reply: inout Bytes) -> Effect {
    if case .exchanging(var exchange) = state {
      let step = exchange.take(line)
      return go(on: exchange, step, reply: &reply)
    }
    guard line.firstIndex(of: 0) == nil, line.firstIndex(of: ASCII.cr) == nil else {
      return fail(.notText, reply: &reply)
    }
    let space = line.firstIndex(of: ASCII.space) ?? line.count
    guard let verb = Verb(line.extracting(0..<space)) else { return fail(.unknown, reply: &reply) }
    let rest = line.extracting(min(space + 1, line.count)..<line.count)
    switch verb {
    case .capa: return capabilities(rest, reply: &reply)
    case .lang: return chooseLanguage(rest, reply: &reply)
    default: break
    }
    switch state {
    case .authorization(let name):
      switch verb {
      case .user: return user(rest, reply: &reply)
      case .pass: return pass(rest, name: name, reply: &reply)
      case .quit: return quit(rest, reply: &reply)
      case .stls: return startTLS(rest, isLast: isLast, reply: &reply)
      case .utf8: return enableUTF8(rest, reply: &reply)
      case .apop: return fail(.noAPOP, reply: &reply)
      case .auth: return auth(rest, reply: &reply)
      case .http: return end(.http, reply: &reply)
      case .smtp: return fail(.smtp, reply: &reply)
      case .stat, .list, .uidl, .retr, .top, .dele, .rset, .noop: return fail(.notYet, reply: &reply)
      case .capa, .lang: return .more
      }
    case .transaction(let maildrop):
      switch verb {
      case .stat: return status(rest, of: maildrop, reply: &reply)
      case .list: return list(.sizes, rest, of: maildrop, reply: &reply)
      case .uidl: return list(.uniqueIDs, rest, of: maildrop, reply: &reply)
      case .retr: return retrieve(rest, from: maildrop, reply: &reply)
      case .top: return top(rest, from: maildrop, reply: &reply)
      case .dele: return delete(rest, from: maildrop, reply: &reply)
      case .rset: return reset(rest, of: maildrop, reply: &reply)
      case .noop: return noop(rest, reply: &reply)
      case .quit: return quit(rest, reply: &reply)
      case .user, .pass, .utf8, .stls, .apop, .auth: return fail(.noLonger, reply: &reply)
      case .http, .smtp: return fail(.unknown, reply: &reply)
      case .capa, .lang: return .more
      }
    case .exchanging, .authenticating, .listing, .updating, .startingTLS, .ended:
      return .more
    }
  }

  /// The beginning of a line that is longer than any command.
  private mutating func tooLong(_ line: Span<UInt8>, reply: inout Bytes) -> Effect {
    if !isLoggedIn, let space = line.firstIndex(of: ASCII.space), case .http? = Verb(line.extracting(0..<space)) {
      return end(.http, reply: &reply)
    }
    if case .exchanging = state { state = .authorization(name: nil) }
    return fail(.tooLong, reply: &reply)
  }

  /// Appends `+OK` and `text`.
  func say(_ text: Text, _ first: Int = 0, _ second: Int = 0, reply: inout Bytes) {
    reply.appendStatus("+OK", text.words(in: language), first, second)
  }

  /// Appends `-ERR` and `text`: the command was understood, and cannot be done.
  func refuse(_ text: Text, _ first: Int = 0, _ second: Int = 0, reply: inout Bytes) {
    reply.appendStatus("-ERR", text.words(in: language), first, second)
  }

  /// Appends `-ERR` and `text` for what no honest client does often, and ends the session, saying `last`, when it was
  /// done too often.
  mutating func fail(_ text: Text, last: Text = .tooMany, reply: inout Bytes) -> Effect {
    errors += 1
    if errors >= Limits.pop3Errors { return end(last, reply: &reply) }
    refuse(text, reply: &reply)
    return .more
  }

  /// Appends `-ERR` and `text` and ends the session.
  mutating func end(_ text: Text, reply: inout Bytes) -> Effect {
    refuse(text, reply: &reply)
    state = .ended
    return .close
  }
}
