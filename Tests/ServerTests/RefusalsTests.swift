import System
import Testing
import Wire

@testable import Server

@Suite("Who was turned away lately")
struct RefusalsTests {
  private let peer = SocketAddress(Bytes("192.0.2.7"), port: 0)!

  private func recipient(_ name: StaticString) -> JournalEvent {
    .recipientRefused(recipient: Bytes(name), reason: "nobody here has this name", from: [], peer: peer)
  }

  @Test("the latest comes first, with its time and the journal's words")
  func latest() {
    var refusals = Refusals()
    refusals.note(recipient("a@b.example"), now: 1_700_000_000)
    refusals.note(.messageRefused(reply: Bytes("552 too large"), from: [], peer: peer), now: 1_700_000_001)
    let lines = refusals.lines
    #expect(lines.count == 2)
    #expect(lines[0] == Bytes("1700000001 1 refused message: 552 too large from=<> peer=192.0.2.7"))
    #expect(lines[1].hasPrefix("1700000000 1 refused recipient <a@b.example>: nobody"))
  }

  @Test("the same one again is counted, and hides nobody")
  func counted() {
    var refusals = Refusals()
    refusals.note(recipient("a@b.example"), now: 1)
    for time in 2...1000 { refusals.note(recipient("loud@b.example"), now: Int64(time)) }
    #expect(refusals.lines.count == 2)
    #expect(refusals.lines[0].hasPrefix("1000 999 "))
  }

  @Test("there are ten at most; the oldest goes")
  func bounded() {
    var refusals = Refusals()
    for number in 0..<50 {
      var name = Bytes("n")
      name.append(decimal: number)
      refusals.note(.recipientRefused(recipient: name, reason: "x", from: [], peer: peer), now: Int64(number))
    }
    #expect(refusals.lines.count == 10)
    #expect(refusals.lines[9].hasPrefix("40 "))
  }

  @Test("what is no refusal is not among them")
  func others() {
    var refusals = Refusals()
    refusals.note(.login(.pop3, name: Bytes("anna"), peer: peer, tls: []), now: 1)
    refusals.note(.reloaded, now: 1)
    refusals.note(.timedOut(.smtp, awaited: "x", peer: peer), now: 1)
    #expect(refusals.lines.isEmpty)
  }

  @Test("every kind of refusal is one")
  func kinds() {
    var refusals = Refusals()
    let events: [JournalEvent] = [
      recipient("a@b.example"), .messageRefused(reply: [], from: [], peer: peer),
      .loginRefused(.pop3, name: [], reason: "x", peer: peer, tls: []), .banned(peer: peer, seconds: 1, .pop3),
      .tooManyConnections(.smtp, .inAll, limit: 1, peer: peer), .tlsFailed(.pop3, why: [], peer: peer),
    ]
    for event in events { refusals.note(event, now: 1) }
    #expect(refusals.lines.count == events.count)
  }
}
