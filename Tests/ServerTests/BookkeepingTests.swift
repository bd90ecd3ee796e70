import System
import Testing
import Wire

@testable import Server

private func address(_ text: StaticString) -> SocketAddress { SocketAddress(Bytes(text), port: 1)! }

@Suite("How many may come")
struct ConnectionCountsTests {
  @Test("one address has no more than its share, and others come in all the same")
  func perAddress() {
    var counts = ConnectionCounts(maximum: 10, maximumPerAddress: 2, excusesLoopback: false)
    #expect(counts.admit(address("192.0.2.1")) == nil)
    #expect(counts.admit(address("192.0.2.1")) == nil)
    #expect(counts.admit(address("192.0.2.1")) == .fromAddress)
    #expect(counts.admit(address("192.0.2.2")) == nil)
    counts.release(address("192.0.2.1"))
    #expect(counts.admit(address("192.0.2.1")) == nil)
    #expect(counts.count == 3)
  }

  @Test("all together have no more than there is room for")
  func inAll() {
    var counts = ConnectionCounts(maximum: 2, maximumPerAddress: 2, excusesLoopback: true)
    #expect(counts.admit(address("127.0.0.1")) == nil)
    #expect(counts.admit(address("::1")) == nil)
    #expect(counts.admit(address("127.0.0.1")) == .inAll)
    counts.release(address("::1"))
    #expect(counts.admit(address("192.0.2.1")) == nil)
  }

  @Test("an IPv6 network of 64 bits counts as one; IPv4 addresses that begin alike do not")
  func networks() {
    var counts = ConnectionCounts(maximum: 10, maximumPerAddress: 1, excusesLoopback: false)
    #expect(counts.admit(address("2001:db8::1")) == nil)
    #expect(counts.admit(address("2001:db8::2:1")) == .fromAddress)
    #expect(counts.admit(address("2001:db8:0:1::1")) == nil)
    #expect(counts.admit(address("192.0.2.1")) == nil)
    #expect(counts.admit(address("192.0.2.2")) == nil)
  }

  @Test("loopback is excused where that is so, and there alone")
  func loopback() {
    var counts = ConnectionCounts(maximum: 10, maximumPerAddress: 1, excusesLoopback: true)
    for _ in 0..<5 { #expect(counts.admit(address("127.0.0.1")) == nil) }
    #expect(counts.admit(address("192.0.2.1")) == nil)
    #expect(counts.admit(address("192.0.2.1")) == .fromAddress)
  }

  @Test("who comes too often in a minute is refused, the next minute not, and others not at all")
  func arrivals() {
    var counts = ConnectionCounts(maximum: 10, maximumPerAddress: 10, perMinute: 3, excusesLoopback: true)
    func arrives(_ text: StaticString, _ now: Int64) -> Bool { counts.arrives(address(text), now: now) }
    for _ in 0..<3 { #expect(arrives("192.0.2.1", 60)) }
    #expect(!arrives("192.0.2.1", 119))
    #expect(arrives("192.0.2.2", 119))
    #expect(arrives("192.0.2.1", 120))
    for _ in 0..<9 { #expect(arrives("127.0.0.1", 120)) }
  }

  @Test("a flood of addresses is not remembered one by one")
  func manyArrivals() {
    var counts = ConnectionCounts(maximum: 10, maximumPerAddress: 10, perMinute: 1, excusesLoopback: true)
    for number in 0..<Limits.arrivals + 100 {
      let peer = SocketAddress(Bytes("198.51.\(number / 256).\(number % 256)".utf8), port: 1)!
      _ = counts.arrives(peer, now: 0)
    }
    let first = counts.arrives(address("198.51.0.0"), now: 0)
    let late = counts.arrives(address("198.51.4.1"), now: 0)
    #expect(!first && late)
  }

  @Test("an address over its share is told so before anybody's place is given away for it")
  func shareFirst() {
    var counts = ConnectionCounts(maximum: 1, maximumPerAddress: 1, excusesLoopback: false)
    #expect(counts.admit(address("192.0.2.1")) == nil)
    #expect(counts.admit(address("192.0.2.1")) == .fromAddress)
    #expect(counts.admit(address("192.0.2.2")) == .inAll)
  }

  @Test("releasing a stranger changes nothing")
  func stranger() {
    var counts = ConnectionCounts(maximum: 10, maximumPerAddress: 1, excusesLoopback: true)
    counts.release(address("192.0.2.9"))
    #expect(counts.count == 0)
  }
}

@Suite("Whom a message goes to")
struct MaildropSetTests {
  @Test("each maildrop is in it once, in order")
  func once() {
    var set = MaildropSet()
    for name in ["bert", "anna", "bert", "ann", "annab", "anna", "carl"] { set.insert(Bytes(name.utf8)) }
    #expect(set.names.map(\.text) == ["ann", "anna", "annab", "bert", "carl"])
  }
}
