import Accounts
import System
import Testing
import Wire

@Suite("Whom mail reaches")
struct DirectoryTests {
  /// A directory of the accounts anna, bert, carl and these aliases, read at second 1000.
  private func directory(
    _ aliases: String = "", accounts: [String] = ["anna", "bert", "carl"], domains: [String] = ["office.example"],
    _ body: (Directory, Office) throws -> Void
  ) throws {
    let office = try Office()
    try office.write(accounts.map { line($0) + "\n" }.joined(), to: office.accounts)
    if !aliases.isEmpty { try office.write(aliases, to: office.aliases) }
    let directory = office.directory(domains: domains)
    directory.reload(now: 1000)
    try body(directory, office)
  }

  private func resolve(_ directory: Directory, _ text: String, own: SocketAddress? = nil) -> String {
    directory.resolve(mailbox(text), own: own, now: 1000).words
  }

  @Test("an account is reached in every spelling, with or without a plus sign and what follows")
  func spellings() throws {
    try directory { directory, _ in
      for text in [
        "anna@office.example", "ANNA@Office.EXAMPLE", "anna+shop@office.example", "anna+a+b@office.example",
        "anna+@office.example", "\"anna\"@office.example", "\"an\\na\"@office.example",
      ] {
        #expect(resolve(directory, text) == "anna", "\(text)")
      }
      #expect(directory.newProblems().isEmpty)
    }
  }

  @Test("nobody's names are unknown, other domains are not ours")
  func refused() throws {
    try directory { directory, _ in
      for text in ["nobody", "ann", "annab", "anna.shop", "+anna", "\"anna \"", "\"\"", "*", "a+anna"] {
        #expect(resolve(directory, text + "@office.example") == "unknown", "\(text)")
      }
      for text in [
        "anna@elsewhere.example", "anna@sub.office.example", "anna@example", "anna@office.example.net",
        "anna@mail.office.example", "anna@[192.0.2.1]", "postmaster@elsewhere.example",
      ] {
        #expect(resolve(directory, text) == "not local", "\(text)")
      }
    }
  }

  @Test("all domains of ours are alike, but for aliases that name one")
  func domains() throws {
    let aliases = "info@shop.example: carl\ninfo: bert\n@shop.example: anna\n"
    try directory(aliases, domains: ["office.example", "shop.example", "bücher.example"]) { directory, _ in
      #expect(directory.problems.isEmpty)
      #expect(resolve(directory, "anna@shop.example") == "anna")
      #expect(resolve(directory, "anna@bücher.example") == "anna")
      #expect(resolve(directory, "info@shop.example") == "carl")
      #expect(resolve(directory, "info+x@SHOP.example") == "carl")
      #expect(resolve(directory, "info@office.example") == "bert")
      #expect(resolve(directory, "whoever@shop.example") == "anna")
      #expect(resolve(directory, "whoever@office.example") == "unknown")
    }
  }

  @Test("groups are followed through each other, each member once, whatever circles they have")
  func groups() throws {
    let aliases = """
      sales: anna, bert
      everybody: sales,
        carl, anna+list, Bert@office.example
      twice: anna, anna, sales
      circle: round
      round: circle, bert
      self: self
      """
    try directory(aliases) { directory, _ in
      #expect(resolve(directory, "sales@office.example") == "anna bert")
      #expect(resolve(directory, "SALES+x@office.example") == "anna bert")
      #expect(resolve(directory, "everybody@office.example") == "anna bert carl")
      #expect(resolve(directory, "twice@office.example") == "anna bert")
      #expect(resolve(directory, "circle@office.example") == "bert")
      #expect(resolve(directory, "round@office.example") == "bert")
      #expect(resolve(directory, "self@office.example") == "temporarily")
      let problems = directory.newProblems()
      #expect(problems.map(\.line) == [6, 7])
      #expect(problems.allSatisfy { $0.text.text.contains("leads back to itself") })
    }
  }

  @Test("an alias of an account's name comes first; the account itself is meant within it and behind a backslash")
  func shadows() throws {
    let aliases = "bert: bert, carl\nanna: carl\nboth: anna, \\anna\n"
    try directory(aliases) { directory, _ in
      #expect(directory.problems.isEmpty)
      #expect(resolve(directory, "bert@office.example") == "bert carl")
      #expect(resolve(directory, "bert+x@office.example") == "bert carl")
      #expect(resolve(directory, "anna@office.example") == "carl")
      #expect(resolve(directory, "both@office.example") == "carl anna")
    }
  }

  @Test("who has left is not reached through a second way to the same alias")
  func left() throws {
    try directory("anna: bert\nteam: anna, sales\nsales: anna\n") { directory, _ in
      #expect(resolve(directory, "team@office.example") == "bert")
    }
  }

