import System
import Wire

/// One key of restante.conf(5): where it stands, what it takes, and what it sets.
struct ConfigurationKey {
  enum Kind {
    /// The last assignment counts. The closure returns false for a value it does not take.
    case one((Bytes, inout Configuration) -> Bool)
    /// Assignments and the words in them add up. With `takesNo`, the word no alone is an empty list.
    case list(takesNo: Bool, clear: (inout Configuration) -> Void, add: (Bytes, inout Configuration) -> Bool)
  }

  let section: StaticString
  let name: StaticString
  /// What is accepted, to end "…; give".
  let accepted: Bytes
  let kind: Kind

  static let sections: [StaticString] = ["Device", "SMTP", "POP3", "TLS", "Spool"]

  /// All keys there are. Each line is the key, the values it takes, and the field it sets.
  static func all() -> [ConfigurationKey] {
    [
      one("Device", "HostName", "a host name such as mail.office.example") { domain($0, &$1.device.hostName) },
      list(
        "Device", "Domains", "domains such as office.example, with spaces between them",
        { $0.device.domains = [] }, { addDomain($0, &$1.device.domains) }),
      one("Device", "StateDirectory", absolutePath) { path($0, &$1.device.stateDirectory) },
      one("Device", "Aliases", absolutePath) { path($0, &$1.device.aliases) },

      listeners("SMTP", "Listen") { $1(&$0.smtp.listen) },
      listeners("SMTP", "ListenTLS") { $1(&$0.smtp.listenTLS) },
      size("SMTP", "MaximumMessageSize", 64 << 10...1 << 30) { $1.smtp.maximumMessageSize = Int($0) },
      count("SMTP", "MaximumConnections", 1...10_000) { $1.smtp.maximumConnections = $0 },
      count("SMTP", "MaximumConnectionsPerAddress", 1...10_000) { $1.smtp.maximumConnectionsPerAddress = $0 },
      // RFC 5321 §4.5.3.1.8 sets the lower end.
      count("SMTP", "MaximumRecipients", 100...Limits.recipients) { $1.smtp.maximumRecipients = $0 },
      one("SMTP", "BareNewline", "reject or normalize") { word, configuration in
        if word.equals("reject") {
          configuration.smtp.bareNewline = .reject
        } else if word.equals("normalize") {
          configuration.smtp.bareNewline = .normalize
        } else {
          return false
        }
        return true
      },
      list(
        "SMTP", "NormalizeFrom", "networks such as 192.168.1.0/24 or fd00::/8, with spaces between them",
        { $0.smtp.normalizeFrom = [] }, { network($0, &$1.smtp.normalizeFrom) }),
      duration("SMTP", "GreetingDelay", 0...30, "0 to 30s") { $1.smtp.greetingDelay = $0 },
      one("SMTP", "EnforceSender", "yes or no") { yesOrNo($0, &$1.smtp.enforceSender) },

      listeners("POP3", "Listen") { $1(&$0.pop3.listen) },
      listeners("POP3", "ListenTLS") { $1(&$0.pop3.listenTLS) },
      one("POP3", "RequireTLS", "yes or no") { yesOrNo($0, &$1.pop3.requireTLS) },
      count("POP3", "MaximumConnections", 1...10_000) { $1.pop3.maximumConnections = $0 },
      count("POP3", "MaximumConnectionsPerAddress", 1...10_000) { $1.pop3.maximumConnectionsPerAddress = $0 },
      duration("POP3", "LoginDelay", 0...86_400, "0 to 1d") { $1.pop3.loginDelay = $0 },

      one("TLS", "Certificate", absolutePath) { optionalPath($0, &$1.tls.certificate) },
      one("TLS", "PrivateKey", absolutePath) { optionalPath($0, &$1.tls.privateKey) },
      one("TLS", "MinimumProtocol", "1.2 or 1.3, or 1.0 or 1.1 for the networks of LegacyTLSFrom= alone") {
        guard $0.count == 3, $0[0] == 0x31, $0[1] == ASCII.dot,
          let version = TLSVersion(rawValue: 0x0301 + Int32($0[2]) - 0x30)
        else { return false }
        $1.tls.minimumProtocol = version
        return true
      },
      list(
        "TLS", "LegacyTLSFrom", "networks such as 192.168.1.0/24 or fd00::/8, with spaces between them",
        { $0.tls.legacyFrom = [] }, { network($0, &$1.tls.legacyFrom) }),

      one("Spool", "Quota", "a size such as 1G, from 1M, or none") { word, configuration in
        if word.equals("none") {
          configuration.spool.quota = nil
          return true
        }
        guard let size = Quantity.size(word.span), size >= 1 << 20 else { return false }
        configuration.spool.quota = size
        return true
      },
      duration("Spool", "KeepDeleted", 0...3650 * 86_400, "0 to 10y") { $1.spool.keepDeleted = $0 },
      one("Spool", "KeepFree", "a part such as 10%, up to 90%, or a size such as 500M") { word, configuration in
        if word.last == 0x25 {
          guard let percent = Bytes(word.dropLast()).span.decimal, percent <= 90 else { return false }
          configuration.spool.keepFree = .percent(Int(percent))
          return true
        }
        guard let size = Quantity.size(word.span) else { return false }
        configuration.spool.keepFree = .octets(size)
        return true
      },
      one("Spool", "ExpireAfter", "never, or a time such as 30d or 1y, from 1s to 100y") { word, configuration in
        if word.equals("never") {
          configuration.spool.expireAfter = nil
          return true
        }
        guard let time = Quantity.duration(word.span), (1...36_500 * 86_400).contains(time) else { return false }
        configuration.spool.expireAfter = time
        return true
      },
    ]
  }

