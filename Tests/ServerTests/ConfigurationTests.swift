import System
import Testing
import Wire

@testable import Server

@Suite("The configuration")
struct ConfigurationTests {
  /// A directory with restante.conf and drop-ins, gone after the test.
  final class Place {
    let files = Files()
    let path: Path
    var file: Path { path.appending("restante.conf") }
    var dropIns: Path { path.appending("restante.conf.d") }

    init(_ text: String? = nil) throws {
      path = try Process.temporaryDirectory(in: Path("/tmp"), prefix: "restante-configuration-")
      if let text { try files.replace(file, with: Bytes(text.utf8)) }
    }

    func dropIn(_ name: String, _ text: String) throws {
      try files.ensureDirectory(dropIns)
      try files.replace(dropIns.appending(Bytes(name.utf8)), with: Bytes(text.utf8))
    }

    func load(_ files: Files? = nil) -> Configuration.Loaded {
      Configuration.load(file, files: files ?? self.files, stateDirectory: nil, hostName: Bytes("box"))
    }

    deinit {
      for directory in [dropIns, path] {
        for name in (try? files.list(directory)) ?? [] {
          try? files.remove(directory.appending(name))
          try? files.removeDirectory(directory.appending(name))
        }
        try? files.removeDirectory(directory)
      }
    }
  }

  /// What a file without a line says on a system named box.
  static let defaults = {
    var configuration = Configuration()
    configuration.device.hostName = Bytes("box")
    configuration.device.domains = [Bytes("box")]
    return configuration
  }()

  func load(_ text: String) throws -> Configuration.Loaded { try Place(text).load() }

