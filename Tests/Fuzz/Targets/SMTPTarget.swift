import SMTP
import Wire

/// What a sender may say to the SMTP session. Octet by octet it is held against what RFC 5321 asks: one reply to a line,
/// no end of a message but CRLF.CRLF, no delivery but what was sent. In any other pieces it must come to the same.
func fuzzSMTP(_ bytes: Bytes) {
  var input = Input(bytes)
  let plan = SMTPPlan(&input)
  // What stands behind 0xFF is sent when all before it was answered: in TLS, if that has begun.
  var stretches: [Bytes] = []
  while !input.isEmpty { stretches.append(input.part(before: 0xFF)) }

  var octetwise = SMTPOffice(plan)
  var whole = SMTPOffice(plan)
  var pieces = SMTPOffice(plan)
  var cuts = Cuts(seed: UInt64(plan.cuts))
  // One that was in TLS from the start; from STARTTLS on it must get the same answers.
  var fresh: SMTPOffice?
  for stretch in stretches {
    for octet in stretch { octetwise.hearOne(octet) }
    octetwise.checkReplies()
    whole.hear(stretch[...])
    cuts.each(stretch) { pieces.hear($0) }
    fresh?.hear(stretch[...])
    // A piece that ends with STARTTLS has nothing behind it yet: only the loop can find what comes before TLS.
    if octetwise.beganTLS != whole.beganTLS || pieces.beganTLS != whole.beganTLS { return }
    whole.compare(octetwise, "whole")
    pieces.compare(octetwise, "in pieces")
    if let fresh, !fresh.isClosed, !whole.isClosed {
      require(fresh.sent == whole.sentInTLS, "TLS has not made all things new: \(whole.sentInTLS.shown)")
    }
    if whole.beganTLS, fresh == nil {
      for office in [octetwise, whole, pieces] { require(office.input.isEmpty, "plain text has come into TLS") }
      fresh = SMTPOffice(plan, inTLS: true, questions: whole.questions)
    }
  }
  if plan.ends {
    for var office in [octetwise, whole] { office.end(plan.cuts & 1 == 0) }
  }
}

/// How the server around the session behaves: eight octets of the input.
struct SMTPPlan {
  let settings: Settings
  let secure: Bool
  let cuts: UInt8
  /// What questions are answered with, one after the other, over and over.
  let answers: UInt32
  /// Whether the server goes, or loses its patience, at the end.
  let ends: Bool

  init(_ input: inout Input) {
    let flags = input.octet()
    cuts = input.octet()
    let size = input.octet()
    ends = input.octet() & 1 == 1
    answers = (0..<4).reduce(0) { word, _ in word << 8 | UInt32(input.octet()) }
    secure = flags & 16 == 16
    settings = Settings(
      hostName: Bytes("m.example"), maximumMessageSize: size < 200 ? Int(size) : 5000,
      bareNewline: flags & 1 == 0 ? .reject : .normalize, recipients: flags & 2 == 0 ? 1000 : 2,
      transactions: flags & 4 == 0 ? 10_000 : 2, offersTLS: flags & 8 == 8)
  }
}

/// A server around a session, as small as can be.
struct SMTPOffice {
  private let plan: SMTPPlan
  private var session: Session
  private(set) var input = Bytes()
  private(set) var sent = Bytes()
  /// A letter for each effect.
  private var events = Bytes()
  private var deliveries: [Bytes] = []
  private var draft = Bytes()
  private var recipients = 0
  private var isOpen = false
  private(set) var isClosed = false
  private(set) var questions: UInt32
  private(set) var beganTLS: Bool
  /// Octets that were sent in the clear.
  private var clear = 0
  private var isLoggedIn = false
  /// Which of the client's messages in SCRAM came last.
  private var exchange = 0

  // What `hearOne` knows of the stream.
  private var line = Bytes()
  private var content: (input: Bytes, isStuffed: Bool, begins: Int)?

