import Wire

extension SocketAddress {
  /// Who counts as one: an IPv4 address, or an IPv6 network of 64 bits, since a single machine has all of those. The
  /// number is the IPv4 address or the network's half of the IPv6 one; no network that is in use begins with so many
  /// zeros that the two would meet.
  public var network: UInt64 {
    var bits: UInt64 = 0
    for octet in octets.prefix(8) { bits = bits << 8 | UInt64(octet) }
    return bits
  }

  /// Reads what ``append(network:to:)`` writes, or any address in it.
  public static func network(_ text: Bytes) -> UInt64? {
    SocketAddress(Bytes(text.prefix { $0 != 0x2F }), port: 0)?.network
  }

  /// Appends a ``network`` as people write it: `192.0.2.1`, `2001:db8:0:1::/64`.
  public static func append(network: UInt64, to text: inout Bytes) {
    let isIPv4 = network < 1 << 32
    for place in stride(from: isIPv4 ? 24 : 48, through: 0, by: isIPv4 ? -8 : -16) {
      let part = network >> UInt64(place)
      if isIPv4 {
        text.append(decimal: part & 0xFF)
        if place > 0 { text += "." }
      } else {
        text.append(hexadecimal: part & 0xFFFF)
        text += ":"
      }
    }
    if !isIPv4 { text += ":/64" }
  }

  /// 127.0.0.1 or ::1: by which programs on this machine talk to each other, unless they choose otherwise.
  public var isThisMachine: Bool {
    switch family {
    case .unix: true
    case .ipv4: network == 0x7F00_0001
    case .ipv6: isLoopback
    }
  }
}
