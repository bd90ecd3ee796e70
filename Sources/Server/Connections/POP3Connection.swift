import Accounts
import POP3
import Spool
import System
import Wire

/// A reader's connection: ties the POP3 session to accounts and spool.
final class POP3Connection: Connection {
  /// What the session waits for.
  private enum Waiting {
    case nothing, hashing
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

  init(_ socket: consuming Descriptor, token: UInt64, peer: SocketAddress, settings: POP3.Settings) {
    session = POP3.Session(settings: settings, secure: peer.isLoopback)
    super.init(socket, token: token, peer: peer, service: .pop3)
  }

  override func greet(_ server: Server) { session.greet(reply: &server.reply) }
  override func startedTLS(_ server: Server) { session.startedTLS() }
  override func timedOut(_ server: Server) { session.timedOut(reply: &server.reply) }
  override func shuttingDown(_ server: Server) { session.shuttingDown(reply: &server.reply) }

  override var isWaiting: Bool { if case .nothing = waiting { false } else { true } }
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

  private func authenticate(_ given: Bytes, _ password: Bytes, _ server: Server) {
    let name: Bytes
    var account: Account?
    let verifier: Verifier
    switch server.login(given) {
    case .account(let found):
      if server.passwords.knows(password, of: found) { return welcome(found.name, server) }
      name = found.name
      account = found
      verifier = found.verifier
    case .unknown:
      // Nobody's name costs the same time as anybody's.
      guard let decoy = try? Verifier.decoy(for: given, key: server.decoyKey) else {
        return refuse(given, .temporary, "no randomness", server)
      }
      name = given
      verifier = decoy
    case .temporarily: return refuse(given, .temporary, "the accounts cannot be read in full", server)
    }
    let job = HashingThread.Job(
      token: token, name: name, account: account, verifier: verifier, password: password)
    if server.hashing.submit(job) {
      waiting = .hashing
    } else {
      refuse(name, .temporary, "too many passwords wait to be checked", server)
    }
  }

  /// The hashing thread has looked at the password.
  override func hashed(_ job: HashingThread.Job, _ outcome: HashingThread.Outcome, _ server: Server) {
    guard case .hashing = waiting else { return }
    waiting = .nothing
    switch outcome {
    case .right: welcome(job.name, server)
    case .wrong: refuse(job.name, .refused, "wrong name or password", server)
    case .failed: refuse(job.name, .temporary, "the password could not be hashed", server)
    }
  }

  private func welcome(_ name: Bytes, _ server: Server) {
    guard server.mayLogIn(name) else { return refuse(name, .loginDelay, "too soon after the last login", server) }
    do throws(SpoolError) {
      let snapshot = try server.spool.open(name)
      self.snapshot = snapshot
      server.record(.login(name: name, peer: peer))
      answer(.welcome(SnapshotMaildrop(snapshot: snapshot, uidPrefix: server.spool.uidPrefix)), server)
    } catch {
      server.record(.maildropFault(name: name, error, peer: peer))
      answer(.temporary, server)
    }
  }

  private func refuse(
    _ name: Bytes, _ answer: POP3.Session<SnapshotMaildrop>.Authentication, _ reason: StaticString, _ server: Server
  ) {
    server.record(.loginRefused(name: name, reason: reason, peer: peer))
    self.answer(answer, server)
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
