import POP3
import Wire

/// What a reader may say to the POP3 session. Octet by octet it is held against what RFC 1939 asks: one reply to a line,
/// +OK or -ERR, what has several lines ends with a dot, nothing is deleted but what was marked and by QUIT. In any other
/// pieces it must come to the same; and after STLS it must be a session like any new one (RFC 2595 §4).
func fuzzPOP3(_ bytes: Bytes) {
  var input = Input(bytes)
  let plan = POP3Plan(&input)
  // What stands behind 0xFF is sent when all before it was answered: in TLS, if that has begun.
  var stretches: [Bytes] = []
  while !input.isEmpty { stretches.append(input.part(before: 0xFF)) }

  var octetwise = POP3Office(plan)
  var whole = POP3Office(plan)
  var pieces = POP3Office(plan)
  var cuts = Cuts(seed: UInt64(plan.cuts))
  // One that was in TLS from the start; from STLS on it must get the same answers.
  var fresh: POP3Office?
  for stretch in stretches {
    for octet in stretch { octetwise.hearOne(octet) }
    whole.hear(stretch[...])
    cuts.each(stretch) { pieces.hear($0) }
    fresh?.hear(stretch[...])
    // A piece that ends with STLS has nothing behind it yet, so that only the loop can find what comes before TLS.
    if octetwise.beganTLS != whole.beganTLS || pieces.beganTLS != whole.beganTLS { return }
    whole.compare(octetwise, "whole")
    pieces.compare(octetwise, "in pieces")
    if let fresh, !fresh.isEnding, !whole.isEnding {
      require(fresh.sent == whole.sentInTLS, "TLS has not made all things new: \(whole.sentInTLS.shown)")
    }
    if whole.beganTLS, fresh == nil {
      for office in [octetwise, whole, pieces] { require(office.inputIsEmpty, "plain text has come into TLS") }
      fresh = POP3Office(plan, inTLS: true, logins: whole.logins)
    }
  }
  if plan.ends { octetwise.end(plan.cuts & 1 == 0) }
}

/// The client's messages in SCRAM come in their order, and each after a challenge: RFC 5802 §5.
func scramTurn(_ message: SASLExchange.SCRAMMessage, after last: Int, isTLS: Bool) -> Int {
  switch message {
  case .first(_, let plus):
    require(isTLS || !plus, "channel binding without TLS")
    return 1
  case .final:
    require(last == 1, "the last message after message \(last)")
    return 2
  case .acknowledged:
    require(last == 2, "the end after message \(last)")
    return 3
  }
}

/// How the server around the session behaves: six octets of the input.
struct POP3Plan {
  let settings: Settings
  let secure: Bool
  let cuts: UInt8
  /// What questions are answered with, one after the other, over and over.
  let answers: UInt16
  let ends: Bool
  let fault: UInt8

  init(_ input: inout Input) {
    let flags = input.octet()
    cuts = input.octet()
    ends = input.octet() & 1 == 1
    fault = input.octet()
    answers = UInt16(input.octet()) << 8 | UInt16(input.octet())
    secure = flags & 1 == 0
    settings = Settings(
      hostName: Bytes("m.example"), expireDays: flags & 2 == 0 ? nil : 7, loginDelay: flags & 4 == 0 ? nil : 60,
      requireTLS: flags & 8 != 0, offersTLS: flags & 16 != 0, utf8Names: flags & 32 != 0)
  }

  var maildrop: MemoryMaildrop {
    let maildrop = MemoryMaildrop(
      [
        "Subject: one\r\n\r\nfirst\r\nsecond\r\nthird\r\n.\r\n",
        "Subject: dots\r\n\r\n..leading\r\n..\r\nend\r\n.\r\n",
        "Subject: none\r\n\r\n.\r\n",
      ], needsUTF8: [3])
    switch fault & 15 {
    case 1: maildrop.visitFault = Int(fault >> 4)
    case 2: maildrop.openFault = fault & 16 == 0 ? .temporary : .gone
    case 3:
      maildrop.visitFault = Int(fault >> 4)
      maildrop.isCutShort = true
    default: break
    }
    return maildrop
  }
}