  init(_ plan: SMTPPlan, inTLS: Bool = false, questions: UInt32 = 0) {
    self.plan = plan
    self.questions = questions
    beganTLS = inTLS
    session = Session(
      settings: plan.settings, peer: Peer(address: Bytes("192.0.2.7")), secure: plan.secure, tls: inTLS)
    if !inTLS { session.greet(reply: &sent) }
  }

  /// What was sent since TLS began.
  var sentInTLS: Bytes { Bytes(sent[clear...]) }

  private mutating func answer() -> UInt32 {
    questions += 1
    return plan.answers >> (questions * 3 % 30) & 7
  }

  mutating func hear(_ piece: some Collection<UInt8>) {
    guard !isClosed else { return }
    input += piece
    var turns = 0
    while !isClosed {
      turns += 1
      require(turns < 100_000, "no end")
      var reply = Bytes()
      var content = Bytes()
      let offered = input
      let (consumed, effect) = session.receive(
        offered.span, now: 1_800_000_000, localOffset: 3600, reply: &reply, content: &content)
      require(consumed >= 0 && consumed <= input.count, "consumed \(consumed) of \(input.count)")
      input.removeFirst(consumed)
      draft += content
      let goesOn = carryOut(effect, reply: &reply, hadContent: !content.isEmpty)
      require(session.isInTransaction == isOpen, "the two do not agree whether a transaction is open")
      require(session.isAuthenticated == isLoggedIn, "the two do not agree whether somebody has logged in")
      require(reply.count <= Limits.smtpReplies + 2048, "a reply of \(reply.count)")
      sent += reply
      if !goesOn { return }
    }
  }

  /// False when more must come.
  private mutating func carryOut(_ effect: Session.Effect, reply: inout Bytes, hadContent: Bool) -> Bool {
    switch effect {
    case .more:
      require(input.count < Limits.smtpCommandLine, "an unfinished line of \(input.count)")
      return false
    case .flush: require(reply.count >= Limits.smtpReplies, "a flush for \(reply.count)")
    case .mail:
      require(!isOpen, "MAIL within a transaction")
      events.append(0x4D)
      waits()
      let choice = answer()
      let answers: [Session.MailAnswer] = [.notYours, .diskLow, .temporarily]
      isOpen = choice < 5
      session.answer(mail: isOpen ? .accepted : answers[Int(choice) - 5], reply: &reply)
    case .recipient:
      require(isOpen, "RCPT without a transaction")
      events.append(0x52)
      waits()
      let answers: [Session.RecipientAnswer] = [.unknown, .notLocal, .overQuota, .temporarily]
      let choice = Int(answer())
      if choice < 4 { recipients += 1 }
      session.answer(recipient: choice < 4 ? .accepted : answers[choice - 4], reply: &reply)
    case .discard:
      require(isOpen && !hadContent, "a discard without a transaction, or with content")
      events.append(0x58)
      forget()
    case .deliver:
      require(isOpen && recipients > 0, "a delivery to nobody")
      require(recipients == session.envelope.recipientCount, "\(session.envelope.recipientCount) recipients")
      require(recipients <= plan.settings.recipients, "too many recipients")
      require(session.envelope.octets <= plan.settings.maximumMessageSize + 1200, "too large")
      events.append(0x44)
      waits()
      checkStored(draft, octets: session.envelope.octets)
      deliveries.append(draft)
      let answers: [Session.DeliveryAnswer] = [.overQuota, .diskLow, .temporarily]
      let choice = Int(answer())
      session.answer(
        delivery: choice < 5 ? .stored(id: 7) : answers[choice - 5], reply: &reply)
      forget()
    case .authenticate(let name, let password):
      checkLogin()
      require(SASLExchange.isName(name.span) && !password.isEmpty, "no name, or no password")
      exchange = 0
      authenticate(&reply)
    case .scram(let message):
      checkLogin()
      exchange = scramTurn(message, after: exchange, isTLS: beganTLS)
      if exchange < 3, answer() != 7 {
        session.answer(challenge: Bytes("r=x,s=y,i=1"), reply: &reply)
      } else {
        exchange = 0
        authenticate(&reply)
      }
    case .startTLS:
      events.append(0x53)
      require(!beganTLS && plan.settings.offersTLS && reply.suffix(2) == [ASCII.cr, ASCII.lf], "TLS that was not due")
      waits()
      forget()
      // What follows in the buffer would be plain text; the loop closes on it.
      clear = sent.count + reply.count
      beganTLS = true
      isLoggedIn = false
      session.startedTLS()
      require(!session.isAuthenticated && !session.isInTransaction, "TLS has not made it forget")
    case .close:
      events.append(0x43)
      isClosed = true
      // A transaction that was under way is over; the session may still tell of it.
      isOpen = session.isInTransaction
    }
    return true
  }

