import Accounts
import System
import Testing
import Wire

@Suite("The accounts file's text")
struct AccountListTests {
  let file = Path("/state/accounts")

  func list(_ text: String) -> AccountList { AccountList(Bytes(text.utf8).span, file: file) }
  func names(_ list: AccountList) -> [String] { list.accounts.map(\.name.text) }

  @Test("accounts come out in the file's order, with quota and creation time")
  func reading() throws {
    let list = list(
      "# comment\n\n" + line("anna", " created=2026-01-31T12:00:00Z quota=5M") + "\n" + line("bert") + "\n  "
        + line("carl", "\tquota=none") + "\r\n")
    #expect(list.problems.isEmpty)
    #expect(names(list) == ["anna", "bert", "carl"])
    #expect(list.accounts.map(\.quota) == [5 << 20, nil, .max])
    #expect(list.accounts[0].created == 1_769_860_800)
    #expect(list.account(named: Bytes("bert"))?.verifier == someVerifier())
  }

  @Test("the last line needs no line feed")
  func lastLine() { #expect(names(list(line("anna"))) == ["anna"]) }

  @Test(
    "a bad line is named with its number and the reason, and everything else is served",
    arguments: [
      ("bert", "no verifier"), ("bert garbage", "not a verifier"), ("Bert " + line("").dropFirst(), "lower case"),
      (line("b/../x"), "no account's name"), (line(".."), "no account's name"), (line("-b"), "no account's name"),
      (line("b", " quota=lots"), "quota="), (line("b", " quota=1G quota=1G"), "once each"),
      (line("b", " created=yesterday"), "created="), (line("b", " colour=blue"), "colour"), (line("anna"), "line 2"),
      ("\0\0\0\0", "\\x00"), ("b\u{FC}rt x", "\\xc3"),
    ])
  func damage(_ bad: String, _ word: String) throws {
    let list = list("# first\n" + line("anna") + "\n" + bad + "\n" + line("zoe") + "\n")
    #expect(names(list) == ["anna", "zoe"])
    let problem = try #require(list.problems.first)
    #expect(list.problems.count == 1)
    #expect(problem.line == 3)
    #expect(problem.description.text.hasPrefix("/state/accounts:3: "))
    #expect(problem.text.text.contains(word), "\(problem.text.text)")
    #expect(problem.text.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
  }

  @Test("whatever one octet is changed, cut or doubled, the other lines are served and every line is kept as it was")
  func mutations() {
    let victim = Bytes(line("bert", " created=2026-01-31T12:00:00Z quota=5M").utf8)
    func hold(_ line: Bytes) {
      let text = Bytes((theLine("anna") + "\n").utf8) + line + Bytes(("\n" + theLine("zoe") + "\n").utf8)
      var list = AccountList(text.span, file: file)
      let names = list.accounts.map(\.name.text)
      #expect(names.contains("anna") && names.contains("zoe"))
      #expect(list.text == text)
      try? list.add(Account(name: Bytes("new"), verifier: someVerifier(), created: 5))
      #expect(list.text.starts(with: text))
    }
    for index in victim.indices {
      hold(Bytes(victim[..<index]))
      hold(Bytes(victim[..<index]) + Bytes(victim[index...].dropFirst()))
      hold(Bytes(victim[...index]) + Bytes(victim[index...]))
      for octet: UInt8 in [0, 9, 10, 13, 32, 35, 36, 58, 61, 65, 127, 128, 255, victim[index] ^ 0x20] {
        var changed = victim
        changed[index] = octet
        hold(changed)
      }
    }
  }

  @Test("only the line of the account that is changed changes")
  func change() throws {
    let before = "# my note\n" + line("anna", "   quota=1G  ") + "\nrubbish !\n" + line("bert") + "\n"
    var list = list(before)
    try list.setQuota(2 << 30, of: Bytes("bert"))
    #expect(
      list.text.text == "# my note\n" + line("anna", "   quota=1G  ") + "\nrubbish !\n" + line("bert", " quota=2G\n"))
    try list.setVerifier(someVerifier(9), of: Bytes("anna"))
    #expect(list.account(named: Bytes("anna"))?.verifier == someVerifier(9))
    #expect(list.account(named: Bytes("anna"))?.quota == 1 << 30)
    #expect(list.text.text.contains("\nrubbish !\n"))
    try list.setQuota(.max, of: Bytes("anna"))
    #expect(list.text.text.contains(" quota=none\n"))
    try list.setQuota(nil, of: Bytes("anna"))
    #expect(!list.text.text.contains(" quota=none\n"))
  }

