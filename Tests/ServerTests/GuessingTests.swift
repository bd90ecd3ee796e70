import System
import Testing
import Wire

@testable import Server

private func address(_ text: String) -> SocketAddress { SocketAddress(Bytes(text.utf8), port: 1)! }
private func number(_ number: Int) -> SocketAddress { address("198.51.\(number / 256).\(number % 256)") }
private let office = address("192.0.2.1")
private let stranger = address("203.0.113.7")
private let anna = Bytes("anna")
private let bert = Bytes("bert")

@Suite("Guessing of passwords")
final class GuessingTests {
  var guessing = Guessing(key: Bytes("0123456789abcdef"))

  /// So many different wrong passwords; says for how long the last one led to a ban.
  @discardableResult
  func guess(_ count: Int, _ peer: SocketAddress, _ name: Bytes = anna, from first: Int = 0, now: Int64 = 0)
    -> Int64?
  {
    var ban: Int64?
    for index in first..<first + count {
      if case .banned(let seconds) = guessing.failed(peer, name: name, guess: Bytes("guess\(index)".utf8), now: now) {
        ban = seconds
      }
    }
    return ban
  }

  func verdict(_ peer: SocketAddress, _ name: Bytes = anna, now: Int64 = 0) -> Guessing.Verdict {
    guessing.verdict(for: peer, name: name, now: now)
  }

  func lift(_ peer: SocketAddress) -> Bool { guessing.lift(peer.network, now: 0) }

  @Test("each wrong guess doubles the wait before the next password, up to the longest")
  func growing() {
    #expect(verdict(stranger) == .go)
    for (count, wait) in [1, 2, 4, 8, Limits.guessDelay, Limits.guessDelay].enumerated() {
      guess(1, stranger, from: 100 * count)
      #expect(verdict(stranger) == .wait(wait))
    }
    #expect(verdict(stranger, now: Limits.guessWindow) == .go)
  }

  @Test("the wait is for any name from that address, and for that name from any strange address")
  func both() {
    guess(3, stranger)
    #expect(verdict(stranger, bert) == .wait(4))
    #expect(verdict(office, anna) == .wait(4))
    #expect(verdict(office, bert) == .go)
  }

  @Test("a name that nobody has is slowed as one that somebody has")
  func unknown() {
    guess(3, stranger, Bytes("nobody"))
    #expect(verdict(office, Bytes("nobody")) == .wait(4))
    #expect(verdict(stranger, Bytes("nobody")) == .wait(4))
  }

  @Test("who has lately logged in from there is not slowed by others' guesses at the account, nor by a neighbour's")
  func acquaintance() {
    guessing.succeeded(office, name: anna, now: 0)
    guess(10, stranger, anna)
    guess(10, office, bert)
    #expect(verdict(office, anna) == .go)
    #expect(verdict(office, Bytes("carl")) == .wait(Limits.guessDelay))
  }

  @Test("a neighbour who guesses at an acquaintance's account is slowed, until the right password comes")
  func neighbour() {
    guessing.succeeded(office, name: anna, now: 0)
    guess(3, office, anna)
    #expect(verdict(office, anna) == .wait(4))
    guessing.succeeded(office, name: anna, now: 1)
    #expect(verdict(office, anna) == .go)
  }

  @Test("many different guesses ban the address, and nobody else")
  func ban() {
    #expect(guess(Limits.guesses - 1, stranger) == nil)
    #expect(guess(2, stranger, from: 1000) == Limits.ban)
    #expect(verdict(stranger, bert) == .banned(Limits.ban))
    #expect(guessing.ban(of: stranger, now: 5) == Limits.ban - 5)
    // The account is slow for strangers, never locked.
    #expect(verdict(office, anna) == .wait(Limits.guessDelay))
    #expect(verdict(office, bert) == .go)
  }

  @Test("one wrong password that a mail program tries each minute never bans the office around it")
  func sameGuess() {
    for minute in 0..<1000 {
      let now = Int64(minute * 60)
      let consequence = guessing.failed(office, name: anna, guess: Bytes("old"), now: now)
      #expect(consequence == .none)
      #expect(guessing.verdict(for: office, name: anna, now: now) == .wait(1))
    }
  }

  @Test("nor does a wrong proof of one (SCRAM); many in a row do")
  func proofs() {
    for minute in 0..<1000 {
      #expect(guessing.failed(office, name: anna, guess: nil, now: Int64(minute * 60)) == .none)
    }
    var ban: Guessing.Consequence = .none
    for _ in 0...Limits.guesses where ban == .none { ban = guessing.failed(stranger, name: bert, guess: nil, now: 0) }
    #expect(ban == .banned(Limits.ban))
  }