  private mutating func checkLogin() {
    events.append(0x41)
    require(plan.secure || beganTLS, "a login in the clear")
    require(!isOpen && !isLoggedIn, "a login within a transaction, or a second one")
    waits()
  }

  private mutating func authenticate(_ reply: inout Bytes) {
    let choice = answer()
    isLoggedIn = choice < 4
    session.answer(authentication: isLoggedIn ? .welcome : choice < 7 ? .refused : .temporarily, reply: &reply)
  }

  private mutating func forget() {
    isOpen = false
    draft = []
    recipients = 0
  }

  /// While it waits for an answer the session takes nothing.
  private mutating func waits() {
    var nothing = Bytes()
    var reply = Bytes()
    let (consumed, effect) = session.receive(
      Bytes("NOOP\r\n").span, now: 0, localOffset: 0, reply: &reply, content: &nothing)
    guard case .more = effect, consumed == 0, nothing.isEmpty, reply.isEmpty else {
      return require(false, "it did not wait: \(effect)")
    }
  }

  // MARK: octet by octet

  /// Hears one octet, and knows by itself what it means.
  mutating func hearOne(_ octet: UInt8) {
    guard !isClosed else { return }
    let before = sent.count
    let delivered = deliveries.count
    hear(CollectionOfOne(octet))
    let reply = Bytes(sent[before...])
    let replies = SMTPOffice.finalLines(reply)
    require(replies <= 1, "\(replies) replies at once: \(reply.shown)")
    if var content {
      content.input.append(octet)
      self.content = content
      if !session.isReceivingContent {
        endContent(content, reply, isDelivered: deliveries.count > delivered)
      } else {
        require(replies == 0, "a reply within content: \(reply.shown)")
      }
      return
    }
    line.append(octet)
    require(deliveries.count == delivered || isBDAT(line), "a delivery without content")
    guard octet == ASCII.lf else {
      let isFull = line.count == Limits.smtpCommandLine
      require(replies == 0 || isClosed || isFull, "a reply to part of a line: \(line.shown)")
      return
    }
    if session.isReceivingContent {
      // DATA has its 354, BDAT nothing yet.
      content = ([], reply.hasPrefix("354"), draft.count)
    } else {
      require(replies == 1 || line.count > Limits.smtpCommandLine, "no reply to \(line.shown)")
    }
    line = []
  }

  /// BDAT 0 LAST delivers at once.
  private func isBDAT(_ line: Bytes) -> Bool {
    line.span.count >= 4 && Bytes(line[..<4]).span.equalsIgnoringCase("bdat")
  }

