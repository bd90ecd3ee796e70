import System
import Wire

/// How many connections one service has, in all and from each network, and how many have come lately.
public struct ConnectionCounts {
  public enum Refusal: Equatable, Sendable {
    case inAll, fromAddress, tooOften
  }

  /// Connections at one time.
  var maximum: Int
  var maximumPerAddress: Int
  /// Connections of one network in a minute.
  let perMinute: Int
  /// Whether loopback has no limit of its own.
  let excusesLoopback: Bool

  /// Connections now.
  private(set) var count = 0
  private var perAddress: [UInt64: Int] = [:]
  /// Who has come in this minute, how often.
  private var arrivals: [UInt64: Int] = [:]
  private var minute = Int64.min

  init(maximum: Int, maximumPerAddress: Int, perMinute: Int = .max, excusesLoopback: Bool) {
    self.maximum = maximum
    self.maximumPerAddress = maximumPerAddress
    self.perMinute = perMinute
    self.excusesLoopback = excusesLoopback
  }

  /// Notes that `peer` comes at `now`, in seconds; false if it does that too often to be listened to.
  mutating func arrives(_ peer: SocketAddress, now: Int64) -> Bool {
    if peer.isThisMachine { return true }
    if now / 60 != minute {
      minute = now / 60
      arrivals.removeAll(keepingCapacity: false)
    }
    let source = peer.network
    // With so many strangers it is not any one of them that comes too often.
    guard let others = arrivals[source] ?? (arrivals.count < Limits.arrivals ? 0 : nil) else { return true }
    arrivals[source] = others + 1
    return others < perMinute
  }

  /// Counts a connection in; nil if it may stay, and only then it is counted.
  mutating func admit(_ peer: SocketAddress) -> Refusal? {
    let source = peer.network
    let others = perAddress[source] ?? 0
    if others >= maximumPerAddress, !(excusesLoopback && peer.isLoopback) { return .fromAddress }
    if count >= maximum { return .inAll }
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