  /// The configuration of a text without problems.
  func good(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> Configuration {
    let loaded = try load(text)
    for problem in loaded.problems {
      Issue.record("\(problem.description.text)", sourceLocation: sourceLocation)
    }
    return loaded.configuration
  }

  func address(_ text: String, _ port: UInt16) -> Listen {
    .address(SocketAddress(Bytes(text.utf8), port: port)!)
  }

  // MARK: what is taken

  @Test("every key sets its field")
  func everyKey() throws {
    let configuration = try good(
      """
      [Device]
      HostName=Mail.Office.Example
      Domains=office.example SHOP.example
      StateDirectory=/srv/restante
      Aliases=/srv/aliases
      [SMTP]
      Listen=25 127.0.0.1:2525
      ListenTLS=[2001:db8::1]:465
      MaximumMessageSize=10M
      MaximumConnections=7
      MaximumConnectionsPerAddress=3
      MaximumRecipients=200
      BareNewline=normalize
      NormalizeFrom=192.168.1.0/24 fd00::/8
      GreetingDelay=3s
      EnforceSender=yes
      [POP3]
      Listen=no
      ListenTLS=995
      RequireTLS=no
      MaximumConnections=8
      MaximumConnectionsPerAddress=4
      LoginDelay=5min
      [TLS]
      Certificate=/etc/cert.pem
      PrivateKey=/etc/key.pem
      MinimumProtocol=1.3
      LegacyTLSFrom=192.168.7.0/24
      [Spool]
      Quota=none
      KeepDeleted=12h
      KeepFree=500M
      ExpireAfter=1y
      """)
    var expected = Configuration()
    expected.device.hostName = Bytes("mail.office.example")
    expected.device.domains = [Bytes("office.example"), Bytes("shop.example")]
    expected.device.stateDirectory = Path("/srv/restante")
    expected.device.aliases = Path("/srv/aliases")
    expected.smtp.listen = [.port(25), address("127.0.0.1", 2525)]
    expected.smtp.listenTLS = [address("2001:db8::1", 465)]
    expected.smtp.maximumMessageSize = 10 << 20
    expected.smtp.maximumConnections = 7
    expected.smtp.maximumConnectionsPerAddress = 3
    expected.smtp.maximumRecipients = 200
    expected.smtp.bareNewline = .normalize
    expected.smtp.normalizeFrom = [Network(Bytes("192.168.1.0/24"))!, Network(Bytes("fd00::/8"))!]
    expected.smtp.greetingDelay = 3
    expected.smtp.enforceSender = true
    expected.pop3.listen = []
    expected.pop3.listenTLS = [.port(995)]
    expected.pop3.requireTLS = false
    expected.pop3.maximumConnections = 8
    expected.pop3.maximumConnectionsPerAddress = 4
    expected.pop3.loginDelay = 300
    expected.tls.certificate = Path("/etc/cert.pem")
    expected.tls.privateKey = Path("/etc/key.pem")
    expected.tls.minimumProtocol = .tls13
    expected.tls.legacyFrom = [try #require(Network(Bytes("192.168.7.0/24")))]
    expected.spool.quota = nil
    expected.spool.keepDeleted = 43200
    expected.spool.keepFree = .octets(500 << 20)
    expected.spool.expireAfter = 365 * 86400
    #expect(configuration == expected)
  }

  @Test("without a file all is as the defaults say; one that is named must be there")
  func missing() throws {
    let place = try Place()
    let loaded = place.load()
    #expect(loaded.configuration == Self.defaults)
    #expect(loaded.problems.map(\.file) == [place.file] && loaded.files.isEmpty)
    #expect(loaded.problems.first?.description.text.hasSuffix("No such file or directory") == true)
    var loader = ConfigurationLoader(place.files, hostName: Bytes("box"))
    loader.read(place.file, mayBeMissing: true)
    loader.finish(stateDirectory: nil)
    #expect(loader.loaded.configuration == Self.defaults && loader.loaded.problems.isEmpty)
  }

  @Test("the example parses, shows every key once with its default, and so does the manual")
  func example() throws {
    let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
    let files = Files()
    let text = try files.contents(Path(Bytes((root + "/systemd/restante.conf").utf8)), limit: 1 << 20).text
    #expect(try good(text) == Self.defaults)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var section = ""
    var shown: [String] = []
    let assigned = lines.map { line -> String in
      if line.hasPrefix("[") { section = String(line) }
      guard line.hasPrefix("#"), let equals = line.firstIndex(of: "="), !line[..<equals].contains(" ") else {
        return String(line)
      }
      shown.append(section + String(line[line.index(after: line.startIndex)..<equals]))
      return String(line.dropFirst())
    }
    #expect(try good(assigned.joined(separator: "\n")) == Self.defaults)
    let keys = ConfigurationKey.all().map { "[" + Bytes($0.section).text + "]" + Bytes($0.name).text }
    #expect(shown.sorted() == keys.sorted())
    let manual = try files.contents(Path(Bytes((root + "/systemd/restante.conf.5").utf8)), limit: 1 << 20).text
    for key in ConfigurationKey.all() { #expect(manual.contains("\n.It Li \(Bytes(key.name).text)= Ns ")) }
  }

  @Test("comments, blank lines, spaces, other line ends, a byte order mark and lines that go on are understood")
  func syntax() throws {
    let text = """
      # comment
      ; another
        # indented

      [SMTP]   # a comment behind
        MaximumConnections = 7\t
      Listen=25 \\
      # within
        2525 \\

      [POP3]
      Listen=              # default
      [Spool]
      Quota=2G # behind
      """
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for variant in [text, text + "\n", lines.joined(separator: "\r\n"), "\u{FEFF}" + text] {
      let configuration = try good(variant)
      #expect(configuration.smtp.maximumConnections == 7)
      #expect(configuration.smtp.listen == [.port(25), .port(2525)])
      #expect(configuration.pop3.listen == [.port(110)])
      #expect(configuration.spool.quota == 2 << 30)
    }
  }

  @Test("the later assignment wins, lists add up, an empty value takes back")
  func assignments() throws {
    let configuration = try good(
      """
      [Spool]
      Quota=2G
      Quota=3G
      KeepDeleted=1d
      KeepDeleted=
      [Device]
      Domains=a.example
      Domains=b.example, c.example a.example
      [SMTP]
      Listen=2525
      Listen=
      Listen=26
      NormalizeFrom=10.0.0.1
      NormalizeFrom=
      [SMTP]
      Listen=27
      ListenTLS=no
      ListenTLS=4650
      [POP3]
      Listen=1100
      Listen=no
      """)
    #expect(configuration.spool.quota == 3 << 30)
    #expect(configuration.spool.keepDeleted == 7 * 86400)
    #expect(configuration.device.domains.map(\.text) == ["a.example", "b.example", "c.example"])
    #expect(configuration.smtp.listen == [.port(26), .port(27)])
    #expect(configuration.smtp.listenTLS == [.port(4650)])
    #expect(configuration.smtp.normalizeFrom.isEmpty)
    #expect(configuration.pop3.listen.isEmpty)
  }

  @Test("drop-ins are read in the order of their names, and no other files")
  func dropIns() throws {
    let place = try Place("[SMTP]\nMaximumMessageSize=3M\nMaximumConnections=3\n[Spool]\nQuota=1M\n")
    try place.dropIn("20-b.conf", "[SMTP]\nMaximumMessageSize=2M\n")
    try place.dropIn("10-a.conf", "[SMTP]\nMaximumMessageSize=1M\nMaximumConnections=50\n")
    for name in ["30-c.conf.off", "README", ".40-d.conf", "conf", ".conf"] { try place.dropIn(name, "nonsense") }
    for files in [place.files, Backwards()] {
      #expect(place.load(files).files.map(\.name.text) == ["restante.conf", "10-a.conf", "20-b.conf"])
    }
    let loaded = place.load()
    #expect(loaded.problems.isEmpty)
    #expect(loaded.configuration.smtp.maximumMessageSize == 2 << 20)
    #expect(loaded.configuration.smtp.maximumConnections == 50)
    #expect(loaded.configuration.spool.quota == 1 << 20)
    try place.dropIn("15-bad.conf", "\n[SMTP]\nColour=blue\n")
    let problem = place.load().problems.first
    #expect(problem?.file.name.text == "15-bad.conf" && problem?.line == 3)
  }

  /// Directories list their names in the order a test can least use.
  private final class Backwards: Files, @unchecked Sendable {
    override func list(_ path: Path) throws(Errno) -> [Bytes] {
      try super.list(path).sorted { $1.lexicographicallyPrecedes($0) }
    }
  }

  @Test("a section does not reach from one file into the next")
  func sections() throws {
    let place = try Place("[SMTP]\n")
    try place.dropIn("10.conf", "Listen=26\n")
    #expect(place.load().problems.map(\.line) == [1])
  }

  @Test("$STATE_DIRECTORY wins, the first where there are several")
  func stateDirectory() throws {
    let place = try Place("[Device]\nStateDirectory=/a\n")
    for (value, expected) in [("/b", "/b"), ("/b:/c", "/b"), ("", "/a")] {
      let loaded = Configuration.load(
        place.file, files: place.files, stateDirectory: Bytes(value.utf8), hostName: Bytes("box"))
      #expect(loaded.configuration.device.stateDirectory.bytes.text == expected)
    }
  }

  @Test("the host name is the system's where it can be one, and the domain the host name's where none is given")
  func hostName() throws {
    let place = try Place("")
    for (system, expected) in [("Box", "box"), ("a_b", "localhost"), ("", "localhost"), ("a b", "localhost")] {
      let device = Configuration.load(
        place.file, files: place.files, stateDirectory: nil, hostName: Bytes(system.utf8)
      ).configuration.device
      #expect(device.hostName.text == expected && device.domains.map(\.text) == [expected])
    }
    let device = try good("[Device]\nHostName=mail.office.example\n").device
    #expect(device.domains.map(\.text) == ["mail.office.example"])
    #expect(try good("[Device]\nDomains=bücher.example xn--bcher-kva.example\n").device.domains.count == 2)
  }

  // MARK: what is not

  static let bad: [(text: String, line: Int, words: [String])] = [
    ("[SMTP]\nColour=blue\n", 2, ["Colour=", "[SMTP]", "Listen=", "MaximumRecipients="]),
    ("[SMTP]\nListn=25\n", 2, ["Listn=", "did you mean Listen=?"]),
    ("[SMTP]\nlisten=25\n", 2, ["did you mean Listen=?"]),
    ("[SMTP]\nMaxConnections=25\n", 2, ["did you mean MaximumConnections=?"]),
    ("[SMTP]\nQuota=1G\n", 2, ["Quota=", "belongs in [Spool]"]),
    ("[Kitchen]\nSink=yes\n", 1, ["[Kitchen]", "[Device], [SMTP], [POP3], [TLS], [Spool]"]),
    ("[smtp]\nListen=25\n", 1, ["did you mean [SMTP]?"]),
    ("[POP]\nListen=25\n", 1, ["did you mean [POP3]?"]),
    ("Listen=25\n", 1, ["Listen=", "before any section", "[SMTP]"]),
    ("[POP3]\nListen 110\n", 2, ["\"Listen 110\"", "Key=value"]),
    ("[POP3\nListen=110\n", 1, ["]"]),
    ("[POP3]\n=110\n", 2, ["no key"]),
    ("[POP3]\n\n# a comment\nListen=99999\n", 4, ["[POP3] Listen=", "\"99999\"", "PORT"]),
    ("[SMTP]\nListen=25 \\\n smtp!\n", 2, ["\"smtp!\""]),
    ("[SMTP]\nListen=300.1.1.1:25\n", 2, ["Listen=", "[IPV6]:PORT"]),
    ("[SMTP]\nListen=::1:25\n", 2, ["Listen="]),
    ("[SMTP]\nListen=[127.0.0.1]:25\n", 2, ["Listen="]),
    ("[SMTP]\nListen=25 no\n", 2, ["\"no\""]),
    ("[SMTP]\nListen=,\n", 2, ["Listen="]),
    ("[SMTP]\nMaximumMessageSize=many\n", 2, ["\"many\"", "64K", "1G"]),
    ("[SMTP]\nMaximumMessageSize=63K\n", 2, ["64K"]),
    ("[SMTP]\nMaximumMessageSize=2G\n", 2, ["1G"]),
    ("[SMTP]\nMaximumConnections=-1\n", 2, ["1 to 10000"]),
    ("[SMTP]\nMaximumConnections=0\n", 2, ["1 to 10000"]),
    ("[SMTP]\nMaximumConnections=99999999999999999999\n", 2, ["1 to 10000"]),
    ("[SMTP]\nMaximumRecipients=99\n", 2, ["100 to 1000"]),
    ("[SMTP]\nBareNewline=ignore\n", 2, ["reject or normalize"]),
    ("[SMTP]\nNormalizeFrom=10.0.0.0/33\n", 2, ["10.0.0.0/33"]),
    ("[SMTP]\nNormalizeFrom=10.0.0.1/8\n", 2, ["10.0.0.1/8"]),
    ("[SMTP]\nNormalizeFrom=no\n", 2, ["\"no\""]),
    ("[SMTP]\nGreetingDelay=31s\n", 2, ["30s"]),
    ("[POP3]\nRequireTLS=maybe\n", 2, ["yes or no"]),
    ("[POP3]\nLoginDelay=5\n", 2, ["10min"]),
    ("[POP3]\nLoginDelay=2d\n", 2, ["0 to 1d"]),
    ("[TLS]\nMinimumProtocol=1.4\n", 2, ["1.2 or 1.3"]),
    ("[TLS]\nMinimumProtocol=1./\n", 2, ["1.2 or 1.3"]),
    ("[TLS]\nMinimumProtocol=1.0\n", 2, ["MinimumProtocol=", "LegacyTLSFrom="]),
    ("[TLS]\nLegacyTLSFrom=192.168.1.7/24\n", 2, ["192.168.1.0/24"]),
    ("[TLS]\nCertificate=cert.pem\n", 2, ["begins with /"]),
    ("[TLS]\nPrivateKey=/key.pem\n", 2, ["Certificate="]),
    ("[Spool]\nQuota=1K\n", 2, ["from 1M, or none"]),
    ("[Spool]\nKeepFree=150%\n", 2, ["90%"]),
    ("[Spool]\nKeepFree=%\n", 2, ["90%"]),
    ("[Spool]\nKeepDeleted=a while\n", 2, ["\"a while\"", "7d"]),
    ("[Spool]\nKeepDeleted=7\n", 2, ["unit"]),
    ("[Spool]\nExpireAfter=99999999999999999999d\n", 2, ["never"]),
    ("[Spool]\nExpireAfter=0\n", 2, ["from 1s"]),
    ("[Device]\nDomains=office..example\n", 2, ["office..example"]),
    ("[Device]\nDomains=a.example @b.example\n", 2, ["@b.example"]),
    ("[Device]\nDomains=[192.0.2.1]\n", 2, ["[192.0.2.1]"]),
    ("[Device]\nHostName=my box\n", 2, ["\"my box\""]),
    ("[Device]\nHostName=box.\n", 2, ["\"box.\""]),
    ("[Device]\nStateDirectory=state\n", 2, ["begins with /"]),
    ("[SMTP]\nListen=\u{1}\n", 2, ["Listen=\\x01", "control character"]),
    ("[SMTP]\nListen=25\0\n", 2, ["control character"]),
    ("[SMTP]\nListen=25\n[POP3]\nListen=25\n", 4, ["[POP3] Listen=25", "[SMTP] Listen="]),
    ("[SMTP]\nListen=127.0.0.1:995\n", 2, ["[POP3] ListenTLS=995", "[SMTP] Listen="]),
    ("[SMTP]\nListen=0.0.0.0:26 127.0.0.1:26\n", 2, ["127.0.0.1:26"]),
  ]

  @Test("a bad line is named with file, line, key and what would be accepted", arguments: bad.indices)
  func badLine(_ index: Int) throws {
    let (text, line, words) = Self.bad[index]
    let place = try Place(text)
    let problems = place.load().problems
    #expect(problems.count == 1, "\(text): \(problems.map(\.description.text))")
    guard let problem = problems.first else { return }
    #expect(problem.line == line, "\(text)")
    let shown = problem.description
    #expect(shown.text.hasPrefix(place.file.bytes.text + ":\(line): "))
    for word in words { #expect(shown.text.contains(word), "\(shown.text)") }
    #expect(shown.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
  }

  @Test("octets that are no text are named, in comments they are let pass")
  func notText() throws {
    let place = try Place()
    try place.files.replace(
      place.file,
      with: Bytes("# f\u{FC}r \n# ".utf8) + [0xFC, 0x0A] + Bytes("[Device]\nHostName=b".utf8) + [0xFC, 0x0A])
    let problems = place.load().problems
    #expect(problems.map(\.line) == [4])
    #expect(problems.first?.text.text == "not UTF-8 text: \"HostName=b\\xfc\"")
  }

  @Test("all problems are told, and what is well counts all the same")
  func all() throws {
    let loaded = try load("Listen=1\n[SMTP]\nListen=99999\nColour=blue\n[Spool]\nQuota=x\nKeepDeleted=2d\nrubbish\n")
    #expect(loaded.problems.map(\.line) == [1, 3, 4, 6, 8])
    #expect(loaded.configuration.smtp.listen == [.port(25)])
    #expect(loaded.configuration.spool.keepDeleted == 2 * 86400)
  }

  @Test("a bad value is named even where a later one wins")
  func overridden() throws {
    let loaded = try load("[Spool]\nQuota=x\nQuota=2G\n")
    #expect(loaded.problems.map(\.line) == [2])
    #expect(loaded.configuration.spool.quota == 2 << 30)
  }

  @Test("ports that do not meet are fine: other addresses, other families, and any number of 0")
  func ports() throws {
    _ = try good(
      """
      [SMTP]
      Listen=127.0.0.1:26 127.0.0.2:26 [::1]:26 0.0.0.0:27 [::]:27 127.0.0.1:0
      ListenTLS=127.0.0.1:0
      [POP3]
      Listen=0 127.0.0.1:0
      ListenTLS=0
      """)
  }

  @Test("a file that cannot be read, is a directory or is far too long is a problem")
  func unreadable() throws {
    let place = try Place("[Spool]\nQuota=2G\n")
    try place.dropIn("10.conf", String(repeating: "#", count: Limits.configurationFile + 1))
    #expect(place.load().problems.map(\.file.name.text) == ["10.conf"])
    try place.dropIn("10.conf", "")
    try place.files.remove(place.file)
    try place.files.makeDirectory(place.file)
    #expect(place.load().problems.map(\.file) == [place.file])
    let other = try Place("")
    try other.files.replace(other.dropIns, with: [])
    #expect(other.load().problems.map(\.file) == [other.dropIns])
    try other.files.remove(other.dropIns)
  }

  @Test(
    "whatever one octet is changed to, put in or left out, it is the same as written so, or a problem with its line")
  func mutations() throws {
    let text = Bytes(
      "[SMTP]\nListen=25 [::1]:26\nNormalizeFrom=10.0.0.0/8\n[Spool] # x\nKeepFree=10%\nKeepDeleted=1h 30min\n".utf8)
    let lines = text.split(separator: ASCII.lf).count
    func hold(_ text: Bytes) {
      var loader = ConfigurationLoader(Memory(text), hostName: Bytes("box"))
      loader.read(Path("/c"), mayBeMissing: false)
      loader.finish(stateDirectory: nil)
      for problem in loader.loaded.problems {
        #expect((1...lines + 1).contains(problem.line))
        #expect(problem.description.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
      }
    }
    for index in text.indices {
      hold(Bytes(text[..<index]))
      hold(Bytes(text[index...]))
      var shorter = text
      shorter.remove(at: index)
      hold(shorter)
      for octet: UInt8 in [0, 1, 9, 10, 13, 32, 34, 35, 37, 44, 47, 48, 57, 58, 59, 61, 91, 92, 93, 127, 128, 195, 255]
      {
        var changed = text
        changed[index] = octet
        hold(changed)
        var longer = text
        longer.insert(octet, at: index)
        hold(longer)
      }
    }
  }

  /// One file, in memory.
  private final class Memory: Files, @unchecked Sendable {
    private let text: Bytes
    init(_ text: Bytes) { self.text = text }
    override func open(_ path: Path, _ mode: OpenMode, permissions: UInt32) throws(Errno) -> Descriptor {
      try super.open(Path("/dev/null"), .read, permissions: 0)
    }
    override func read(_ file: Int32, into bytes: inout Bytes, count: Int, at offset: Int64) throws(Errno) -> Int {
      let part = text.dropFirst(Int(offset)).prefix(count)
      bytes += part
      return part.count
    }
    override func status(of file: Int32) throws(Errno) -> FileStatus {
      var status = try super.status(of: file)
      status.size = Int64(text.count)
      return status
    }
  }
}

@Suite("Networks")
struct NetworkTests {
  private func contains(_ network: String, _ address: String) -> Bool? {
    Network(Bytes(network.utf8))?.contains(SocketAddress(Bytes(address.utf8), port: 0)!)
  }

  @Test(
    "an address is in its network and in no other",
    arguments: [
      ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("192.0.2.0/24", "192.0.2.255", true),
      ("192.0.2.0/24", "192.0.3.0", false), ("192.0.2.128/25", "192.0.2.127", false), ("0.0.0.0/0", "8.8.8.8", true),
      ("10.0.0.0/9", "10.127.0.1", true), ("10.0.0.0/9", "10.128.0.1", false), ("0.0.0.0/0", "::1", false),
      ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::1", false), ("::/0", "::1", true),
      ("fe80::/10", "febf::1", true), ("fe80::/10", "fec0::1", false), ("::1", "::1", true), ("::1/128", "::2", false),
    ])
  func membership(_ network: String, _ address: String, _ isIn: Bool) { #expect(contains(network, address) == isIn) }

  @Test(
    "what is no network, or has bits beyond its prefix, is none",
    arguments: [
      "", "/", "10", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.1/8", "::/129", "fd00::1/8",
      "10.0.0/8", "a.example", "10.0.0.0 /8", "[::1]/128", "10.0.0.0/0008", "300.0.0.0/8",
    ])
  func none(_ text: String) { #expect(Network(Bytes(text.utf8)) == nil) }
}