  @Test("a plus-address may be an alias of its own")
  func plusAlias() throws {
    try directory("anna+shop: bert\n") { directory, _ in
      #expect(resolve(directory, "anna+shop@office.example") == "bert")
      #expect(resolve(directory, "anna+other@office.example") == "anna")
    }
  }

  @Test("the catch-all takes what nobody else does, in our domains only")
  func catchAll() throws {
    try directory("*: bert\nsales: anna\n") { directory, _ in
      #expect(resolve(directory, "whoever@office.example") == "bert")
      #expect(resolve(directory, "anna@office.example") == "anna")
      #expect(resolve(directory, "sales@office.example") == "anna")
      #expect(resolve(directory, "postmaster@office.example") == "anna")
      #expect(resolve(directory, "whoever@elsewhere.example") == "not local")
    }
  }

  @Test("postmaster and abuse reach someone: an alias's, or else the first account")
  func postmaster() throws {
    try directory { directory, _ in
      for text in [
        "postmaster", "Postmaster", "postmaster@office.example", "POSTMASTER+x@office.example", "abuse@office.example",
        "postmaster@mail.office.example", "abuse@mail.office.example",
      ] {
        #expect(resolve(directory, text) == "anna", "\(text)")
      }
    }
    try directory("postmaster: carl\nabuse: postmaster, bert\n") { directory, _ in
      #expect(resolve(directory, "postmaster") == "carl")
      #expect(resolve(directory, "abuse@office.example") == "carl bert")
    }
    try directory("postmaster: gone@elsewhere.example\nroot: postmaster\n") { directory, _ in
      #expect(resolve(directory, "postmaster") == "anna")
      #expect(resolve(directory, "root@office.example") == "anna")
    }
    try directory("root: postmaster\n") { directory, _ in
      #expect(resolve(directory, "root@office.example") == "anna")
      #expect(directory.problems.isEmpty)
    }
    try directory(accounts: []) { directory, _ in #expect(resolve(directory, "postmaster") == "temporarily") }
  }

  @Test("the address literal of our own end is ours, another one is not")
  func literals() throws {
    try directory("*: carl\n") { directory, _ in
      let four = SocketAddress(Bytes("192.0.2.1"), port: 25)
      let six = SocketAddress(Bytes("2001:db8::1"), port: 25)
      #expect(resolve(directory, "anna@[192.0.2.1]", own: four) == "anna")
      #expect(resolve(directory, "postmaster@[192.0.2.1]", own: four) == "anna")
      #expect(resolve(directory, "nobody@[192.0.2.1]", own: four) == "unknown")
      #expect(resolve(directory, "anna@[192.0.2.2]", own: four) == "not local")
      #expect(resolve(directory, "anna@[IPv6:2001:DB8:0::1]", own: six) == "anna")
      #expect(resolve(directory, "anna@[192.0.2.1]", own: six) == "not local")
    }
  }

  @Test("an alias of nobody is a problem that is named, and its mail waits at the sender")
  func strangers() throws {
    try directory("sales: nobody\ninfo: anna, nobody\nempty:\n") { directory, _ in
      #expect(resolve(directory, "sales@office.example") == "temporarily")
      #expect(resolve(directory, "empty@office.example") == "temporarily")
      #expect(resolve(directory, "info@office.example") == "anna")
      let problems = directory.newProblems()
      #expect(problems.map(\.line) == [3, 1, 2])
      #expect(problems[1].text.text.contains("\"nobody\""))
    }
  }

  @Test("ten thousand aliases one in the other are followed to their end")
  func depth() throws {
    let chain = (0..<10_000).map { "a\($0): a\($0 + 1)\n" }.joined() + "a10000: anna\n"
    try directory(chain) { directory, _ in
      #expect(directory.problems.isEmpty)
      #expect(resolve(directory, "a0@office.example") == "anna")
    }
  }

  @Test("logins are in either case, with a domain of ours or without")
  func logins() throws {
    try directory("sales: anna\n") { directory, _ in
      func name(_ text: String) -> String? {
        guard case .account(let account) = directory.login(Bytes(text.utf8), now: 1000) else { return nil }
        return account.name.text
      }
      for text in ["anna", "ANNA", "anna@office.example", "Anna@OFFICE.example", "anna@mail.office.example"] {
        #expect(name(text) == "anna", "\(text)")
      }
      for text in ["", "nobody", "sales", "anna+x", "anna@elsewhere.example", "anna@", "@office.example", "anna "] {
        #expect(directory.login(Bytes(text.utf8), now: 1000) == .unknown, "\(text)")
      }
      #expect(directory.account(named: Bytes("bert"))?.name.text == "bert")
      #expect(directory.accounts.count == 3)
    }
  }
}
