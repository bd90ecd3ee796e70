import Accounts
import System
import Wire

/// A connection on which people log in. What a login takes is the same in SMTP and POP3 and stands here; what it gives,
/// and the words, are the subclasses' own.
class LoginConnection: Connection {
  /// Why nobody was let in.
  enum Refusal: Equatable {
    /// Wrong name or wrong password, which look the same.
    case wrong
    /// A fault of ours.
    case temporary
    /// Too many wrong passwords came from there; the ban ends in so many seconds.
    case banned(Int64)
  }

  /// What a password is checked against.
  private final class Candidate {
    let name: Bytes
    /// Nil for a name that nobody has.
    let account: Account?
    /// A decoy then.
    let verifier: Verifier

    init(_ name: Bytes, _ account: Account?, _ verifier: Verifier) {
      self.name = name
      self.account = account
      self.verifier = verifier
    }
  }

  /// Held apart, so that idle connections are small.
  private final class SCRAMLogin {
    let exchange: SCRAMExchange
    let candidate: Candidate
    /// Whether the client has shown that it knows the password.
    var isProven = false

    init(_ exchange: SCRAMExchange, _ candidate: Candidate) {
      self.exchange = exchange
      self.candidate = candidate
    }
  }

  /// A login that must wait because of wrong passwords before it.
  private final class Waiting {
    let candidate: Candidate
    /// The password, or SCRAM's last message.
    let proof: Bytes

    init(_ candidate: Candidate, _ proof: Bytes) {
      self.candidate = candidate
      self.proof = proof
    }
  }

  /// Whether a password waits to be looked at, or the hashing thread does that.
  private(set) final var isHashing = false
  private final var postponed: Waiting?
  private final var scram: SCRAMLogin?

  /// Hands a message of SCRAM to the session.
  func challenge(_ message: Bytes, _ server: Server) {}

  /// Somebody has logged in.
  func welcome(_ name: Bytes, _ server: Server) {}

  /// A login came to nothing.
  func turnAway(_ refusal: Refusal, _ server: Server) {}

  // MARK: a password

  final func authenticate(_ given: Bytes, _ password: Bytes, _ server: Server) {
    // One that was begun and given up.
    scram = nil
    guard let found = find(given, server) else { return }
    if mayTry(found, password, server) { check(found, password, server) }
  }

  /// Whether a password may be looked at now. If not, it waits, or was refused.
  private func mayTry(_ candidate: Candidate, _ proof: Bytes, _ server: Server) -> Bool {
    switch server.guessing.verdict(for: peer, name: candidate.name, now: server.seconds) {
    case .go: return true
    case .wait(let seconds):
      postponed = Waiting(candidate, proof)
      isHashing = true
      server.hold(self, seconds: seconds)
    case .banned(let seconds): refuse(candidate.name, .banned(seconds), "too many wrong passwords from there", server)
    }
    return false
  }

  override final func released(_ server: Server) {
    guard let waiting = postponed else { return }
    postponed = nil
    isHashing = false
    let candidate = waiting.candidate
    if let seconds = server.guessing.ban(of: peer, now: server.seconds) {
      refuse(candidate.name, .banned(seconds), "too many wrong passwords from there", server)
    } else if let scram {
      finish(scram, waiting.proof, server)
    } else {
      check(candidate, waiting.proof, server)
    }
  }

  private func check(_ found: Candidate, _ password: Bytes, _ server: Server) {
    if let account = found.account, server.passwords.knows(password, of: account) {
      return succeed(found.name, server)
    }
    let job = HashingThread.Job(
      token: token, name: found.name, account: found.account, verifier: found.verifier, password: password)
    if server.hashing.submit(job) {
      isHashing = true
    } else {
      refuse(found.name, .temporary, "too many passwords wait to be checked", server)
    }
  }