/// A server around a session, as small as can be.
struct POP3Office {
  private let plan: POP3Plan
  private var secure: Bool
  private let maildrop: MemoryMaildrop
  private var session: Session<MemoryMaildrop>
  private var input = Bytes()
  private(set) var sent = Bytes()
  private var deleted: [Int]?
  private var isClosed = false
  private(set) var beganTLS = false
  private var clear = 0
  private(set) var logins = 0
  /// Which of the client's messages in SCRAM came last.
  private var exchange = 0
  private var line = Bytes()

  init(_ plan: POP3Plan, inTLS: Bool = false, logins: Int = 0) {
    self.plan = plan
    secure = inTLS || plan.secure
    maildrop = plan.maildrop
    session = Session(settings: plan.settings, secure: secure, tls: inTLS)
    beganTLS = inTLS
    self.logins = logins
    if !inTLS { session.greet(reply: &sent) }
  }

  var inputIsEmpty: Bool { input.isEmpty }
  /// What was sent since TLS began.
  var sentInTLS: Bytes { Bytes(sent[clear...]) }
  /// Whether it has been closed; errors made in the clear count on, so one may be closed before the other.
  var isEnding: Bool { isClosed }

  mutating func hear(_ piece: some Collection<UInt8>) {
    guard !isClosed else { return }
    input += piece
    var reply = Bytes()
    var turns = 0
    while !isClosed {
      turns += 1
      require(turns < 100_000, "no end")
      let offered = input
      let (consumed, effect) = session.receive(offered.span, reply: &reply)
      require(consumed >= 0 && consumed <= input.count, "consumed \(consumed) of \(input.count)")
      input.removeFirst(consumed)
      send(&reply)
      if case .more = effect {
        require(input.count < Limits.pop3CommandLine, "an unfinished line of \(input.count)")
        return
      }
      carryOut(effect)
    }
  }

  private mutating func carryOut(_ first: Session<MemoryMaildrop>.Effect) {
    var effect = first
    var reply = Bytes()
    while true {
      switch effect {
      case .more, .flush: return send(&reply)
      case .authenticate(let name, let password):
        waits()
        require(secure || !plan.settings.requireTLS, "a password in the clear")
        require(!name.isEmpty && !password.isEmpty && name.count + password.count < Limits.pop3CommandLine, "no name")
        exchange = 0
        effect = session.answer(authentication: authentication(), reply: &reply)
      case .scram(let message):
        waits()
        require(secure || !plan.settings.requireTLS, "SCRAM in the clear")
        exchange = scramTurn(message, after: exchange, isTLS: beganTLS)
        if exchange == 3 || plan.answers >> 12 & 7 == 5 {
          exchange = 0
          effect = session.answer(authentication: authentication(), reply: &reply)
        } else {
          session.answer(challenge: Bytes("r=x,s=y,i=1"), reply: &reply)
          return send(&reply)
        }
      case .send(let content, let bodyLines):
        send(&reply)
        send(content, bodyLines)
        return
      case .resume: effect = session.resume(reply: &reply)
      case .update(let marks):
        waits()
        require(session.isLoggedIn && deleted == nil, "a deletion without a login, or a second one")
        let numbers = Array(marks)
        require(!numbers.isEmpty && Set(numbers).isSubset(of: [1, 2, 3]), "marks \(numbers)")
        require(numbers == numbers.sorted() && Set(numbers).count == numbers.count, "marks \(numbers)")
        deleted = numbers
        effect = session.answer(update: plan.answers & 1 == 0 ? .done : .failed, reply: &reply)
        guard case .close = effect else { return require(false, "QUIT did not close") }
      case .startTLS:
        require(!beganTLS && plan.settings.offersTLS && !session.isLoggedIn, "TLS that was not due")
        waits()
        send(&reply)
        beganTLS = true
        secure = true
        clear = sent.count
        session.startedTLS()
        return
      case .close:
        send(&reply)
        isClosed = true
        return
      }
      send(&reply)
    }
  }

  private mutating func authentication() -> Session<MemoryMaildrop>.Authentication {
    logins += 1
    switch plan.answers >> (logins * 3 % 14) & 7 {
    case 0...3: return .welcome(maildrop)
    case 4, 5: return .refused
    case 6: return plan.answers & 2 == 0 ? .loginDelay : .temporary
    default: return .broken
    }
  }

