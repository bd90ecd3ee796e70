import Spool
import System
import Wire

/// An administration command's connection.
final class ControlConnection: Connection {
  /// What the session waits for.
  private enum Waiting {
    case nothing
    case delivery
    case restoring(Bytes, Int)
    case deleting(Bytes, Int)
  }

  private var session = ControlSession()
  private var waiting = Waiting.nothing
  private var draft: Draft?
  private var maildrops: [Bytes] = []
  private var time: Int64 = 0
  /// This connection keeps the log as it is.
  private var holds = false

  init(_ socket: consuming Descriptor, token: UInt64, peer: SocketAddress) {
    super.init(socket, token: token, peer: peer, service: .control)
  }

  override var isWaiting: Bool {
    if case .nothing = waiting { return draft?.isBusy == true }
    return true
  }

  override var mustFinish: Bool { if case .nothing = waiting { false } else { true } }
  override var isBetweenTransactions: Bool { !isWaiting && !session.isReceivingContent }

  override func shuttingDown(_ server: Server) {
    _ = session.end(StartFailure.tryAgain, "The server is stopping.", reply: &server.reply)
  }

  override func step(_ input: Span<UInt8>, _ server: Server) -> (consumed: Int, step: Step) {
    var consumed = 0
    while true {
      if isWaiting { return (consumed, .wait) }
      let result: (consumed: Int, effect: ControlSession.Effect)
      if let draft {
        result = session.receive(input.extracting(consumed...), reply: &server.reply, content: &draft.content)
      } else {
        var content = Bytes()
        result = session.receive(input.extracting(consumed...), reply: &server.reply, content: &content)
      }
      consumed += result.consumed
      switch result.effect {
      case .more:
        if let draft, server.spool.shouldOffload(draft) {
          server.spool.offload(draft)
          server.spoolIsBusy()
        }
        return (consumed, isWaiting ? .wait : .more)
      case .request(let request): carryOut(request, server)
      case .deliver: deliver(server)
      case .discard: drop(server)
      case .close: return (consumed, .close)
      }
      if server.reply.count > Limits.pop3Replies { return (consumed, .flush) }
    }
  }

  private func carryOut(_ request: ControlRequest, _ server: Server) {
    switch request {
    case .status: session.answer(lines: server.statusLines, reply: &server.reply)
    case .connections: session.answer(lines: server.connectionLines, reply: &server.reply)
    case .refusals: session.answer(lines: server.refusals.lines, reply: &server.reply)
    case .selfTest:
      do throws(Errno) {
        session.answer(try server.beginSelfTest(), reply: &server.reply)
      } catch { session.refuse(StartFailure.tryAgain, error.text, reply: &server.reply) }
    case .reload:
      if server.reload() {
        session.answer([], reply: &server.reply)
      } else {
        session.refuse(
          StartFailure.configuration,
          Bytes("The new configuration has errors and is not used; the journal and \"restante check\" name them."),
          reply: &server.reply)
      }
    case .hold: hold(server)
    case .unban(let address):
      if let network = SocketAddress.network(address), server.guessing.lift(network, now: server.seconds) {
        session.answer([], reply: &server.reply)
      } else {
        session.refuse(65, Bytes("There is no ban of that address."), reply: &server.reply)
      }
    case .restore(let name, let sequences):
      guard Self.hasMaildrop(name, server, &session) else { return }
      waiting = .restoring(name, sequences.count)
      server.spool.restore(sequences: sequences, of: name, tag: token, now: server.now)
      server.spoolIsBusy()
    case .delete(let name, let sequences):
      guard Self.hasMaildrop(name, server, &session) else { return }
      waiting = .deleting(name, sequences.count)
      server.spool.delete(sequences: sequences, of: name, tag: token, now: server.now)
      server.spoolIsBusy()
    case .discard(let name, let sequences):
      guard Self.hasMaildrop(name, server, &session) else { return }
      waiting = .deleting(name, sequences.count)
      server.spool.discard(sequences: sequences, of: name, tag: token, now: server.now)
      server.spoolIsBusy()
    case .deliver(_, let time, let names):
      for name in names where !Self.isKnown(name, server, &session) { return session.take(false) }
      guard server.spool.hasRoom else {
        session.refuse(StartFailure.tryAgain, Bytes("The disk has no room for more mail."), reply: &server.reply)
        return session.take(false)
      }
      maildrops = names
      self.time = time
      draft = server.spool.begin(tag: token)
      session.take(true)
    }
  }