  override final func hashed(_ job: HashingThread.Job, _ outcome: HashingThread.Outcome, _ server: Server) {
    guard isHashing else { return }
    isHashing = false
    switch outcome {
    case .right: succeed(job.name, server)
    case .wrong: refuse(job.name, guess: job.password, server)
    case .failed: refuse(job.name, .temporary, "the password could not be hashed", server)
    }
  }

  // MARK: SCRAM, RFC 5802 §5

  /// Goes on with SCRAM. That takes a few HMACs only, and so is done at once.
  final func authenticate(_ message: SASLExchange.SCRAMMessage, _ server: Server) {
    switch message {
    case .first(let first, let plus): beginSCRAM(first, plus, server)
    case .final(let final):
      guard let scram else { return turnAway(.temporary, server) }
      if mayTry(scram.candidate, final, server) { finish(scram, final, server) }
    case .acknowledged:
      guard let scram, scram.isProven else { return turnAway(.temporary, server) }
      succeed(scram.candidate.name, server)
    }
  }

  private func finish(_ scram: SCRAMLogin, _ final: Bytes, _ server: Server) {
    let name = scram.candidate.name
    do throws(Errno) {
      if let answer = try scram.exchange.answer(final), scram.candidate.account != nil {
        scram.isProven = true
        return challenge(answer, server)
      }
      refuse(name, guess: nil, server)
    } catch {
      refuse(name, .temporary, "the password could not be hashed", server)
    }
  }

  private func beginSCRAM(_ first: Bytes, _ plus: Bool, _ server: Server) {
    var bindings: ChannelBindings?
    if channel != nil {
      let (exporter, endPoint) = channelBindings
      bindings = ChannelBindings(exporter: exporter, endPoint: endPoint)
    }
    guard var exchange = SCRAMExchange(first, plus: plus, bindings: bindings) else {
      return refuse([], .wrong, "SCRAM without a name, or bound to another connection", server)
    }
    guard let found = find(exchange.name, server) else { return }
    // A name that somebody has is to take as long as one that nobody has.
    if found.account != nil { _ = try? Verifier.decoy(for: exchange.name, key: server.decoyKey) }
    guard let random = try? Crypto.random(24) else { return refuse(found.name, .temporary, "no randomness", server) }
    var nonce = Bytes()
    Base64.encode(random.span, to: &nonce)
    let message = exchange.challenge(found.verifier, nonce: nonce)
    scram = SCRAMLogin(exchange, found)
    challenge(message, server)
  }

  // MARK: both

  /// Whom a name means; nil when that cannot be found out, which is said then. A name that nobody has costs the same as
  /// anybody's.
  private func find(_ given: Bytes, _ server: Server) -> Candidate? {
    switch server.login(given, self) {
    case .account(let found): return Candidate(found.name, found, found.verifier)
    case .unknown:
      if let decoy = try? Verifier.decoy(for: given, key: server.decoyKey) {
        return Candidate(given, nil, decoy)
      }
      refuse(given, .temporary, "no randomness", server)
    case .temporarily: refuse(given, .temporary, "the accounts cannot be read in full", server)
    }
    return nil
  }

  private func succeed(_ name: Bytes, _ server: Server) {
    scram = nil
    server.guessing.succeeded(peer, name: name, now: server.seconds)
    welcome(name, server)
  }

  /// For a wrong password, or a wrong proof of it.
  private func refuse(_ name: Bytes, guess: Bytes?, _ server: Server) {
    refuse(name, .wrong, "wrong password", server)
    server.guessed(self, name: name, guess: guess)
  }

  private func refuse(_ name: Bytes, _ refusal: Refusal, _ reason: StaticString, _ server: Server) {
    scram = nil
    // People type passwords where the name goes: one that nobody has is not told.
    let isKnown = server.directory.account(named: name) != nil
    server.record(
      .loginRefused(
        service, name: isKnown ? name : [],
        reason: isKnown || refusal != .wrong ? reason : "no account has the name given", peer: peer, tls: tlsVersion))
    turnAway(refusal, server)
  }
}
