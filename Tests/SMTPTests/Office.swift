import Foundation
import SMTP
import Testing
import Wire

extension Array where Element == UInt8 {
  init(_ text: String) { self = Array(text.utf8) }
}

/// A server around a session, as small as can be, that holds the session to its contract with the caller.
struct Office {
  struct Delivery: Equatable {
    var reversePath: String
    var recipients: [String]
    var content: Bytes
    var octets: Int
    var isUTF8: Bool

    /// The content behind our trace headers.
    var message: String {
      var lines = content.text.components(separatedBy: "\r\n")
      while let first = lines.first, first.hasPrefix("Return-Path:") || first.hasPrefix("Received: from client") {
        lines.removeFirst()
        while let next = lines.first, next.hasPrefix("\t") { lines.removeFirst() }
      }
      return lines.joined(separator: "\r\n")
    }
  }

  var session: Session
  var input = Bytes()
  /// All replies so far.
  var sent = Bytes()
  var reply = Bytes()
  var content = Bytes()
  var draft = Bytes()
  var recipients: [String] = []
  var deliveries: [Delivery] = []
  var events: [String] = []
  var isOpen = false
  var isClosed = false
  /// Most octets a reply buffer held.
  var mostReplies = 0
  /// Most octets of content held after one call, and the most the draft had.
  var mostDraft = 0

  var mailAnswer = Session.MailAnswer.accepted
  var recipientAnswer: Session.RecipientAnswer?
  var deliveryAnswer: Session.DeliveryAnswer?
  var authenticationAnswer: Session.AuthenticationAnswer?
  var now: Int64 = 1_700_000_000

  static let settings = Settings(hostName: Bytes("mail.office.example"), maximumMessageSize: 5000)

  init(
    _ settings: Settings = Office.settings, address: String = "192.0.2.7", secure: Bool = false, tls: Bool = false
  ) {
    session = Session(settings: settings, peer: Peer(address: Bytes(address)), secure: secure, tls: tls)
    session.greet(reply: &sent)
  }

  mutating func hear(_ piece: some Collection<UInt8>) {
    guard !isClosed else { return }
    input.append(contentsOf: piece)
    var turns = 0
    while !isClosed {
      turns += 1
      let offered = input
      let (consumed, effect) = session.receive(
        offered.span, now: now, localOffset: 3600, reply: &reply, content: &content)
      #expect(consumed <= input.count && consumed >= 0)
      input.removeFirst(consumed)
      mostReplies = max(mostReplies, reply.count)
      // Taken away at once: the session must not look back.
      draft += content
      mostDraft = max(mostDraft, draft.count)
      let hadContent = !content.isEmpty
      content = []
      switch effect {
      case .more:
        #expect(input.count < Limits.smtpCommandLine, "an unfinished line is longer than a line may be")
        sent += reply
        reply = []
        return
      case .flush:
        #expect(reply.count >= Limits.smtpReplies)
      case .mail(let size):
        #expect(!isOpen)
        events.append("mail \(size.map(String.init) ?? "-")")
        waits()
        session.answer(mail: mailAnswer, reply: &reply)
        isOpen = mailAnswer == .accepted
      case .recipient(let mailbox):
        #expect(isOpen)
        events.append("recipient")
        waits()
        let answer = recipientAnswer ?? Self.find(mailbox)
        if answer == .accepted { recipients.append(mailbox.text.text) }
        session.answer(recipient: answer, reply: &reply)
      case .discard:
        #expect(isOpen, "a discard without a transaction")
        #expect(!hadContent, "content came with a discard")
        events.append("discard")
        end()
      case .deliver:
        #expect(isOpen && !recipients.isEmpty)
        events.append("deliver")
        waits()
        let envelope = session.envelope
        #expect(envelope.recipientCount == recipients.count)
        deliveries.append(
          Delivery(
            reversePath: envelope.reversePath.text, recipients: recipients, content: draft, octets: envelope.octets,
            isUTF8: envelope.isUTF8))
        session.answer(delivery: deliveryAnswer ?? .stored(id: UInt64(deliveries.count)), reply: &reply)
        end()
      case .authenticate(let name, let password):
        events.append("\(name.text) has \(password.text)")
        waits()
        let isRight = name.text == "anna" && password.text == "open sesame"
        session.answer(authentication: authenticationAnswer ?? (isRight ? .welcome : .refused), reply: &reply)
      case .scram(let message):
        // The session passes them through, so any words will do.
        waits()
        switch message {
        case .first(let first, let plus):
          events.append("first\(plus ? "+" : "") \(first.text)")
          if first.text == "anna" {
            session.answer(challenge: Bytes("challenge"), reply: &reply)
          } else {
            session.answer(authentication: .refused, reply: &reply)
          }
        case .final(let final):
          events.append("final \(final.text)")
          if final.text == "proof" {
            session.answer(challenge: Bytes("v=server"), reply: &reply)
          } else {
            session.answer(authentication: .refused, reply: &reply)
          }
        case .acknowledged:
          events.append("acknowledged")
          session.answer(authentication: .welcome, reply: &reply)
        }
      case .startTLS:
        events.append("TLS")
        waits()
        end()
        // What came in the clear must not be left for later.
        #expect(input.isEmpty)
        session.startedTLS()
      case .close:
        events.append("close")
        isClosed = true
      }
      #expect(session.isInTransaction == isOpen, "the two do not agree whether a transaction is open")
      sent += reply
      reply = []
      if turns > 100_000 {
        Issue.record("no end")
        return
      }
    }
  }

  /// While it waits for an answer the session takes nothing.
  private mutating func waits() {
    let (consumed, effect) = session.receive(
      Bytes("NOOP\r\n").span, now: now, localOffset: 0, reply: &reply, content: &content)
    #expect(consumed == 0 && content.isEmpty)
    guard case .more = effect else {
      Issue.record("did not wait: \(effect)")
      return
    }
  }

  private mutating func end() {
    isOpen = false
    draft = []
    recipients = []
  }

  /// Who is here: anna, bert and postmaster at office.example.
  static func find(_ mailbox: Mailbox) -> Session.RecipientAnswer {
    let name = mailbox.localPart.lowercased.text
    guard ["office.example", ""].contains(mailbox.domain.text) else { return .notLocal }
    return ["anna", "bert", "postmaster"].contains(String(name.prefix { $0 != "+" })) ? .accepted : .unknown
  }

  var lines: [String] {
    var lines = sent.text.components(separatedBy: "\r\n")
    #expect(lines.popLast() == "", "the last reply is unfinished")
    return lines
  }

  /// Every reply is a code, a space or hyphen and text, in at most 512 octets (RFC 5321 §4.2, §4.5.3.1.5), and what has
  /// an enhanced code has the right class (RFC 2034 §4).
  func checkReplies(_ sourceLocation: SourceLocation = #_sourceLocation) {
    for line in lines {
      let octets = Array(line.utf8)
      let isWell =
        (octets.count >= 5 || line == "334 ") && octets.count <= 510
        && octets[0...2].allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
        && (octets[3] == 0x20 || octets[3] == 0x2D) && octets.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
        && (octets.count < 8 || !(octets[5] == 0x2E && octets[7] == 0x2E) || octets[4] == octets[0])
      #expect(isWell, "\(line)", sourceLocation: sourceLocation)
    }
  }
}
