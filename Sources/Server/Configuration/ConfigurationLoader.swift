import System
import Wire

extension Configuration {
  /// What became of the configuration files.
  public struct Loaded {
    /// What they say; where they are wrong, the default.
    public var configuration = Configuration()
    /// All that is wrong with them. The server starts only without any.
    public var problems: [Problem] = []
    /// The files that were read, in their order.
    public var files: [Path] = []
  }

  /// Where the configuration is when nobody says otherwise.
  public static let standardFile = Path("/etc/restante/restante.conf")

  /// Reads `file` and the drop-ins in the directory of its name with `.d`, in the order of their names; the later
  /// assignment wins.
  ///
  /// - Parameters:
  ///   - file: nil for the standard file, which may be missing; a file that is named may not.
  ///   - stateDirectory: the value of `$STATE_DIRECTORY`, which wins over `StateDirectory=`.
  ///   - hostName: the system's.
  public static func load(
    _ file: Path?, files: Files = Files(), stateDirectory: Bytes? = Process.environment("STATE_DIRECTORY"),
    hostName: Bytes = Process.hostName
  ) -> Loaded {
    var loader = ConfigurationLoader(files, hostName: hostName)
    loader.read(file ?? standardFile, mayBeMissing: file == nil)
    loader.readDropIns((file ?? standardFile).adding(suffix: ".d"))
    loader.finish(stateDirectory: stateDirectory)
    return loader.loaded
  }
}

/// Puts the assignments of several files together.
struct ConfigurationLoader {
  private struct Assignment {
    let value: Bytes
    let file: Path
    let line: Int
  }

  private(set) var loaded = Configuration.Loaded()
  private let files: Files
  private let keys = ConfigurationKey.all()
  /// For each key what holds: an empty assignment takes back all before it.
  private var given: [[Assignment]]

  init(_ files: Files, hostName: Bytes) {
    self.files = files
    given = Array(repeating: [], count: keys.count)
    if let name = DomainName.lowered(hostName) { loaded.configuration.device.hostName = name }
  }

  // MARK: files

  mutating func read(_ file: Path, mayBeMissing: Bool) {
    let text: Bytes
    do throws(Errno) {
      text = try files.contents(file, limit: Limits.configurationFile)
    } catch {
      if error == .notFound, mayBeMissing { return }
      loaded.problems.append(Problem(file, Bytes("cannot be read: ") + error.text))
      return
    }
    loaded.files.append(file)
    read(ConfigurationText(text.span), of: file)
  }

  mutating func readDropIns(_ directory: Path) {
    var names: [Bytes]
    do throws(Errno) {
      names = try files.list(directory)
    } catch {
      if error != .notFound { loaded.problems.append(Problem(directory, Bytes("cannot be read: ") + error.text)) }
      return
    }
    let suffix = Bytes(".conf")
    names.shellSort { $0.lexicographicallyPrecedes($1) }
    for name in names
    where name.count > suffix.count && Bytes(name.suffix(suffix.count)) == suffix && name[0] != ASCII.dot {
      read(directory.appending(name), mayBeMissing: false)
    }
  }

  private mutating func read(_ text: ConfigurationText, of file: Path) {
    var section: Bytes?
    for (line, item) in text.items {
      switch item {
      case .garbage(let why): loaded.problems.append(Problem(file, line: line, why))
      case .garbledSection(let why):
        loaded.problems.append(Problem(file, line: line, why))
        // Whatever it was to be, what follows is not the section's before.
        section = []
      case .section(let name):
        section = name
        if !ConfigurationKey.sections.contains(where: { name.equals($0) }) {
          loaded.problems.append(Problem(file, line: line, Self.unknownSection(name)))
        }
      case .assignment(let key, let value):
        guard let section else {
          var why = Bytes()
          why.append(shown: key.span)
          why += "= stands before any section; "
          why += Self.sectionsInWords()
          loaded.problems.append(Problem(file, line: line, why))
          continue
        }
        // What is in an unknown section was complained of once.
        guard ConfigurationKey.sections.contains(where: { section.equals($0) }) else { continue }
        guard let index = keys.firstIndex(where: { section.equals($0.section) && key.equals($0.name) }) else {
          loaded.problems.append(Problem(file, line: line, unknownKey(key, in: section)))
          continue
        }
        assign(Assignment(value: value, file: file, line: line), to: index)
      }
    }
  }

  /// Notes an assignment, and complains of its value at once, even if a later one wins.
  private mutating func assign(_ assignment: Assignment, to index: Int) {
    guard !assignment.value.isEmpty else {
      given[index] = []
      return
    }
    var scratch = Configuration()
    if let word = apply(assignment, to: index, of: &scratch) {
      let key = keys[index]
      var why = Bytes("[") + Bytes(key.section) + Bytes("] ") + Bytes(key.name) + Bytes("=: ")
      why.append(quoted: word.span)
      why += " is not taken; give "
      why += key.accepted
      loaded.problems.append(Problem(assignment.file, line: assignment.line, why))
    } else {
      given[index].append(assignment)
    }
  }

