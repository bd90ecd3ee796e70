import Accounts
import System
import Testing
import Wire

@Suite("Files that change under the server")
struct ReloadTests {
  private func resolve(_ directory: Directory, _ name: String, now: Int64 = 1000) -> String {
    directory.resolve(mailbox(name + "@office.example"), now: now).words
  }

  private func knows(_ directory: Directory, _ name: String, now: Int64 = 1000) -> Bool {
    guard case .account = directory.login(Bytes(name.utf8), now: now) else { return false }
    return true
  }

  /// An office of anna and bert whose directory was read at second 1000.
  private func office() throws -> (Office, Directory) {
    let office = try Office()
    try office.write(line("anna") + "\n" + line("bert") + "\n", to: office.accounts)
    let directory = office.directory()
    directory.reload(now: 1000)
    return (office, directory)
  }

  @Test("who is added can be reached and log in within the same second")
  func added() throws {
    let (office, directory) = try office()
    #expect(resolve(directory, "carl") == "unknown")
    try AccountsFile(office.files, office.accounts).edit { (list) throws(AccountsError) in
      try list.add(Account(name: Bytes("carl"), verifier: someVerifier(), created: 0))
    }
    #expect(resolve(directory, "carl") == "carl")
    #expect(knows(directory, "carl"))
    try office.write("sales: anna\n", to: office.aliases)
    #expect(resolve(directory, "sales") == "anna")
  }

  @Test("who is removed, or has a new password, is at once")
  func removed() throws {
    let (office, directory) = try office()
    let file = AccountsFile(office.files, office.accounts)
    try file.edit { (list) throws(AccountsError) in try list.setVerifier(someVerifier(9), of: Bytes("anna")) }
    guard case .account(let anna) = directory.login(Bytes("anna"), now: 1000) else {
      Issue.record("anna is not known")
      return
    }
    #expect(anna.verifier == someVerifier(9))
    try file.edit { (list) throws(AccountsError) in try list.remove(Bytes("bert")) }
    #expect(!knows(directory, "bert"))
    #expect(resolve(directory, "bert", now: 1001) == "unknown")
  }

