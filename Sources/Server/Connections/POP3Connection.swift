import Accounts
import POP3
import Spool
import System
import Wire

/// A reader's connection: ties the POP3 session to accounts and spool.
final class POP3Connection: LoginConnection {
  /// What the session waits for.
  private enum Waiting {
    case nothing
    /// The deletion of so many messages.
    case update(Int)
  }

  private var session: POP3.Session<SnapshotMaildrop>
  private var snapshot: Snapshot?
  private var waiting = Waiting.nothing
  /// A long listing goes on when the reply is sent.
  private var resumes = false
  /// Absent until there is something to tell, as most sessions of a poll have nothing.
  private var fetched: FetchedBox?

  /// Held apart, so that idle connections are small.
  private final class FetchedBox {
    var done = Fetched()
  }

  init(_ socket: consuming Descriptor, token: UInt64, peer: SocketAddress, isTLS: Bool, settings: POP3.Settings) {
    session = POP3.Session(settings: settings, secure: peer.isLoopback, tls: isTLS)
    super.init(socket, token: token, peer: peer, service: .pop3)
  }

  override var whose: Bytes { snapshot?.name ?? [] }
  override func greet(_ server: Server) { session.greet(reply: &server.reply) }
  override func startedTLS(_ server: Server) { session.startedTLS() }
  override func timedOut(_ server: Server) { session.timedOut(reply: &server.reply) }
  override func shuttingDown(_ server: Server) { session.shuttingDown(reply: &server.reply) }

  override var isWaiting: Bool { if case .nothing = waiting { isHashing } else { true } }
  override var mustFinish: Bool { if case .update = waiting { true } else { false } }
  override var isBetweenTransactions: Bool { !isWaiting && !resumes }

  override var awaits: (what: Patience.Awaited, seconds: Int) {
    session.isLoggedIn ? (.command, Limits.pop3Idle) : (.login, Limits.pop3Login)
  }

  override var grace: Int64? { session.isLoggedIn ? nil : Limits.grace }

  override func step(_ input: Span<UInt8>, _ server: Server) -> (consumed: Int, step: Step) {
    var consumed = 0
    while true {
      if isWaiting { return (consumed, .wait) }
      let before = server.reply.count
      let effect: POP3.Session<SnapshotMaildrop>.Effect
      if resumes {
        resumes = false
        effect = session.resume(reply: &server.reply)
      } else {
        let result = session.receive(input.extracting(consumed...), reply: &server.reply)
        consumed += result.consumed
        effect = result.effect
      }
      switch effect {
      case .more:
        // The end of a listing leaves input to be looked at again.
        if consumed == input.count || server.reply.count == before { return (consumed, .more) }
      case .flush: return (consumed, .flush)
      case .resume:
        resumes = true
        return (consumed, .flush)
      case .send(let message, let bodyLines):
        return (consumed, .transfer(Transfer(message, bodyLines: bodyLines)))
      case .authenticate(let name, let password):
        authenticate(name, password, server)
      case .scram(let message): authenticate(message, server)
      case .update(let marks): update(marks, server)
      case .startTLS:
        return (consumed, .startTLS)
      case .close:
        let reply = server.line(since: before, last: true)
        if reply.first == 0x2D { server.record(.ended(.pop3, reply: reply, peer: peer)) }
        return (consumed, .close)
      }
    }
  }

  // MARK: login

  override func challenge(_ message: Bytes, _ server: Server) {
    session.answer(challenge: message, reply: &server.reply)
  }

  override func welcome(_ name: Bytes, _ server: Server) {
    guard server.mayLogIn(name) else {
      server.record(
        .loginRefused(
          service, name: name, reason: "too soon after the last login", peer: peer, tls: tlsVersion))
      return answer(.loginDelay, server)
    }
    do throws(SpoolError) {
      let snapshot = try server.spool.open(name)
      self.snapshot = snapshot
      server.record(.login(service, name: name, peer: peer, tls: tlsVersion))
      answer(.welcome(SnapshotMaildrop(snapshot: snapshot, uidPrefix: server.spool.uidPrefix)), server)
    } catch {
      server.record(.maildropFault(name: name, error, peer: peer))
      answer(.temporary, server)
    }
  }

  override func turnAway(_ refusal: Refusal, _ server: Server) {
    switch refusal {
    case .wrong: answer(.refused, server)
    case .temporary: answer(.temporary, server)
    case .banned(let seconds): session.banned(seconds: seconds, reply: &server.reply)
    }
  }

  private func answer(_ answer: POP3.Session<SnapshotMaildrop>.Authentication, _ server: Server) {
    // Should that end the session, it says so itself when it is offered more.
    _ = session.answer(authentication: answer, reply: &server.reply)
  }

  // MARK: mail

  override func transferred(_ transfer: Transfer) {
    let box = fetched ?? FetchedBox()
    fetched = box
    if transfer.isTop {
      box.done.topped &+= 1
      box.done.toppedOctets += transfer.end
    } else {
      box.done.retrieved &+= 1
      box.done.retrievedOctets += Int64(transfer.message.octets)
    }
  }

  private func update(_ marks: DeletionMarks, _ server: Server) {
    guard let snapshot else { return finish(.failed, server) }
    var numbers: [Int] = []
    numbers.reserveCapacity(marks.count)
    var next = marks.first(from: 1)
    while let number = next {
      numbers.append(number)
      next = marks.first(from: number + 1)
    }
    do throws(SpoolError) {
      try server.spool.delete(numbers, of: snapshot, tag: token, now: server.now)
      waiting = .update(numbers.count)
      server.spoolIsBusy()
    } catch {
      server.record(.maildropFault(name: snapshot.name, error, peer: peer))
      finish(.failed, server)
    }
  }

  /// The deletions are on the disk, or are not.
  override func updated(_ error: SpoolError?, _ server: Server) {
    guard case .update(let count) = waiting else { return }
    waiting = .nothing
    if let error {
      server.record(.maildropFault(name: snapshot?.name ?? [], error, peer: peer))
      return finish(.failed, server)
    }
    let box = fetched ?? FetchedBox()
    fetched = box
    box.done.deleted = count
    server.record(.deleted(name: snapshot?.name ?? [], messages: count, peer: peer))
    finish(.done, server)
  }

  private func finish(_ update: POP3.Session<SnapshotMaildrop>.Update, _ server: Server) {
    _ = session.answer(update: update, reply: &server.reply)
  }

  override func ended(_ server: Server) {
    guard let snapshot, let fetched, !fetched.done.isEmpty else { return }
    fetched.done.messages = snapshot.count
    fetched.done.octets = snapshot.octets
    server.record(.fetched(name: snapshot.name, fetched.done, peer: peer))
  }
}