  private mutating func endContent(
    _ content: (input: Bytes, isStuffed: Bool, begins: Int), _ reply: Bytes, isDelivered: Bool
  ) {
    self.content = nil
    require(SMTPOffice.finalLines(reply) == 1, "content without an answer")
    guard content.isStuffed else { return }
    guard let expected = ContentReference.data(content.input, plan.settings.bareNewline) else {
      return require(isClosed, "content ended without CRLF.CRLF: \(content.input.shown)")
    }
    require(expected.consumed == content.input.count, "content ended late: \(content.input.shown)")
    let isBad =
      expected.octets > plan.settings.maximumMessageSize
      || plan.settings.bareNewline == .reject && expected.hasBareNewline
    if isBad { require(!isDelivered && reply.hasPrefix("55"), "delivered, or another answer: \(reply.shown)") }
    guard isDelivered, let delivery = deliveries.last,
      content.input.occurrences(of: Bytes(repeating: ASCII.cr, count: 17)) == 0
    else { return }
    require(Bytes(delivery[content.begins...]) == expected.wire, "not what was sent: \(delivery.shown)")
  }

  // MARK: replies

  private static func finalLines(_ reply: Bytes) -> Int {
    var count = 0
    var start = 0
    while start < reply.count {
      if start + 3 < reply.count, reply[start + 3] != 0x2D { count += 1 }
      guard let lf = reply.span.firstIndex(of: ASCII.lf, from: start) else { break }
      start = lf + 1
    }
    return count
  }

  /// Every reply is a code that exists, a space or hyphen and text, in at most 512 octets (RFC 5321 §4.2, §4.5.3.1.5); all
  /// lines of one have the same code, and an enhanced code has its class (RFC 2034 §4).
  func checkReplies() {
    var start = 0
    var open: ArraySlice<UInt8>?
    while start < sent.count {
      guard let lf = sent.span.firstIndex(of: ASCII.lf, from: start) else {
        return require(false, "the last reply is unfinished")
      }
      let line = Bytes(sent[start..<(lf + 1)])
      start = lf + 1
      require(line.count >= 6 && line.count <= 512 && line[line.count - 2] == ASCII.cr, "a line: \(line.shown)")
      require(Bytes(line.dropLast(2)).isDisplayable && !line.contains { $0 >= 0x80 }, "a line: \(line.shown)")
      let isCode =
        (0x32...0x35).contains(line[0]) && (0x30...0x35).contains(line[1]) && ASCII.isDigit(line[2])
        && (line[3] == ASCII.space || line[3] == 0x2D)
      require(isCode, "a code: \(line.shown)")
      if let open { require(open == line[..<3], "another code within a reply: \(line.shown)") }
      open = line[3] == 0x2D ? line[..<3] : nil
      if line.count > 9, line[5] == ASCII.dot, line[7] == ASCII.dot {
        require(line[4] == line[0], "an enhanced code of another class: \(line.shown)")
      }
    }
    require(open == nil, "a reply without its last line")
  }

  func compare(_ other: SMTPOffice, _ how: String) {
    require(sent == other.sent, "\(how): \(sent.shown), not \(other.sent.shown)")
    require(events == other.events, "\(how): \(events.shown), not \(other.events.shown)")
    require(deliveries == other.deliveries, "\(how): other deliveries")
    require(isClosed == other.isClosed && isOpen == other.isOpen, "\(how): closed, or open, or not")
    require(isClosed || input == other.input, "\(how): keeps \(input.shown), not \(other.input.shown)")
  }

  /// The server goes, or has no patience left.
  mutating func end(_ isSilence: Bool) {
    guard !isClosed else { return }
    var reply = Bytes()
    if isSilence { session.timedOut(reply: &reply) } else { session.shuttingDown(reply: &reply) }
    require(reply.hasPrefix("421 ") && SMTPOffice.finalLines(reply) == 1, "no farewell: \(reply.shown)")
    var content = Bytes()
    var more = Bytes()
    let (consumed, effect) = session.receive(
      Bytes("NOOP\r\n").span, now: 0, localOffset: 0, reply: &more, content: &content)
    guard case .close = effect, consumed == 6, more.isEmpty, content.isEmpty else {
      return require(false, "it goes on after its farewell")
    }
  }
}