  /// While it waits for an answer the session takes nothing.
  private mutating func waits() {
    var reply = Bytes()
    let (consumed, effect) = session.receive(Bytes("NOOP\r\n").span, reply: &reply)
    guard case .more = effect, consumed == 0, reply.isEmpty else {
      return require(false, "it did not wait: \(effect)")
    }
  }

  private mutating func send(_ reply: inout Bytes) {
    require(reply.count <= Limits.pop3Listing, "a reply of \(reply.count)")
    sent += reply
    reply = []
  }

  private mutating func send(_ content: String, _ bodyLines: Int?) {
    let octets = Bytes(content.utf8)
    guard let bodyLines else {
      sent += octets
      return
    }
    var cutter = TopCutter(bodyLines: bodyLines)
    sent += octets.prefix(cutter.scan(octets.span) ?? cutter.certain)
    sent += ".\r\n"
  }

  // MARK: octet by octet

  mutating func hearOne(_ octet: UInt8) {
    guard !isClosed else { return }
    let before = sent.count
    hear(CollectionOfOne(octet))
    let reply = Bytes(sent[before...])
    line.append(octet)
    if octet == ASCII.lf {
      require(!reply.isEmpty || line.count > Limits.pop3CommandLine || isClosed, "no reply to \(line.shown)")
      line = []
    }
    guard !reply.isEmpty else { return }
    check(reply)
  }

  /// One reply, and nothing but one: RFC 1939 §3.
  private func check(_ reply: Bytes) {
    var lines: [Bytes] = []
    var start = 0
    while start < reply.count {
      guard let lf = reply.span.firstIndex(of: ASCII.lf, from: start), lf > start, reply[lf - 1] == ASCII.cr else {
        return require(false, "a line without CRLF: \(reply.shown)")
      }
      lines.append(Bytes(reply[start..<(lf - 1)]))
      start = lf + 1
    }
    let status = lines[0]
    let isOK = status.hasPrefix("+OK")
    if status.hasPrefix("+ ") {
      // RFC 5034 §4: a challenge, in base 64.
      return require(lines.count == 1 && Base64.decode(status.span.extracting(2...)) != nil, "\(reply.shown)")
    }
    require(isOK || status.hasPrefix("-ERR"), "neither +OK nor -ERR: \(reply.shown)")
    // RFC 2449 §4
    require(status.count <= 510 && status.isDisplayable, "a status line: \(status.shown)")
    guard lines.count > 1 else { return }
    // A listing that cannot be finished ends with the connection.
    if isClosed, lines.last != [ASCII.dot] { return require(isOK, "what is this: \(reply.shown)") }
    require(isOK && lines.last == [ASCII.dot], "several lines without their end: \(reply.shown)")
    for line in lines.dropFirst().dropLast() {
      require(line != [ASCII.dot], "two replies at once: \(reply.shown)")
      require(line.first != ASCII.dot || line.count > 1 && line[1] == ASCII.dot, "not stuffed: \(line.shown)")
    }
  }

  func compare(_ other: POP3Office, _ how: String) {
    require(sent == other.sent, "\(how): \(sent.shown), not \(other.sent.shown)")
    require(deleted == other.deleted && isClosed == other.isClosed, "\(how): deleted, or closed, or not")
    require(isClosed || input == other.input, "\(how): keeps \(input.shown), not \(other.input.shown)")
  }

  /// The server goes, or has no patience left.
  mutating func end(_ isSilence: Bool) {
    guard !isClosed else { return }
    var reply = Bytes()
    if isSilence { session.timedOut(reply: &reply) } else { session.shuttingDown(reply: &reply) }
    require(isSilence ? reply.isEmpty : reply.hasPrefix("-ERR ") || reply.isEmpty, "no farewell: \(reply.shown)")
    var more = Bytes()
    let (consumed, effect) = session.receive(Bytes("NOOP\r\n").span, reply: &more)
    guard case .close = effect, consumed == 6, more.isEmpty else {
      return require(false, "it goes on after its farewell")
    }
  }
}
