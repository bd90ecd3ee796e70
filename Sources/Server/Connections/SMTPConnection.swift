import SMTP
import Spool
import System
import Wire

/// A sender's connection: ties the SMTP session to directory and spool.
final class SMTPConnection: LoginConnection {
  private var session: SMTP.Session
  /// The message under way.
  private var draft: Draft?
  /// Where it goes.
  private var maildrops = MaildropSet()
  /// What MAIL declared, in octets.
  private var declaredSize = 0
  private var isCommitting = false
  /// Who sent the content that is coming in and was refused before its end.
  private var refused: Bytes?
  /// Who has logged in.
  private var account = Bytes()

  init(_ socket: consuming Descriptor, token: UInt64, peer: SocketAddress, isTLS: Bool, settings: SMTP.Settings) {
    session = SMTP.Session(
      settings: settings, peer: SMTP.Peer(address: Self.literal(peer)), secure: peer.isLoopback, tls: isTLS)
    super.init(socket, token: token, peer: peer, service: .smtp)
  }

  /// As in an address literal: RFC 5321 §4.1.3.
  private static func literal(_ peer: SocketAddress) -> Bytes {
    var text = peer.family == .ipv6 ? Bytes("IPv6:") : Bytes()
    text += peer.text
    return text
  }

  override var whose: Bytes { account }
  override func greet(_ server: Server) { session.greet(reply: &server.reply) }
  override func startedTLS(_ server: Server) { session.startedTLS() }
  override var isWaiting: Bool { isCommitting || isHashing || draft?.isBusy == true || heldUntil > 0 }
  override var mustFinish: Bool { isCommitting }
  override var isBetweenTransactions: Bool { !isWaiting && !session.isReceivingContent }
  override func timedOut(_ server: Server) { session.timedOut(reply: &server.reply) }
  override func shuttingDown(_ server: Server) { session.shuttingDown(reply: &server.reply) }

  override var awaits: (what: Patience.Awaited, seconds: Int) {
    if session.isReceivingContent { return (.upload, Limits.paceSeconds) }
    return (.command, Limits.smtpIdle)
  }

  override var grace: Int64? { session.isInTransaction ? Limits.graceInTransaction : Limits.grace }
  override func crowdedOut(_ server: Server) { session.tooManyConnections(reply: &server.reply) }
  override func spokeTooEarly(_ server: Server) { session.spokeTooEarly(reply: &server.reply) }

  override func step(_ input: Span<UInt8>, _ server: Server) -> (consumed: Int, step: Step) {
    var consumed = 0
    while true {
      if isWaiting { return (consumed, .wait) }
      let before = server.reply.count
      let from = session.envelope.reversePath
      let result = receive(input.extracting(consumed...), server)
      consumed += result.consumed
      if let sender = refused, !session.isReceivingContent {
        // The first line since is the one that says why.
        refused = nil
        server.record(.messageRefused(reply: server.line(since: before, last: false), from: sender, peer: peer))
      }
      switch result.effect {
      case .more: return (consumed, isWaiting ? .wait : .more)
      case .flush: return (consumed, .flush)
      case .mail(let declaredSize): session.answer(mail: begin(declaredSize, server), reply: &server.reply)
      case .recipient(let mailbox): session.answer(recipient: judge(mailbox, server), reply: &server.reply)
      case .discard:
        drop(server)
        // Why content is not taken is said after its end only.
        if session.isReceivingContent {
          refused = from
        } else {
          let reply = server.line(since: before, last: true)
          if reply.first != 0x32 { server.record(.messageRefused(reply: reply, from: from, peer: peer)) }
        }
      case .deliver: deliver(server)
      case .authenticate(let name, let password): authenticate(name, password, server)
      case .scram(let message): authenticate(message, server)
      case .startTLS:
        drop(server)
        return (consumed, .startTLS)
      case .close:
        drop(server)
        let reply = server.line(since: before, last: true)
        if reply.first != 0x32 { server.record(.ended(.smtp, reply: reply, peer: peer)) }
        return (consumed, .close)
      }
    }
  }

  /// Offers input to the session, and a message that has grown long to the disk.
  private func receive(
    _ input: Span<UInt8>, _ server: Server
  ) -> (consumed: Int, effect: SMTP.Session.Effect) {
    guard let draft else {
      var content = Bytes()
      let result = session.receive(
        input, now: server.now, localOffset: server.localOffset, reply: &server.reply, content: &content)
      if session.isReceivingContent { moved += Int64(result.consumed) }
      return result
    }
    let result = session.receive(
      input, now: server.now, localOffset: server.localOffset, reply: &server.reply, content: &draft.content)
    if session.isReceivingContent { moved += Int64(result.consumed) }
    if case .more = result.effect, server.spool.shouldOffload(draft) {
      server.spool.offload(draft)
      server.spoolIsBusy()
    }
    return result
  }

  // MARK: login. It lets nobody send anywhere but to us.

