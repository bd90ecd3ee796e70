import SMTP
import Wire

/// What a sender may say to the SMTP session. Octet by octet it is held against what RFC 5321 asks: one reply to a line,
/// no end of a message but CRLF.CRLF, no delivery but what was sent. In any other pieces it must come to the same.
func fuzzSMTP(_ bytes: Bytes) {
  var input = Input(bytes)
  let plan = SMTPPlan(&input)
  let wire = input.remaining
  var octetwise = SMTPOffice(plan)
  for octet in wire { octetwise.hearOne(octet) }
  octetwise.checkReplies()

  var whole = SMTPOffice(plan)
  whole.hear(wire[...])
  whole.compare(octetwise, "whole")
  var pieces = SMTPOffice(plan)
  var cuts = Cuts(seed: UInt64(plan.cuts))
  cuts.each(wire) { pieces.hear($0) }
  pieces.compare(octetwise, "in pieces")

  if plan.ends {
    for var office in [octetwise, whole] { office.end(plan.cuts & 1 == 0) }
  }
}

/// How the server around the session behaves: eight octets of the input.
struct SMTPPlan {
  let settings: Settings
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
    settings = Settings(
      hostName: Bytes("m.example"), maximumMessageSize: size < 200 ? Int(size) : 5000,
      bareNewline: flags & 1 == 0 ? .reject : .normalize, recipients: flags & 2 == 0 ? 1000 : 2,
      transactions: flags & 4 == 0 ? 10_000 : 2)
  }
}

/// A server around a session, as small as can be.
struct SMTPOffice {
  private let plan: SMTPPlan
  private var session: Session
  private var input = Bytes()
  private(set) var sent = Bytes()
  /// A letter for each effect.
  private var events = Bytes()
  private var deliveries: [Bytes] = []
  private var draft = Bytes()
  private var recipients = 0
  private var isOpen = false
  private var isClosed = false
  private var questions: UInt32 = 0

  // What `hearOne` knows of the stream.
  private var line = Bytes()
  private var content: (input: Bytes, isStuffed: Bool, begins: Int)?

  init(_ plan: SMTPPlan) {
    self.plan = plan
    session = Session(settings: plan.settings, peer: Peer(address: Bytes("192.0.2.7")))
    session.greet(reply: &sent)
  }

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
      isOpen = choice < 6
      session.answer(mail: isOpen ? .accepted : choice == 6 ? .diskLow : .temporarily, reply: &reply)
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
        delivery: choice < 5 ? .stored(id: UInt64(deliveries.count)) : answers[choice - 5], reply: &reply)
      forget()
    case .close:
      events.append(0x43)
      isClosed = true
      // A transaction that was under way is over; the session may still tell of it.
      isOpen = session.isInTransaction
    }
    return true
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
      require(line.count >= 7 && line.count <= 512 && line[line.count - 2] == ASCII.cr, "a line: \(line.shown)")
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
