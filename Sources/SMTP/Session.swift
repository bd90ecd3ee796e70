import Wire

/// A receiver's session (RFC 5321), without input or output: octets in, replies, effects and content out.
///
/// The caller appends what the client sends to a buffer, offers it to ``receive(_:now:localOffset:reply:content:)``,
/// drops what was consumed, and does what the effect says. The session holds no line and no content: lines stay with the
/// caller until they are whole, content goes straight to `content` in the form in which POP3 sends it.
public struct Session {
  enum State {
    /// A command line comes next.
    case command
    /// The rest of a line that is too long and was answered; so many octets of it were dropped.
    case droppingLine(octets: Int)
    case awaitingMail
    case awaitingRecipient(Bytes)
    /// Content after DATA's 354.
    case data
    /// So many octets of a BDAT chunk are still to come.
    case chunk(left: Int64, isLast: Bool)
    case awaitingDelivery
    /// Within AUTH: the client's next line is its answer to a challenge.
    case exchanging(SASLExchange)
    case authenticating(SASLExchange?)
    case startingTLS
    case ended
  }

  /// How far the mail transaction is: RFC 5321 §3.3.
  enum Transaction {
    case none
    /// MAIL was accepted.
    case open
    /// A BDAT chunk was accepted; there is no way back to RCPT or DATA (RFC 3030 §2).
    case chunked
  }

  /// Which greeting the client gave: RFC 5321 §4.1.1.1.
  enum Greeting {
    case none, helo, ehlo
  }

  let settings: Settings
  let peer: Peer
  var state = State.command
  var transaction = Transaction.none
  var greeting = Greeting.none
  /// What the client called itself in its greeting.
  var clientName = Bytes()
  /// Whether nobody on the way can read along: then passwords are taken.
  var secure: Bool
  /// Whether that is because of TLS.
  var isTLS: Bool
  /// Whether the client has logged in.
  public internal(set) var isAuthenticated = false
  /// What is known of the message under way.
  public internal(set) var envelope = Envelope()
  var scanner: ContentScanner
  /// Octets of our trace headers.
  var traceOctets: Int32 = 0
  /// Why the content that is coming is thrown away, if it is.
  var refusal: Refusal?
  /// Commands refused since the last delivery.
  var errors: UInt8 = 0
  /// Commands since then that brought no message nearer.
  var idleCommands: UInt8 = 0
  /// Transactions begun.
  var transactions: Int32 = 0

  /// `secure` says that the connection is encrypted, or local and so as good; `tls` that TLS has begun already.
  public init(settings: Settings, peer: Peer, secure: Bool = false, tls: Bool = false) {
    self.settings = settings
    self.peer = peer
    self.secure = secure || tls
    isTLS = tls
    scanner = ContentScanner(bareNewline: settings.bareNewline)
  }

  /// Whether content is coming in, rather than commands.
  public var isReceivingContent: Bool {
    switch state {
    case .data, .chunk: true
    default: false
    }
  }

  /// Whether the client has begun a message that is neither delivered nor dropped. After ``Effect/close`` it tells whether
  /// one was cut off.
  public var isInTransaction: Bool { transaction != .none }

  /// Appends the greeting: RFC 5321 §3.1.
  public func greet(reply: inout Bytes) {
    reply += "220 "
    reply.append(contentsOf: settings.hostName)
    reply += " ESMTP Restante, ready\r\n"
  }

