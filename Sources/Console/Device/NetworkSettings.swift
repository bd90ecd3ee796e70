import System
import Wire

/// How one interface gets its addresses, as a file of systemd-networkd.
struct NetworkSettings {
  var addresses: [Bytes] = []
  var gateways: [Bytes] = []
  var servers: [Bytes] = []

  /// Takes what was said; refuses what cannot be meant. A hyphen stands for nothing, and a value may be several.
  init(_ invocation: Invocation) throws(Failure) {
    addresses = try NetworkSettings.list(invocation, .address, "an address is said with its prefix: 192.0.2.10/24") {
      NetworkSettings.hasPrefix($0)
    }
    gateways = try NetworkSettings.list(invocation, .gateway, "a gateway is an address such as 192.0.2.1") {
      SocketAddress($0, port: 0) != nil
    }
    servers = try NetworkSettings.list(invocation, .dns, "a DNS server is an address such as 192.0.2.1") {
      SocketAddress($0, port: 0) != nil
    }
    if addresses.isEmpty { throw Failure(.usage, "say at least one --address, such as 192.0.2.10/24") }
  }

  private static func list(
    _ invocation: Invocation, _ option: Option, _ rule: StaticString, _ isRight: (Bytes) -> Bool
  ) throws(Failure) -> [Bytes] {
    var all: [Bytes] = []
    for value in invocation.values(option) {
      for word in value.split(whereSeparator: { $0 == ASCII.space || $0 == 0x2C }) where !Bytes(word).equals("-") {
        guard isRight(Bytes(word)) else {
          var text = Bytes()
          text.append(quoted: Bytes(word).span)
          text += " is none: "
          text += rule
          throw Failure(.usage, text)
        }
        all.append(Bytes(word))
      }
    }
    return all
  }

  /// Whether this is an address and the length of its prefix.
  private static func hasPrefix(_ text: Bytes) -> Bool {
    guard let slash = text.firstIndex(of: 0x2F), let address = SocketAddress(Bytes(text[..<slash]), port: 0) else {
      return false
    }
    let digits = Bytes(text[(slash + 1)...])
    guard let length = digits.span.decimal else { return false }
    return length >= 1 && length <= (address.family == .ipv4 ? 32 : 128)
  }

  private init() {}

  /// The file for an interface; without settings, for DHCP. A family that no fixed address was given for goes on as
  /// the network says.
  static func file(_ interface: Bytes, _ settings: NetworkSettings?) -> Bytes {
    var text = Bytes("# Written by `restante network`.\n[Match]\nName=")
    text += interface
    text += "\n\n[Network]\n"
    let settings = settings ?? NetworkSettings()
    let hasSix = settings.addresses.contains { $0.contains(0x3A) }
    let hasFour = settings.addresses.contains { !$0.contains(0x3A) }
    text += hasFour ? (hasSix ? "DHCP=no\n" : "DHCP=ipv6\n") : (hasSix ? "DHCP=ipv4\n" : "DHCP=yes\n")
    text += hasSix ? "IPv6AcceptRA=no\n" : "IPv6AcceptRA=yes\n"
    add("Address=", settings.addresses, &text)
    add("Gateway=", settings.gateways, &text)
    add("DNS=", settings.servers, &text)
    return text
  }

  private static func add(_ key: StaticString, _ values: [Bytes], _ text: inout Bytes) {
    for value in values {
      text += key
      text += value
      text += "\n"
    }
  }
}
