import System
import Testing
import Wire

@testable import Accounts

@Suite("The aliases file, changed by a command")
struct AliasesFileTests {
  let office: Office
  let list: AccountList

  init() throws {
    office = try Office()
    var list = AccountList()
    for name in ["anna", "bert"] {
      try list.add(Account(name: Bytes(name.utf8), verifier: someVerifier(), created: 0))
    }
    self.list = list
  }

  var file: AliasesFile { AliasesFile(office.files, office.aliases, domains: [Bytes("office.example")]) }

  @Test("keeps what people wrote in the rest of it, octet for octet")
  func keeps() throws {
    try office.write(
      "# ours\n\nsales: anna,   # not a comment\nfront:\tanna,\n  bert,\n# in the middle\n  anna\n\nlast: bert",
      to: office.aliases)
    _ = try file.set(Bytes("front"), Bytes("bert"), list)
    #expect(
      try office.read(office.aliases)
        == "# ours\n\nsales: anna,   # not a comment\nfront: bert\n# in the middle\n\nlast: bert\n")
    try file.remove(Bytes("last"))
    #expect(try office.read(office.aliases).hasSuffix("front: bert\n# in the middle\n\n"))
    _ = try file.set(Bytes("new"), Bytes("anna, bert"), list)
    #expect(try office.read(office.aliases).hasSuffix("\n\nnew: anna, bert\n"))
  }

  @Test("is made when there is none, for the server to read")
  func fresh() throws {
    let alias = try file.set(Bytes("Front Desk"), Bytes("Anna"), list)
    #expect(alias.name == Bytes("front desk"))
    #expect(try office.read(office.aliases) == "\"Front Desk\": Anna\n")
    #expect(try office.files.status(office.aliases).mode & 0o444 == 0o444)
  }

  @Test(
    "takes nothing that reaches nobody, leads in a circle, or is none",
    arguments: [
      ("sales", "nobody"), ("sales", "anna, nobody"), ("loop", "sales"), ("sales", ""), ("", "anna"),
      ("sales", "anna\nbert: anna"), ("a b\": c", "anna"), ("sales@elsewhere.example", "anna"),
      ("sales", "anna@elsewhere.example"), ("sales", "|cat"), ("sales", "sales"),
    ])
  func refuses(_ name: String, _ targets: String) throws {
    let text = "sales: loop, anna\n"
    try office.write(text, to: office.aliases)
    #expect(throws: AliasesError.self) { try file.set(Bytes(name.utf8), Bytes(targets.utf8), list) }
    #expect(try office.read(office.aliases) == text)
  }

  @Test("cannot lose an alias that it does not have")
  func unknown() {
    #expect(throws: AliasesError.unknown) { try file.remove(Bytes("sales")) }
  }
}
