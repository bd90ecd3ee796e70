import Accounts
import System
import Wire

/// The aliases file, and whom mail reaches through it. The input is the file, NUL, lines of the accounts file, NUL, and
/// addresses with a line each.
func fuzzAliases(_ bytes: Bytes) {
  var input = Input(bytes)
  let aliases = input.part(before: 0)
  var accounts = Bytes()
  for name in [Bytes("anna"), Bytes("bert"), Bytes("carl")] {
    accounts += name
    accounts += " "
    someVerifier.append(to: &accounts)
    accounts.append(ASCII.lf)
  }
  accounts += input.part(before: 0)
  let disk = MemoryDisk()
  disk.set("/accounts", accounts)
  disk.set("/aliases", aliases)
  let directory = directory(on: disk)
  directory.reload(now: 1)
  // The accounts, the aliases, and those of the aliases' targets that nobody has.
  check(directory.problems, lines: max(aliases.count, accounts.count) + 1, files: 3)

  var addresses = [Bytes("postmaster"), Bytes("anna@office.example"), Bytes("Abuse@mail.office.example")]
  while !input.isEmpty { addresses.append(input.part(before: ASCII.lf)) }
  var answers: [Resolution] = []
  for text in addresses.prefix(40) {
    guard let mailbox = Mailbox(text.span) else { continue }
    let resolution = directory.resolve(mailbox, now: 1)
    require(directory.resolve(mailbox, now: 1) == resolution, "another answer the second time")
    answers.append(resolution)
    if case .maildrops(let names) = resolution {
      require(!names.isEmpty && Set(names).count == names.count, "nobody, or somebody twice: \(names)")
      for name in names { require(directory.account(named: name) != nil, "no account: \(name.shown)") }
    }
    let isOurs = [Bytes("office.example"), Bytes("shop.example"), Bytes()].contains(mailbox.domain)
    require(isOurs || resolution == .notLocal || mailbox.domain == Bytes("mail.office.example"), "relayed")
    require(!isOurs || resolution != .notLocal, "ours, and not taken")
    // RFC 5321 §4.5.1
    if isOurs, mailbox.localPart.lowercased.equals("postmaster") {
      require(resolution != .unknown, "nobody is postmaster")
    }
    _ = directory.login(text, now: 1)
  }

  // Comments and blank lines change nothing.
  disk.set("/aliases", Bytes("# comment\n\n") + aliases)
  let other = Fuzz.directory(on: disk)
  let again = addresses.prefix(40).compactMap { Mailbox($0.span) }.map { other.resolve($0, now: 1) }
  require(again == answers, "a comment has changed who gets mail")
}

private func directory(on disk: MemoryDisk) -> Directory {
  Directory(
    disk, accounts: Path("/accounts"), aliases: Path("/aliases"),
    domains: [Bytes("office.example"), Bytes("shop.example")], hostName: Bytes("mail.office.example"))
}