  /// Consumes `input` until a command needs the caller or nothing whole is left, appending replies to `reply` and
  /// message content to `content`.
  ///
  /// With ``Effect/more`` what was not consumed is an unfinished line, shorter than ``Wire/Limits/smtpCommandLine``:
  /// keep it and offer it again with what follows. While an answer is awaited nothing is consumed.
  ///
  /// Content is in wire format: our trace headers first, CRLF lines, dot-stuffed, at the end CRLF.CRLF. The caller may
  /// empty `content` after any call; the session never looks back into it.
  ///
  /// - Parameters:
  ///   - now: seconds since 1970, for the trace headers.
  ///   - localOffset: seconds east of Greenwich, likewise.
  public mutating func receive(
    _ input: Span<UInt8>, now: Int64, localOffset: Int, reply: inout Bytes, content: inout Bytes
  ) -> (consumed: Int, effect: Effect) {
    var start = 0
    while true {
      switch state {
      case .awaitingMail, .awaitingRecipient, .awaitingDelivery, .authenticating, .startingTLS: return (start, .more)
      case .ended: return (input.count, .close)

      case .data:
        if start == input.count { return (start, .more) }
        let (consumed, ended) = scanner.scan(input.extracting(start...), into: &content)
        start += consumed
        if let effect = data(ended: ended, reply: &reply, content: &content) { return (start, effect) }

      case .chunk(let left, let isLast):
        if left > 0, start == input.count { return (start, .more) }
        let count = Int(min(left, Int64(input.count - start)))
        _ = scanner.scan(input.extracting(start..<start + count), into: &content)
        start += count
        state = .chunk(left: left - Int64(count), isLast: isLast)
        if let effect = chunk(left: left - Int64(count), isLast: isLast, reply: &reply, content: &content) {
          return (start, effect)
        }

      case .droppingLine(let octets):
        if start == input.count { return (start, .more) }
        let lf = input.firstIndex(of: ASCII.lf, from: start)
        let dropped = octets + (lf ?? input.count) - start
        start = lf.map { $0 + 1 } ?? input.count
        state = lf == nil ? .droppingLine(octets: dropped) : .command
        if dropped > Limits.smtpDroppedLine { return (input.count, endForErrors(&reply)) }

      case .command, .exchanging:
        if start == input.count { return (start, .more) }
        if reply.count >= Limits.smtpReplies { return (start, .flush) }
        if input[start] == 0x16, !isTLS {
          // The first octet of a TLS ClientHello (RFC 8446 §5.1): there will never be a line.
          let text: StaticString = " This port begins in plain text, not with TLS; closing. Change that setting."
          return (input.count, end("421 4.7.0 ", text, &reply))
        }
        let limit = min(input.count, start + Limits.smtpCommandLine)
        guard let lf = input.extracting(0..<limit).firstIndex(of: ASCII.lf, from: start) else {
          if limit - start < Limits.smtpCommandLine { return (start, .more) }
          // RFC 5321 §4.5.3.1.10, RFC 4954 §6
          var text: StaticString =
            "500 5.5.2 Line is longer than 2048 octets and was thrown away. Send a shorter command."
          if case .exchanging = state { text = "500 5.5.6 Line is longer than 2048 octets; the login was given up." }
          state = .droppingLine(octets: 0)
          start = limit
          if let effect = refuse(text, &reply) {
            return (input.count, effect)
          }
          continue
        }
        // Lines end with CRLF. LF alone is taken as well: it ends no message, and old devices and people send it.
        let end = lf > start && input[lf - 1] == ASCII.cr ? lf - 1 : lf
        let line = input.extracting(start..<end)
        start = lf + 1
        var effect: Effect?
        if case .exchanging(var exchange) = state {
          let step = exchange.take(line)
          effect = go(on: exchange, step, &reply)
        } else {
          effect = command(
            line, isLast: start == input.count, now: now, localOffset: localOffset, reply: &reply, content: &content)
        }
        if let effect { return (start, effect) }
      }
    }
  }

  /// TLS has begun: what was said in the clear is forgotten, RFC 3207 §4.2. There is no second greeting.
  public mutating func startedTLS() {
    guard case .startingTLS = state else { return }
    state = .command
    secure = true
    isTLS = true
    greeting = .none
    clientName = Bytes()
    isAuthenticated = false
  }

  /// Ends the session because the client was silent for too long: RFC 5321 §4.5.3.2. Send `reply` and close.
  public mutating func timedOut(reply: inout Bytes) {
    _ = end("421 4.4.2 ", " Nothing came for too long; closing. A message half sent was not taken.", &reply)
  }

  /// Ends the session because the server goes: RFC 5321 §3.8. Send `reply` and close.
  public mutating func shuttingDown(reply: inout Bytes) {
    _ = end("421 4.3.2 ", " Going out of service; closing. Send what was not answered again later.", &reply)
  }

  /// Instead of ``greet(reply:)``: there are too many connections, in all or from this peer. Send `reply` and close.
  public mutating func tooManyConnections(reply: inout Bytes) {
    _ = end("421 4.7.0 ", " Too many connections at this moment; closing. Try again in a few minutes.", &reply)
  }

  /// Instead of ``greet(reply:)``: the client did not wait for the greeting (RFC 5321 §3.1, §4.3.1), as programs do that
  /// only shout. Send `reply` and close.
  public mutating func spokeTooEarly(reply: inout Bytes) {
    let text: StaticString = " You spoke before you were greeted; closing. A mail program must wait for the greeting."
    _ = end("554 5.5.1 ", text, &reply)
  }

  // MARK: replies

  func say(_ text: StaticString, _ reply: inout Bytes) {
    reply += text
    reply.appendCRLF()
  }

  /// Refuses a command. Too many of them end the session.
  mutating func refuse(_ text: StaticString, _ reply: inout Bytes) -> Effect? {
    if countsTooManyErrors() { return endForErrors(&reply) }
    say(text, &reply)
    return nil
  }

  /// Counts a refused command, and says whether it was one too many.
  mutating func countsTooManyErrors() -> Bool {
    if errors < .max { errors += 1 }
    return errors > Limits.smtpErrors
  }

  mutating func endForErrors(_ reply: inout Bytes) -> Effect {
    end("421 4.7.0 ", " Too many commands were refused; closing. Check the sending program.", &reply)
  }

  /// Appends code, host name (RFC 5321 §4.2.3: 421 <domain>) and text, and ends the session.
  mutating func end(_ code: StaticString, _ text: StaticString, _ reply: inout Bytes) -> Effect {
    reply += code
    reply.append(contentsOf: settings.hostName)
    say(text, &reply)
    state = .ended
    return .close
  }
}