  /// Tells up to where the log is on the disk and will stay as it is; nothing, when that takes another moment.
  private func hold(_ server: Server) {
    if !holds { server.spool.hold() }
    holds = true
    guard let position = server.spool.position else {
      server.spoolIsBusy()
      return session.answer([], reply: &server.reply)
    }
    var text = Bytes()
    text.append(decimal: UInt64(position.segment))
    text.append(ASCII.space)
    text.append(decimal: Int(position.offset))
    text.append(ASCII.space)
    text.append(decimal: position.sequence)
    session.answer(text, reply: &server.reply)
  }

  /// An account may have been removed while its mail was kept.
  private static func hasMaildrop(_ name: Bytes, _ server: Server, _ session: inout ControlSession) -> Bool {
    let usage = server.spool.usage(name)
    return usage.messages > 0 || usage.deletedMessages > 0 || isKnown(name, server, &session)
  }

  private static func isKnown(_ name: Bytes, _ server: Server, _ session: inout ControlSession) -> Bool {
    if server.account(named: name) != nil { return true }
    var text = Bytes("There is no account ")
    text.append(quoted: name.span)
    text += "."
    session.refuse(67, text, reply: &server.reply)
    return false
  }

  private func deliver(_ server: Server) {
    guard let draft else { return }
    waiting = .delivery
    server.spool.commit(draft, recipients: maildrops, octets: session.octets, utf8: false, now: time)
    server.spoolIsBusy()
  }

  /// What became of the message.
  override func stored(_ result: Result<UInt64, SpoolError>, _ server: Server) {
    guard case .delivery = waiting else { return }
    waiting = .nothing
    draft = nil
    switch result {
    case .success(let sequence):
      server.delivered += 1
      server.record(
        .delivered(sequence: sequence, from: [], to: maildrops, octets: session.octets, peer: peer))
      var text = Bytes()
      text.append(decimal: sequence)
      session.answer(text, reply: &server.reply)
    case .failure(let error): refuse(error, server)
    }
  }

  /// The change is on the disk, or is not.
  override func updated(_ error: SpoolError?, _ server: Server) {
    let was = waiting
    waiting = .nothing
    if let error { return refuse(error, server) }
    switch was {
    case .restoring(let name, let count): server.record(.restored(name: name, messages: count, peer: peer))
    case .deleting(let name, let count): server.record(.deleted(name: name, messages: count, peer: peer))
    case .nothing, .delivery: return
    }
    session.answer([], reply: &server.reply)
  }

  private func refuse(_ error: SpoolError, _ server: Server) {
    switch error {
    case .full: session.refuse(StartFailure.tryAgain, Bytes("The disk is full."), reply: &server.reply)
    case .failed(let error): session.refuse(StartFailure.inputOutput, error.text, reply: &server.reply)
    case .gone: session.refuse(65, Bytes("There is no such message any more."), reply: &server.reply)
    case .held: session.refuse(StartFailure.unavailable, Bytes("Another process has the spool."), reply: &server.reply)
    case .damaged:
      session.refuse(
        StartFailure.inputOutput, Bytes("The spool is damaged there; run \"restante check\"."), reply: &server.reply)
    }
  }

  private func drop(_ server: Server) {
    if let draft { server.spool.abandon(draft) }
    draft = nil
  }

  override func ended(_ server: Server) {
    drop(server)
    if holds { server.spool.letGo() }
    holds = false
  }
}
