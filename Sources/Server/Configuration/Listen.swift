import System
import Wire

/// Where to listen.
public enum Listen: Equatable, Sendable {
  /// This port on every address of the device, IPv4 and IPv6. A kernel without one of the two is no error.
  case port(UInt16)
  /// One address and port.
  case address(SocketAddress)

  /// Reads `25`, `192.0.2.1:25` or `[2001:db8::1]:25`. Port 0 is one that the kernel picks.
  public init?(_ text: Bytes) {
    guard let colon = text.lastIndex(of: 0x3A) else {
      guard let port = Listen.port(text[...]) else { return nil }
      self = .port(port)
      return
    }
    guard let port = Listen.port(text[(colon + 1)...]) else { return nil }
    var host = Bytes(text[..<colon])
    let isBracketed = host.first == 0x5B && host.last == 0x5D
    if isBracketed { host = Bytes(host.dropFirst().dropLast()) }
    guard let address = SocketAddress(host, port: port), address.family == (isBracketed ? .ipv6 : .ipv4) else {
      return nil
    }
    self = .address(address)
  }

  private static func port(_ text: ArraySlice<UInt8>) -> UInt16? {
    guard text.count <= 5, let number = Bytes(text).span.decimal else { return nil }
    return UInt16(exactly: number)
  }

  public var port: UInt16 {
    switch self {
    case .port(let port): port
    case .address(let address): address.port
    }
  }

  /// Whether the kernel would refuse to have both.
  func overlaps(_ other: Listen) -> Bool {
    guard port == other.port, port != 0 else { return false }
    guard case .address(let mine) = self, case .address(let its) = other else { return true }
    return mine.family == its.family && (mine.octets == its.octets || mine.isAny || its.isAny)
  }

  /// As `init` reads it.
  public var text: Bytes {
    switch self {
    case .port(let port):
      var text = Bytes()
      text.append(decimal: Int(port))
      return text
    case .address(let address): return address.textWithPort
    }
  }
}

extension SocketAddress {
  /// Whether it stands for all addresses of its family.
  fileprivate var isAny: Bool { octets.allSatisfy { $0 == 0 } }
}