  @Test("an account is added once, with a name that can be one")
  func add() throws {
    var list = AccountList()
    let header = list.text
    #expect(header.hasPrefix("# "))
    try list.add(Account(name: Bytes("anna"), verifier: someVerifier(), quota: 1000, created: 1_769_860_800))
    #expect(list.text == header + Bytes((line("anna", " created=2026-01-31T12:00:00Z quota=1000\n")).utf8))
    #expect(throws: AccountsError.exists) {
      try list.add(Account(name: Bytes("anna"), verifier: someVerifier(), created: 0))
    }
    for name in ["", "Anna", "a b", "a/b", ".a", "a.", "a..b", "..", "-a", "_a", "a+b", "a@b", "ä", "a\0", "a\n"] {
      #expect(throws: AccountsError.badName) {
        try list.add(Account(name: Bytes(name.utf8), verifier: someVerifier(), created: 0))
      }
    }
    for name in ["a", "0", "a.b-c_d", "a-", String(repeating: "a", count: 64)] {
      try list.add(Account(name: Bytes(name.utf8), verifier: someVerifier(), created: 0))
    }
    #expect(throws: AccountsError.badName) {
      try list.add(Account(name: Bytes(repeating: 0x61, count: 65), verifier: someVerifier(), created: 0))
    }
    let again = AccountList(list.text.span, file: file)
    #expect(again.problems.isEmpty)
    #expect(again.accounts == list.accounts)
  }

  @Test("a removed account does not come back through a second line of its name, which stays as a comment")
  func remove() throws {
    var list = list(line("anna") + "\n" + line("anna", " quota=1M") + "\n" + line("bert") + "\n")
    try list.remove(Bytes("anna"))
    let again = self.list(list.text.text)
    #expect(names(again) == ["bert"] && again.problems.isEmpty)
    #expect(list.text.text.contains("# removed: " + line("anna", " quota=1M")))
    #expect(throws: AccountsError.unknown) { try list.remove(Bytes("anna")) }
  }

  @Test("a new password mends a damaged line")
  func mend() throws {
    var list = list("anna SCRAM-SHA-256$4096:rubbish\n" + line("bert") + "\n")
    #expect(list.damagedNames == [Bytes("anna")] && !list.hasIllegibleLine)
    try list.setVerifier(someVerifier(3), of: Bytes("anna"))
    let again = self.list(list.text.text)
    #expect(again.problems.isEmpty)
    #expect(again.account(named: Bytes("anna"))?.verifier == someVerifier(3))
    #expect(list.text.text.contains("anna SCRAM-SHA-256$4096:rubbish"))
    #expect(throws: AccountsError.unknown) { try list.setVerifier(someVerifier(), of: Bytes("zoe")) }
    #expect(throws: AccountsError.unknown) { try list.setQuota(1, of: Bytes("zoe")) }
  }

  @Test("a file of nothing but rubbish tells a bounded number of problems")
  func rubbish() {
    let list = list(String(repeating: "!!! \u{1}\n", count: 5000))
    #expect(list.problems.count == Limits.problems)
    #expect(list.hasIllegibleLine)
    #expect(list.text.count == 6 * 5000)
  }
}

private func theLine(_ name: String) -> String { line(name) }