  @Test("an address that somebody has logged in from is given more guesses")
  func trusted() {
    guessing.succeeded(office, name: anna, now: 0)
    #expect(guess(Limits.guesses * 3, office, bert) == nil)
    #expect(guess(Limits.guessesOfAcquaintances * 2, office, bert, from: 1000) != nil)
  }

  @Test("a ban ends; the next one is twice as long, up to the longest; a quiet time forgets them")
  func growingBans() {
    var now: Int64 = 0
    var wanted = Limits.ban
    for round in 0..<10 {
      #expect(guess(Limits.guesses + 5, stranger, from: round * 1000, now: now) == wanted)
      now += wanted
      #expect(verdict(stranger, now: now - 1) == .banned(1))
      #expect(guessing.ban(of: stranger, now: now) == nil)
      wanted = min(wanted * 2, Limits.longestBan)
    }
    now += Limits.longestBan
    #expect(guess(Limits.guesses + 5, stranger, now: now) == Limits.ban)
  }

  @Test("this machine's own addresses are slowed, but not banned")
  func thisMachine() {
    for peer in [address("127.0.0.1"), address("::1")] {
      #expect(guess(500, peer) == nil)
      #expect(verdict(peer) == .wait(Limits.guessDelay))
    }
    #expect(guess(Limits.guesses + 5, address("127.0.0.2")) != nil)
  }

  @Test("an IPv6 network of 64 bits is one guesser")
  func network() {
    guess(Limits.guesses / 2, address("2001:db8::1"))
    #expect(guess(Limits.guesses, address("2001:db8::ffff:2"), from: 1000) != nil)
    #expect(guessing.ban(of: address("2001:db8::3"), now: 0) != nil)
    #expect(guessing.ban(of: address("2001:db8:0:1::3"), now: 0) == nil)
  }

  @Test("a flood of other guessers does not free a banned one, and memory stays bounded")
  func flood() {
    guess(Limits.guesses + 5, stranger)
    guess(4, address("203.0.113.8"))
    for index in 0..<3 * Limits.guessers { guess(1, number(index), Bytes("name\(index)".utf8)) }
    #expect(guessing.ban(of: stranger, now: 0) != nil)
    #expect(verdict(address("203.0.113.8"), bert) == .wait(8))
    #expect(guessing.bans(now: 0).count == 1)
    // And an account that is guessed at in earnest is not forgotten for names that are made up.
    #expect(verdict(address("203.0.113.99"), anna) == .wait(Limits.guessDelay))
  }

  @Test("a table holds no more than its limit")
  func bounded() {
    var table = GuessingTable(limit: 8)
    for key in 0..<100 { _ = table.note(UInt64(key), thing: 1, now: Int64(key)) }
    #expect(table.entries.count == 8)
  }

  @Test("a flood of logins pushes out the oldest acquaintance, not the newest")
  func acquaintances() {
    for index in 0...Limits.acquaintances { guessing.succeeded(number(index), name: anna, now: Int64(index)) }
    guess(1, stranger)
    let now = Int64(Limits.acquaintances)
    #expect(verdict(number(0), now: now) == .wait(1))
    #expect(verdict(number(1), now: now) == .go)
    #expect(verdict(number(Limits.acquaintances), now: now) == .go)
    #expect(verdict(number(1), now: now + Limits.acquaintance) == .go, "the wrong guess is forgotten, too")
  }

  @Test("a ban can be lifted, and what led to it is forgotten")
  func lifted() {
    guess(Limits.guesses + 5, stranger)
    #expect(guessing.bans(now: 0).map(\.network) == [stranger.network])
    #expect(lift(stranger))
    #expect(!lift(stranger))
    #expect(verdict(stranger, bert) == .go)
    #expect(guessing.bans(now: 0).isEmpty)
  }
}

@Suite("Networks of peers")
struct PeerNetworkTests {
  @Test(
    "a network is written as it is read",
    arguments: [("192.0.2.1", "192.0.2.1"), ("2001:db8:0:1::7", "2001:db8:0:1::/64"), ("fe80::1", "fe80:0:0:0::/64")])
  func text(given: String, wanted: String) {
    var text = Bytes()
    SocketAddress.append(network: address(given).network, to: &text)
    #expect(text.text == wanted)
    #expect(SocketAddress.network(text) == address(given).network)
  }

  @Test("what is no address is no network")
  func nonsense() {
    #expect(SocketAddress.network(Bytes("office")) == nil)
    #expect(SocketAddress.network([]) == nil)
  }
}
