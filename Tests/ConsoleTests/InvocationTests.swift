import Testing
import Wire

@testable import Console

struct InvocationTests {
  static func parse(_ line: [String]) -> Result<Invocation.Request, Failure> {
    Result { () throws(Failure) in try Invocation.parse(line.map(octets), CommandTable.all) }
  }

  static func run(_ line: [String]) throws -> Invocation {
    guard case .run(let invocation) = try parse(line).get() else { throw Failure(.software, "not a command") }
    return invocation
  }

  static func complaint(_ line: [String]) -> String {
    guard case .failure(let failure) = parse(line) else { return "accepted" }
    #expect(failure.code == .usage)
    return failure.text.text
  }

  @Test("Options may stand anywhere, with their value apart or after =")
  func options() throws {
    for line in [
      ["account", "add", "anna", "--quota", "1G", "--config", "f"],
      ["--config=f", "account", "--quota=1G", "add", "anna"],
      ["--config", "x", "account", "add", "--quota", "2G", "anna", "--quota=1G", "--config", "f"],
    ] {
      let invocation = try InvocationTests.run(line)
      #expect(invocation.command.verb == .accountAdd)
      #expect(invocation.operands == [octets("anna")])
      #expect(invocation.value(.quota) == octets("1G"))
      #expect(invocation.value(.config) == octets("f"))
      #expect(!invocation.has(.passwordStdin))
    }
  }

  @Test("After -- everything is an operand, and so is - alone")
  func operands() throws {
    #expect(try InvocationTests.run(["account", "add", "--", "--quota"]).operands == [octets("--quota")])
    #expect(try InvocationTests.run(["account", "add", "-"]).operands == [octets("-")])
    #expect(try InvocationTests.run(["account", "add", ""]).operands == [[]])
    #expect(try InvocationTests.run(["mail", "import", "a", "--mbox", "-"]).value(.mbox) == octets("-"))
    #expect(try InvocationTests.run(["mail", "import", "a", "--mbox=--x"]).value(.mbox) == octets("--x"))
  }

  @Test(
    "What was probably meant is named",
    arguments: [
      ("sevre", "`restante serve`"), ("statsu", "`restante status`"), ("accout", "`restante account`"),
      ("account remov", "`restante account remove`"), ("mail lst", "`restante mail list`"), ("demo --onec", "--once"),
      ("account add --qouta=5M", "--quota"), ("status --jsno", "--json"), ("--confg x serve", "--config"),
      ("check --rep", "--repair"),
    ])
  func nearMisses(_ line: String, _ meant: String) {
    let complaint = InvocationTests.complaint(line.split(separator: " ").map(String.init))
    #expect(complaint.contains("did you mean \(meant)"), "\(complaint)")
  }

  @Test(
    "Everything else that is wrong is named, too",
    arguments: [
      ("", "no command"), ("xyzzy", "unknown command"), ("account", "what to do"), ("account xyzzy", "unknown command"),
      ("account add", "missing"), ("account add a b", "too much"), ("serve now", "too much"), ("-x", "unknown option"),
      ("status --repair", "unknown option"), ("check --repair=yes", "takes no value"), ("serve --config", "value"),
      ("serve --config=", "not empty"), ("status --xyzzy", "`restante help status`"),
    ])
  func wrong(_ line: String, _ said: String) {
    let complaint = InvocationTests.complaint(line.split(separator: " ").map(String.init))
    #expect(complaint.contains(said), "\(complaint)")
  }

  @Test("Help and version are given wherever they are asked for")
  func help() throws {
    func words(_ line: String) throws -> [String]? {
      guard case .help(let words) = try InvocationTests.parse(line.split(separator: " ").map(String.init)).get() else {
        return nil
      }
      return words.map(\.text)
    }
    #expect(try words("--help") == [])
    #expect(try words("help") == [])
    #expect(try words("help account add") == ["account", "add"])
    #expect(try words("account add anna --help") == ["account", "add"])
    #expect(try words("account --help") == ["account"])
    #expect(try words("mail show -h") == ["mail", "show"])
    guard case .version = try InvocationTests.parse(["--version"]).get() else {
      Issue.record("no version")
      return
    }
  }

  @Test("All help fits 80 columns, in ASCII, and names every option with what it does")
  func columns() {
    var text = Bytes()
    Help.overview(CommandTable.all, into: &text)
    for command in CommandTable.all {
      var page = Bytes()
      Help.page(command, into: &page)
      for option in command.options {
        #expect(
          Bytes(command.details).split(separator: ASCII.lf).contains {
            $0.starts(with: Bytes("  ") + Bytes(option.name))
          },
          "\(option) of \(command.name)")
      }
      text += page
    }
    #expect(text.isASCII)
    for line in text.split(separator: ASCII.lf) { #expect(line.count <= 80, "\(Bytes(line).text)") }
  }
}
