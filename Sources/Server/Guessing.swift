import System
import Wire

/// Wrong passwords, who tried them and at whose account: makes guessing slow without ever locking an account.
///
/// After wrong guesses the next password from that network waits, and the next one for that account from wherever
/// nobody has lately logged in to it. After many different ones the network is banned for a time. A right password from
/// elsewhere always works. Names that nobody has are treated as accounts are, so that they look the same.
///
/// All of it is in memory alone, and bounded. Passwords are not kept, nor anything they could be told from.
///
/// This machine's own two addresses are slowed as others are, but never banned: a web mail program that serves all users
/// comes from there, and who guesses from there is in the house already.
struct Guessing {
  enum Verdict: Equatable {
    case go
    /// Seconds to wait before the password is looked at.
    case wait(Int)
    /// Seconds that the ban still lasts.
    case banned(Int64)
  }

  enum Consequence: Equatable {
    case none
    /// The network is banned from now on, for so many seconds.
    case banned(Int64)
  }

  /// A network that an account was logged in to from.
  private struct Acquaintance {
    let network: UInt64
    let name: UInt64
    var last: Int64
    /// Wrong guesses since.
    var failures: Int = 0
  }

  private let key: UInt64
  private var networks = GuessingTable(limit: Limits.guessers)
  private var names = GuessingTable(limit: Limits.guessedNames)
  private var acquaintances: [Acquaintance] = []
  /// Wrong proofs so far, to tell them apart by.
  private var proofs: UInt64 = 0

  /// `key` is a secret of this process, so that nobody can choose names and passwords that are taken for each other.
  init(key: Bytes) {
    var number: UInt64 = 0
    for octet in key.prefix(8) { number = number << 8 | UInt64(octet) }
    self.key = number
  }

  /// What to do about a password from `peer` for `name`, before it is looked at. `now` in seconds of a clock that only
  /// grows.
  func verdict(for peer: SocketAddress, name: Bytes, now: Int64) -> Verdict {
    // An office without wrong passwords does not pay for this.
    if networks.entries.isEmpty, names.entries.isEmpty { return .go }
    if let ban = ban(of: peer, now: now) { return .banned(ban) }
    let network = peer.network
    let name = hash(name, key)
    let failures: Int
    if let index = acquaintance(network, name, now: now) {
      failures = acquaintances[index].failures
    } else {
      failures = max(networks.count(network, now: now), names.count(name, now: now))
    }
    return failures == 0 ? .go : .wait(Self.delay(after: failures))
  }

  /// Seconds to wait after so many failures, one or more.
  static func delay(after failures: Int) -> Int { min(Limits.guessDelay, 1 << min(failures - 1, 6)) }

  /// A password was wrong, or the name was. `guess` is the password; nil where only a proof of it was sent, which never
  /// looks the same twice. Then one that comes as seldom as mail programs poll is taken for the one before.
  mutating func failed(_ peer: SocketAddress, name: Bytes, guess: Bytes?, now: Int64) -> Consequence {
    let network = peer.network
    let name = hash(name, key)
    let thing: UInt64
    if let guess {
      thing = hash(guess, name)
    } else {
      proofs &+= 1
      thing = hash([], names.idle(name, now: now) < Limits.guessApart ? proofs : name)
    }
    let (index, isNew) = networks.note(network, thing: thing, now: now)
    _ = names.note(name, thing: thing, now: now)
    guard isNew else { return .none }
    var limit = Limits.guesses
    for other in acquaintances.indices
    where acquaintances[other].network == network && now - acquaintances[other].last < Limits.acquaintance {
      limit = Limits.guessesOfAcquaintances
      if acquaintances[other].name == name { acquaintances[other].failures += 1 }
    }
    guard networks.entries[index].count >= limit, !peer.isThisMachine else { return .none }
    return .banned(networks.ban(index, now: now))
  }

  /// A password was right.
  mutating func succeeded(_ peer: SocketAddress, name: Bytes, now: Int64) {
    let fresh = Acquaintance(network: peer.network, name: hash(name, key), last: now)
    var place = acquaintances.count
    for index in acquaintances.indices {
      let other = acquaintances[index]
      if other.network == fresh.network, other.name == fresh.name {
        acquaintances[index] = fresh
        return
      }
      if acquaintances.count >= Limits.acquaintances,
        place == acquaintances.count || other.last < acquaintances[place].last
      {
        place = index
      }
    }
    if place == acquaintances.count { acquaintances.append(fresh) } else { acquaintances[place] = fresh }
  }

  // MARK: bans

  /// Seconds that a ban of the peer's network still lasts; nil if there is none.
  func ban(of peer: SocketAddress, now: Int64) -> Int64? {
    guard let index = networks.find(peer.network) else { return nil }
    let left = networks.entries[index].bannedUntil - now
    return left > 0 ? left : nil
  }

  /// All bans, as network and seconds left.
  func bans(now: Int64) -> [(network: UInt64, seconds: Int64)] {
    networks.entries.filter { $0.bannedUntil > now }.map { ($0.key, $0.bannedUntil - now) }
  }

  /// Ends a ban and forgets what led to it; false if there was none.
  mutating func lift(_ network: UInt64, now: Int64) -> Bool {
    guard let index = networks.find(network), networks.entries[index].bannedUntil > now else { return false }
    networks.lift(index)
    return true
  }

  // MARK: inside

  private func acquaintance(_ network: UInt64, _ name: UInt64, now: Int64) -> Int? {
    for index in acquaintances.indices
    where acquaintances[index].name == name && acquaintances[index].network == network {
      return now - acquaintances[index].last < Limits.acquaintance ? index : nil
    }
    return nil
  }

  /// Not for keeping secrets, only so that nobody can foresee what is taken for the same.
  func hash(_ octets: Bytes, _ seed: UInt64) -> UInt64 {
    var hash = seed
    for octet in octets {
      hash = (hash ^ UInt64(octet) ^ key) &* 0x9E37_79B9_7F4A_7C15
      hash ^= hash >> 29
    }
    hash = (hash ^ key) &* 0xBF58_476D_1CE4_E5B9
    return hash ^ hash >> 32
  }
}