  /// Answers the word that was not taken, nil if all were.
  private func apply(_ assignment: Assignment, to index: Int, of configuration: inout Configuration) -> Bytes? {
    switch keys[index].kind {
    case .one(let set): return set(assignment.value, &configuration) ? nil : assignment.value
    case .list(let takesNo, let clear, let add):
      if takesNo, assignment.value.equals("no") {
        clear(&configuration)
        return nil
      }
      let words = assignment.value.split { $0 == ASCII.space || $0 == ASCII.tab || $0 == 0x2C }
      if words.isEmpty { return assignment.value }
      for word in words where !add(Bytes(word), &configuration) { return Bytes(word) }
      return nil
    }
  }

  // MARK: the end

  /// Puts what holds in its place, and looks whether it fits together.
  mutating func finish(stateDirectory: Bytes?) {
    var configuration = loaded.configuration
    for index in keys.indices where !given[index].isEmpty {
      if case .list(_, let clear, _) = keys[index].kind { clear(&configuration) }
      for assignment in given[index] { _ = apply(assignment, to: index, of: &configuration) }
    }
    if given(for: "Domains") == nil { configuration.device.domains = [configuration.device.hostName] }
    if let stateDirectory, !stateDirectory.isEmpty {
      // systemd puts colons between several; the first is ours.
      let first = stateDirectory.firstIndex(of: 0x3A).map { Bytes(stateDirectory[..<$0]) } ?? stateDirectory
      configuration.device.stateDirectory = Path(first)
    }
    loaded.configuration = configuration
    checkTLS()
    checkPorts()
  }

  private func given(for name: StaticString, in section: StaticString = "Device") -> (file: Path, line: Int)? {
    let name = Bytes(name)
    let section = Bytes(section)
    for index in keys.indices where name.equals(keys[index].name) && section.equals(keys[index].section) {
      return given[index].last.map { ($0.file, $0.line) }
    }
    return nil
  }

  private mutating func checkTLS() {
    let tls = loaded.configuration.tls
    if tls.minimumProtocol.rawValue < TLSVersion.tls12.rawValue, tls.legacyFrom.isEmpty,
      let (file, line) = given(for: "MinimumProtocol", in: "TLS")
    {
      let why: StaticString = "[TLS] MinimumProtocol= below 1.2 needs LegacyTLSFrom=, the networks of the old devices"
      loaded.problems.append(Problem(file, line: line, Bytes(why)))
    }
    guard loaded.configuration.tls.privateKey != nil, loaded.configuration.tls.certificate == nil,
      let (file, line) = given(for: "PrivateKey", in: "TLS")
    else { return }
    loaded.problems.append(
      Problem(file, line: line, Bytes("[TLS] PrivateKey= needs Certificate=, whose key it is; give both or none")))
  }

  /// Two listeners cannot have one port.
  private mutating func checkPorts() {
    let configuration = loaded.configuration
    let lists: [(section: StaticString, key: StaticString, listeners: [Listen])] = [
      ("SMTP", "Listen", configuration.smtp.listen), ("SMTP", "ListenTLS", configuration.smtp.listenTLS),
      ("POP3", "Listen", configuration.pop3.listen), ("POP3", "ListenTLS", configuration.pop3.listenTLS),
    ]
    var taken: [(list: Int, listener: Listen)] = []
    for (index, list) in lists.enumerated() {
      for listener in list.listeners {
        if let other = taken.first(where: { $0.listener.overlaps(listener) }),
          let (file, line) = given(for: list.key, in: list.section)
            ?? given(for: lists[other.list].key, in: lists[other.list].section)
        {
          var why = Bytes("[") + Bytes(list.section) + Bytes("] ") + Bytes(list.key) + Bytes("=")
          why += listener.text
          why += " is also in ["
          why += lists[other.list].section
          why += "] "
          why += lists[other.list].key
          why += "=; give each its own port, or no for none"
          loaded.problems.append(Problem(file, line: line, why))
        }
        taken.append((index, listener))
      }
    }
  }

  // MARK: words

  private static func sectionsInWords() -> Bytes {
    var words = Bytes("the sections are")
    for (index, section) in ConfigurationKey.sections.enumerated() {
      words += index == 0 ? " [" : ", ["
      words += section
      words += "]"
    }
    return words
  }

  private static func unknownSection(_ name: Bytes) -> Bytes {
    var why = Bytes("unknown section ")
    var bracketed = Bytes("[") + name
    bracketed += "]"
    why.append(shown: bracketed.span)
    if let near = NearMiss.best(for: name, among: ConfigurationKey.sections.map { Bytes($0) }) {
      why += "; did you mean ["
      why += near
      why += "]?"
    } else {
      why += "; "
      why += sectionsInWords()
    }
    return why
  }

  private func unknownKey(_ key: Bytes, in section: Bytes) -> Bytes {
    var why = Bytes("unknown key ")
    why.append(shown: key.span)
    why += "= in ["
    why += section
    why += "]"
    let siblings = keys.filter { section.equals($0.section) }.map { Bytes($0.name) }
    if let near = NearMiss.best(for: key, among: siblings) {
      why += "; did you mean "
      why += near
      why += "=?"
    } else if let other = keys.first(where: { key.equals($0.name) }) {
      why += "; it belongs in ["
      why += other.section
      why += "]"
    } else {
      why += "; its keys are "
      for (index, name) in siblings.enumerated() {
        if index > 0 { why += ", " }
        why += name
        why += "="
      }
    }
    return why
  }
}