  override func challenge(_ message: Bytes, _ server: Server) {
    session.answer(challenge: message, reply: &server.reply)
  }

  override func welcome(_ name: Bytes, _ server: Server) {
    account = name
    server.record(.login(service, name: name, peer: peer, tls: tlsVersion))
    session.answer(authentication: .welcome, reply: &server.reply)
  }

  override func turnAway(_ refusal: Refusal, _ server: Server) {
    session.answer(
      authentication: refusal == .wrong ? .refused : refusal == .temporary ? .temporarily : .banned,
      reply: &server.reply)
  }

  /// Whether the reverse-path may be used by who has logged in, if that is to be looked at. The null one is always
  /// taken: receipts have it, and it is nobody's name.
  private func judgeSender(_ server: Server) -> SMTP.Session.MailAnswer {
    let path = session.envelope.reversePath
    guard session.isAuthenticated, server.configuration.smtp.enforceSender, !path.isEmpty else { return .accepted }
    if case .success(let mailbox) = PathParser.mailbox(path.span) {
      switch server.resolve(mailbox, self) {
      case .maildrops(let names) where names.contains(account): return .accepted
      case .temporarily: return .temporarily
      case .maildrops, .unknown, .notLocal: break
      }
    }
    server.record(
      .messageRefused(reply: Bytes("550 5.7.1 not an address of ") + account, from: path, peer: peer))
    return .notYours
  }

  // MARK: mail

  private func begin(_ declaredSize: Int?, _ server: Server) -> SMTP.Session.MailAnswer {
    let verdict = judgeSender(server)
    guard verdict == .accepted else { return verdict }
    guard server.spool.hasRoom(for: declaredSize ?? 0) else {
      server.spoolIsBusy()
      server.record(
        .messageRefused(reply: Bytes("452 4.3.1 disk low"), from: session.envelope.reversePath, peer: peer))
      return .diskLow
    }
    self.declaredSize = declaredSize ?? 0
    maildrops = MaildropSet()
    if draft == nil { draft = server.spool.begin(tag: token) }
    return .accepted
  }

  private func judge(_ mailbox: Mailbox, _ server: Server) -> SMTP.Session.RecipientAnswer {
    let answer: SMTP.Session.RecipientAnswer
    let reason: StaticString
    switch server.resolve(mailbox, self) {
    case .maildrops(let names):
      var all = maildrops
      for name in names { all.insert(name) }
      if all.names.count > Limits.maildrops {
        answer = .temporarily
        reason = "the message would go to too many maildrops at once"
      } else if names.contains(where: { !server.hasRoom(in: $0, for: declaredSize) }) {
        answer = .overQuota
        reason = "over quota"
      } else {
        maildrops = all
        return .accepted
      }
    case .unknown:
      answer = .unknown
      reason = "nobody here has this name"
      server.missed(self, mailbox.text)
    case .notLocal:
      answer = .notLocal
      reason = "not our domain"
    case .temporarily:
      answer = .temporarily
      reason = "accounts or aliases cannot be read in full"
    }
    server.record(
      .recipientRefused(
        recipient: mailbox.text, reason: reason, from: session.envelope.reversePath, peer: peer))
    return answer
  }

  private func deliver(_ server: Server) {
    guard let draft else { return session.answer(delivery: .temporarily, reply: &server.reply) }
    // Mail of a size that was not declared may be too much only now.
    for name in maildrops.names where !server.hasRoom(in: name, for: session.envelope.octets) {
      server.record(
        .messageRefused(
          reply: Bytes("452 4.2.2 over quota: ") + name, from: session.envelope.reversePath, peer: peer))
      drop(server)
      return session.answer(delivery: .overQuota, reply: &server.reply)
    }
    isCommitting = true
    server.spool.commit(
      draft, recipients: maildrops.names, octets: session.envelope.octets, utf8: session.envelope.isUTF8,
      now: server.now)
    server.spoolIsBusy()
  }

  /// What became of the message: its number in the spool, or why it is not there.
  override func stored(_ result: Result<UInt64, SpoolError>, _ server: Server) {
    guard isCommitting else { return }
    isCommitting = false
    draft = nil
    let envelope = session.envelope
    switch result {
    case .success(let sequence):
      server.delivered += 1
      server.record(
        .delivered(
          sequence: sequence, from: envelope.reversePath, to: maildrops.names, octets: envelope.octets, peer: peer,
          tls: tlsVersion))
      session.answer(delivery: .stored(id: sequence), reply: &server.reply)
    case .failure(let error):
      let before = server.reply.count
      session.answer(delivery: error == .full ? .diskLow : .temporarily, reply: &server.reply)
      server.record(
        .messageRefused(reply: server.line(since: before, last: true), from: envelope.reversePath, peer: peer))
    }
    maildrops = MaildropSet()
  }

  private func drop(_ server: Server) {
    if let draft { server.spool.abandon(draft) }
    draft = nil
    maildrops = MaildropSet()
  }

  override func ended(_ server: Server) { drop(server) }
}