  @Test("files that have not changed cost one look each, once a second")
  func cheap() throws {
    let office = try Office()
    try office.write(line("anna") + "\n", to: office.accounts)
    try office.write("sales: anna\n", to: office.aliases)
    let files = FaultyFiles()
    let directory = office.directory(files: files)
    let later = try office.files.status(office.accounts).modified + 100
    directory.reload(now: later)
    let before = files.calls
    for _ in 0..<100 { #expect(resolve(directory, "sales", now: later) == "anna") }
    #expect(files.calls == before)
    directory.reloadIfChanged(now: later + 1)
    #expect(Array(files.log.suffix(from: before)) == ["status", "status"])
  }

  @Test("a change that keeps size, inode and time is seen while the time could be the same")
  func racy() throws {
    let office = try Office()
    try office.write(line("anna") + "\n" + line("bert") + "\n", to: office.accounts)
    let directory = office.directory(files: CoarseFiles())
    let now = try office.files.status(office.accounts).modified
    directory.reload(now: now)
    do {
      let file = try office.files.open(office.accounts, [.read, .write])
      try office.files.writeAll(file.number, Bytes("zoey").span, at: 0)
    }
    #expect(resolve(directory, "zoey", now: now) == "zoey")
  }

  /// Times in whole seconds, as some file systems have them.
  private final class CoarseFiles: Files, @unchecked Sendable {
    override func status(_ path: Path) throws(Errno) -> FileStatus {
      var status = try super.status(path)
      status.modifiedNanoseconds = 0
      return status
    }
  }

  @Test("a line that is damaged takes nothing from a running server; its problem is told once")
  func damagedLine() throws {
    let (office, directory) = try office()
    try office.write("anna SCRAM-SHA-256$40\n" + line("bert") + "\n" + line("carl") + "\n", to: office.accounts)
    directory.reload(now: 1001)
    #expect(directory.newProblems().map(\.line) == [1])
    #expect(directory.newProblems().isEmpty)
    #expect(knows(directory, "anna", now: 1001) && knows(directory, "carl", now: 1001))
    #expect(resolve(directory, "anna", now: 1001) == "anna")
    try office.write("anna x\n" + line("bert") + "\n", to: office.accounts)
    directory.reload(now: 1002)
    #expect(knows(directory, "anna", now: 1002))
    // Mended, it is told anew should it break again.
    try office.write(line("bert") + "\n", to: office.accounts)
    directory.reload(now: 1003)
    #expect(directory.newProblems().isEmpty && directory.problems.isEmpty)
    #expect(!knows(directory, "anna", now: 1003))
    #expect(resolve(directory, "anna", now: 1003) == "unknown")
  }

  @Test("after a start, whoever a damaged line may be is put off, not refused, and so is a group that has them")
  func damagedAtStart() throws {
    let office = try Office()
    try office.write("anna rubbish\n" + line("bert") + "\n", to: office.accounts)
    try office.write("sales: anna, bert\n", to: office.aliases)
    let directory = office.directory()
    directory.reload(now: 1000)
    #expect(resolve(directory, "anna") == "temporarily")
    #expect(resolve(directory, "sales") == "temporarily")
    #expect(resolve(directory, "bert") == "bert")
    #expect(resolve(directory, "nobody") == "unknown")
    #expect(directory.login(Bytes("anna"), now: 1000) == .temporarily)
    #expect(directory.login(Bytes("nobody"), now: 1000) == .unknown)
    try office.write("\0\0\0\0\0\0\n" + line("bert") + "\n", to: office.accounts)
    directory.reload(now: 1001)
    #expect(resolve(directory, "nobody", now: 1001) == "temporarily")
    #expect(resolve(directory, "bert", now: 1001) == "bert")
  }

  @Test("an accounts file that cannot be read, is emptied or goes away leaves all accounts as they were")
  func unreadable() throws {
    let (office, directory) = try office()
    let spoil: [(Office) throws -> Void] = [
      { try $0.files.remove($0.accounts) },
      { try $0.files.makeDirectory($0.accounts) },
      {
        try $0.files.removeDirectory($0.accounts)
        try $0.write("", to: $0.accounts)
      },
      { try $0.write(String(repeating: "x", count: Limits.accountsFile + 1), to: $0.accounts) },
    ]
    var now: Int64 = 1001
    for change in spoil {
      try change(office)
      directory.reload(now: now)
      let problems = directory.newProblems()
      #expect(problems.allSatisfy { $0.file == office.accounts && $0.text.text.contains("go on to be served") })
      #expect(directory.problems.count == 1)
      for _ in 0..<3 {
        now += 1
        directory.reloadIfChanged(now: now)
        #expect(directory.newProblems().isEmpty)
        #expect(knows(directory, "anna", now: now) && resolve(directory, "bert", now: now) == "bert")
      }
    }
    try office.write(line("anna") + "\n", to: office.accounts)
    directory.reload(now: now + 1)
    #expect(directory.problems.isEmpty)
    #expect(resolve(directory, "bert", now: now + 1) == "unknown")
  }

  @Test("whichever call fails at the start, mail is put off and nobody is refused for good")
  func faultAtStart() throws {
    let office = try Office()
    try office.write(line("anna") + "\n", to: office.accounts)
    try office.write("sales: anna\n", to: office.aliases)
    var failing = 1
    while true {
      let files = FaultyFiles(failing: failing)
      let directory = office.directory(files: files)
      directory.reload(now: 1000)
      let hasFailed = files.calls >= failing
      if hasFailed { #expect(!directory.problems.isEmpty, "call \(failing)") }
      let first = directory.resolve(mailbox("anna@office.example"), now: 1000).words
      #expect(first == "anna", "the second look reads it")
      #expect(directory.resolve(mailbox("sales@office.example"), now: 1000).words == "anna")
      #expect(directory.problems.isEmpty)
      if !hasFailed { break }
      failing += 1
    }
    let directory = office.directory(files: FaultyFiles(failing: 1, isCrash: true))
    for name in ["anna", "nobody", "sales"] { #expect(resolve(directory, name) == "temporarily") }
    #expect(directory.login(Bytes("anna"), now: 1000) == .temporarily)
    #expect(directory.resolve(mailbox("postmaster"), now: 1000) == .temporarily)
    #expect(directory.resolve(mailbox("a@elsewhere.example"), now: 1000) == .notLocal)
  }

  @Test("an aliases file that an editor is just writing is not taken for none; one that was removed is")
  func aliasesGone() throws {
    let (office, directory) = try office()
    try office.write("sales: anna\n", to: office.aliases)
    directory.reload(now: 1001)
    #expect(resolve(directory, "sales", now: 1001) == "anna")
    try office.files.remove(office.aliases)
    directory.reload(now: 1002)
    #expect(resolve(directory, "sales", now: 1002) == "anna")
    try office.write("", to: office.aliases)
    #expect(resolve(directory, "nobody", now: 1002) == "unknown")
    #expect(resolve(directory, "sales", now: 1002) == "anna")
    try office.write("sales: bert\n", to: office.aliases)
    #expect(resolve(directory, "sales", now: 1003) == "bert")
    try office.files.remove(office.aliases)
    directory.reload(now: 1004)
    directory.reload(now: 1005)
    #expect(resolve(directory, "sales", now: 1005) == "unknown")
    #expect(directory.problems.isEmpty)
  }

  @Test("an aliases file that cannot be read leaves the aliases as they were")
  func aliasesUnreadable() throws {
    let (office, directory) = try office()
    try office.write("sales: anna\n", to: office.aliases)
    directory.reload(now: 1001)
    try office.files.remove(office.aliases)
    try office.files.makeDirectory(office.aliases)
    directory.reload(now: 1002)
    #expect(directory.newProblems().count == 1)
    #expect(resolve(directory, "sales", now: 1003) == "anna")
    #expect(directory.newProblems().isEmpty)
    try office.files.removeDirectory(office.aliases)
  }

  @Test("problems with whom aliases reach come and go with the accounts")
  func targets() throws {
    let (office, directory) = try office()
    try office.write("sales: carl\n", to: office.aliases)
    directory.reload(now: 1001)
    #expect(directory.newProblems().map(\.line) == [1])
    try AccountsFile(office.files, office.accounts).edit { (list) throws(AccountsError) in
      try list.add(Account(name: Bytes("carl"), verifier: someVerifier(), created: 0))
    }
    directory.reloadIfChanged(now: 1002)
    #expect(directory.problems.isEmpty)
    #expect(resolve(directory, "sales", now: 1002) == "carl")
  }

  @Test("other domains do not cost what was last read of a file that is damaged now")
  func successor() throws {
    let (office, first) = try office()
    try office.write("anna rubbish\n" + line("bert") + "\n", to: office.accounts)
    first.reload(now: 1001)
    #expect(first.newProblems().count == 1)
    let second = Directory(
      office.files, accounts: office.accounts, aliases: office.aliases, domains: [Bytes("shop.example")],
      hostName: Bytes("box"), last: first)
    second.reload(now: 1001)
    #expect(second.resolve(mailbox("anna@shop.example"), now: 1001).words == "anna")
    #expect(second.newProblems().isEmpty)
  }
}
