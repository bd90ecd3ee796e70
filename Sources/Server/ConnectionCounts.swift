import System
import Wire

/// How many connections one service has, in all and from each address.
struct ConnectionCounts {
  enum Refusal: Equatable, Sendable {
    case inAll, fromAddress
  }

  /// Connections at one time.
  var maximum: Int
  var maximumPerAddress: Int
  /// Whether loopback has no limit of its own.
  var excusesLoopback: Bool

  /// Connections now.
  private(set) var count = 0
  private var perAddress: [UInt64: Int] = [:]

  init(maximum: Int, maximumPerAddress: Int, excusesLoopback: Bool) {
    self.maximum = maximum
    self.maximumPerAddress = maximumPerAddress
    self.excusesLoopback = excusesLoopback
  }

  /// Counts a connection in; nil if it may stay, and only then it is counted.
  mutating func admit(_ peer: SocketAddress) -> Refusal? {
    if count >= maximum { return .inAll }
    let source = peer.network
    let others = perAddress[source] ?? 0
    if others >= maximumPerAddress, !(excusesLoopback && peer.isLoopback) { return .fromAddress }
    count += 1
    perAddress[source] = others + 1
    return nil
  }

  /// Counts a connection out that was counted in.
  mutating func release(_ peer: SocketAddress) {
    let source = peer.network
    guard let others = perAddress[source] else { return }
    count -= 1
    perAddress[source] = others > 1 ? others - 1 : nil
  }
}
