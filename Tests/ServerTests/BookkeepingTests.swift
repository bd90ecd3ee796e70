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
