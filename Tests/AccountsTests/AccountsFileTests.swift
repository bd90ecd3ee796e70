import Accounts
import Synchronization
import System
import Testing
import Wire

@Suite("Saving accounts")
struct AccountsFileTests {
  private func account(_ name: String) -> Account {
    Account(name: Bytes(name.utf8), verifier: someVerifier(), created: 0)
  }

  private func add(_ name: String, _ office: Office, _ files: Files) throws(AccountsError) {
    let account = self.account(name)
    try AccountsFile(files, office.accounts).edit { (list) throws(AccountsError) in try list.add(account) }
  }

  private func names(_ office: Office) throws -> [String] {
    let list = try AccountsFile(office.files, office.accounts).load()
    #expect(list.problems.isEmpty)
    return list.accounts.map(\.name.text)
  }

  @Test("a missing file has no accounts, and the first one makes it: 0600, with words that explain it")
  func first() throws {
    let office = try Office()
    #expect(try names(office) == [])
    try add("anna", office, office.files)
    #expect(try names(office) == ["anna"])
    #expect(try office.files.status(office.accounts).mode == 0o600)
    #expect(try office.read(office.accounts).hasPrefix("# The accounts"))
    #expect(try office.files.list(office.place) == [Bytes("accounts")])
  }

  @Test("the new octets are flushed before they take the old ones' place, and the place before it is reported")
  func order() throws {
    let office = try Office()
    let files = FaultyFiles()
    try add("anna", office, files)
    let steps = files.log.filter { ["lock", "write", "flush", "rename", "flush directory"].contains($0) }
    #expect(steps == ["lock", "write", "flush", "rename", "flush directory"])
  }

  @Test(
    "group permission to read stays, anything more is taken away",
    arguments: [
      (0o600, 0o600), (0o640, 0o640), (0o644, 0o640), (0o666, 0o640), (0o400, 0o600), (0o777, 0o640),
    ] as [(UInt32, UInt32)])
  func permissions(_ before: UInt32, _ after: UInt32) throws {
    let office = try Office()
    try add("anna", office, office.files)
    do {
      let file = try office.files.open(office.accounts, .read)
      try office.files.setPermissions(file.number, before)
    }
    try add("bert", office, office.files)
    #expect(try office.files.status(office.accounts).mode == after)
  }

  @Test("the file stays its owner's, and a first one belongs to whom the directory does")
  func owner() throws {
    guard Process.user == 0 else { return }
    let office = try Office()
    do {
      let directory = try office.files.open(office.place, [.read, .directory])
      try office.files.setOwner(directory.number, user: 12345, group: 23456)
    }
    try add("anna", office, office.files)
    #expect(try office.files.status(office.accounts).owner == 12345)
    #expect(try office.files.status(office.accounts).group == 23456)
    do {
      let file = try office.files.open(office.accounts, .read)
      try office.files.setOwner(file.number, user: 321, group: 654)
    }
    try add("bert", office, office.files)
    #expect(try office.files.status(office.accounts).owner == 321)
    #expect(try office.files.status(office.accounts).group == 654)
  }

  @Test(
    "whichever call fails, the file has the old accounts or the new ones, whole",
    arguments: [
      Errno.io, .noSpace, .interrupted,
    ])
  func fault(_ error: Errno) throws { try holdFaults(isCrash: false, error) }

  @Test("a crash before any call leaves the old accounts or the new ones, whole")
  func crash() throws { try holdFaults(isCrash: true, .io) }

  private func holdFaults(isCrash: Bool, _ error: Errno) throws {
    var failing = 1
    while true {
      let office = try Office()
      for name in ["anna", "bert"] { try add(name, office, office.files) }
      let before = try office.read(office.accounts)
      let files = FaultyFiles(failing: failing, isCrash: isCrash, error: error)
      files.longestWrite = 100
      var hasSaved = true
      do throws(AccountsError) {
        try add("carl", office, files)
      } catch {
        #expect(error == .file(.io) || error == .file(.noSpace) || error == .file(.interrupted))
        hasSaved = false
      }
      let after = try office.read(office.accounts)
      let names = try names(office)
      #expect(names == ["anna", "bert"] || names == ["anna", "bert", "carl"], "call \(failing)")
      if hasSaved { #expect(names.count == 3, "call \(failing): reported saved and is not") }
      if names.count == 2 { #expect(after == before) }
      // The next administrator meets nothing in the way.
      try add("dora", office, office.files)
      #expect(try self.names(office) == names + ["dora"])
      #expect(try office.files.list(office.place) == [Bytes("accounts")])
      if failing > files.calls { break }
      failing += 1
    }
    #expect(failing > 12)
  }

  @Test("a file that cannot be read is not replaced")
  func unreadable() throws {
    let office = try Office()
    try office.files.makeDirectory(office.accounts)
    #expect(throws: AccountsError.self) { try add("anna", office, office.files) }
    try office.files.removeDirectory(office.accounts)
    try office.write(String(repeating: "#", count: Limits.accountsFile + 1), to: office.accounts)
    #expect(throws: AccountsError.file(Errno(27))) { try add("anna", office, office.files) }
    #expect(try office.files.status(office.accounts).size == Int64(Limits.accountsFile) + 1)
  }

  @Test("an error of the change itself leaves the file untouched")
  func refused() throws {
    let office = try Office()
    try add("anna", office, office.files)
    let before = try office.files.status(office.accounts)
    #expect(throws: AccountsError.exists) { try add("anna", office, office.files) }
    #expect(try office.files.status(office.accounts) == before)
  }

  @Test("administrators who change accounts at the same time lose nothing of each other's")
  func together() throws {
    let office = try Office()
    let path = office.accounts
    let done = Gate()
    for writer in 0..<4 {
      try Thread.start(stack: 512 * 1024) {
        for n in 0..<10 {
          let account = Account(name: Bytes("w\(writer)-\(n)".utf8), verifier: someVerifier(), created: 0)
          try? AccountsFile(Files(), path).edit { (list) throws(AccountsError) in try list.add(account) }
        }
        done.pass()
      }
    }
    done.wait(for: 4)
    #expect(try names(office).count == 40)
  }
}

/// Counts threads that have come to their end.
final class Gate: @unchecked Sendable {
  private let lock = Lock()
  private let condition = Condition()
  private var passed = 0

  func pass() {
    lock.locked { passed += 1 }
    condition.signal()
  }

  func wait(for count: Int) {
    lock.locked { while passed < count { condition.wait(lock) } }
  }
}