  // MARK: kinds of keys

  private static let absolutePath: StaticString = "a path that begins with /"

  private static func one(
    _ section: StaticString, _ name: StaticString, _ accepted: StaticString,
    _ set: @escaping (Bytes, inout Configuration) -> Bool
  ) -> ConfigurationKey {
    ConfigurationKey(section: section, name: name, accepted: Bytes(accepted), kind: .one(set))
  }

  private static func list(
    _ section: StaticString, _ name: StaticString, _ accepted: StaticString,
    _ clear: @escaping (inout Configuration) -> Void, _ add: @escaping (Bytes, inout Configuration) -> Bool
  ) -> ConfigurationKey {
    ConfigurationKey(
      section: section, name: name, accepted: Bytes(accepted), kind: .list(takesNo: false, clear: clear, add: add))
  }

  private static func listeners(
    _ section: StaticString, _ name: StaticString,
    _ field: @escaping (inout Configuration, (inout [Listen]) -> Void) -> Void
  ) -> ConfigurationKey {
    ConfigurationKey(
      section: section, name: name,
      accepted: Bytes("PORT, ADDRESS:PORT or [IPV6]:PORT, with spaces between several, or no for none"),
      kind: .list(
        takesNo: true,
        clear: { field(&$0) { $0 = [] } },
        add: { word, configuration in
          guard let listener = Listen(word) else { return false }
          field(&configuration) { if !$0.contains(listener) { $0.append(listener) } }
          return true
        }))
  }

  private static func count(
    _ section: StaticString, _ name: StaticString, _ range: ClosedRange<Int>,
    _ set: @escaping (Int, inout Configuration) -> Void
  ) -> ConfigurationKey {
    var accepted = Bytes("a number from ")
    accepted.append(decimal: range.lowerBound)
    accepted += " to "
    accepted.append(decimal: range.upperBound)
    return ConfigurationKey(
      section: section, name: name, accepted: accepted,
      kind: .one { word, configuration in
        guard let number = word.span.decimal, let count = Int(exactly: number), range.contains(count) else {
          return false
        }
        set(count, &configuration)
        return true
      })
  }

  private static func size(
    _ section: StaticString, _ name: StaticString, _ range: ClosedRange<Int64>,
    _ set: @escaping (Int64, inout Configuration) -> Void
  ) -> ConfigurationKey {
    var accepted = Bytes("octets, or a size with K, M or G, from ")
    accepted.append(size: range.lowerBound)
    accepted += " to "
    accepted.append(size: range.upperBound)
    return ConfigurationKey(
      section: section, name: name, accepted: accepted,
      kind: .one { word, configuration in
        guard let size = Quantity.size(word.span), range.contains(size) else { return false }
        set(size, &configuration)
        return true
      })
  }

  private static func duration(
    _ section: StaticString, _ name: StaticString, _ range: ClosedRange<Int64>, _ shown: StaticString,
    _ set: @escaping (Int64, inout Configuration) -> Void
  ) -> ConfigurationKey {
    ConfigurationKey(
      section: section, name: name,
      accepted: Bytes("a time with its unit, such as 30s, 10min, 12h, 7d, 2w or 1y, from ") + Bytes(shown),
      kind: .one { word, configuration in
        guard let time = Quantity.duration(word.span), range.contains(time) else { return false }
        set(time, &configuration)
        return true
      })
  }

  // MARK: values

  private static func yesOrNo(_ word: Bytes, _ field: inout Bool) -> Bool {
    let word = word.span
    if word.equalsIgnoringCase("yes") || word.equalsIgnoringCase("true") || word.equalsIgnoringCase("on")
      || word.equals("1")
    {
      field = true
    } else if word.equalsIgnoringCase("no") || word.equalsIgnoringCase("false") || word.equalsIgnoringCase("off")
      || word.equals("0")
    {
      field = false
    } else {
      return false
    }
    return true
  }

  private static func path(_ word: Bytes, _ field: inout Path) -> Bool {
    guard word.first == 0x2F else { return false }
    field = Path(word)
    return true
  }

  private static func optionalPath(_ word: Bytes, _ field: inout Path?) -> Bool {
    guard word.first == 0x2F else { return false }
    field = Path(word)
    return true
  }

  private static func domain(_ word: Bytes, _ field: inout Bytes) -> Bool {
    guard let domain = DomainName.lowered(word) else { return false }
    field = domain
    return true
  }

  private static func addDomain(_ word: Bytes, _ field: inout [Bytes]) -> Bool {
    guard let domain = DomainName.lowered(word) else { return false }
    if !field.contains(domain) { field.append(domain) }
    return true
  }

  private static func network(_ word: Bytes, _ field: inout [Network]) -> Bool {
    guard let network = Network(word) else { return false }
    field.append(network)
    return true
  }
}
