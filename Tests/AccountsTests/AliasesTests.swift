import Accounts
import System
import Testing
import Wire

@Suite("The aliases file's text")
struct AliasesTests {
  func aliases(_ text: String) -> Aliases { aliases(Bytes(text.utf8)) }

  func aliases(_ text: Bytes) -> Aliases {
    Aliases(text.span, file: Path("/etc/restante/aliases")) { $0 == Bytes("office.example") }
  }

  /// `sales@2: anna bert+x \carl dora@office.example`, one for each alias.
  func words(_ aliases: Aliases) -> [String] {
    aliases.all.map { alias in
      let targets = alias.targets.map {
        ($0.isAccount ? "\\" : "") + $0.localPart.text + ($0.domain.isEmpty ? "" : "@" + $0.domain.text)
      }
      return "\(alias.name.text)#\(alias.line): " + targets.joined(separator: " ")
    }
  }

  @Test("names, groups, lines that go on, comments between them, quotes, and white space are understood")
  func reading() {
    let aliases = aliases(
      """
      # who gets what
      sales: anna, bert
      everybody : sales,
      \tcarl ,

        # a comment in the middle
          dora,
      Postmaster:ANNA
        # an indented comment
      "front desk": "anna" , bert+desk
      "comma, colon: \\"x\\"": anna
      info@Office.Example: anna@OFFICE.example
      bert: \\bert, carla
      @office.example: zoe
      *: anna
      """)
    #expect(aliases.problems.isEmpty)
    #expect(
      words(aliases) == [
        "sales#2: anna bert", "everybody#3: sales carl dora", "postmaster#8: anna", "front desk#10: anna bert+desk",
        "comma, colon: \"x\"#11: anna", "info@office.example#12: anna@office.example", "bert#13: \\bert carla",
        "@office.example#14: zoe", "*#15: anna",
      ])
    #expect(!aliases.hasIllegibleLine)
  }

  @Test("line ends of other systems, an empty file and a file of comments are fine")
  func lineEnds() {
    #expect(words(aliases("a: b\r\nc: d,\r\n e\r\n")) == ["a#1: b", "c#2: d e"])
    for text in ["", "\n", "# a\n#b", "   \n\t\n", "\r\n"] {
      #expect(words(aliases(text)).isEmpty && aliases(text).problems.isEmpty)
    }
  }

  @Test(
    "what would run, write, include or relay is a problem with its line, and the others of its line get their mail",
    arguments: [
      ("|/bin/x", "program"), ("\"|/bin/x -a, b\"", "program"), ("/var/mail/x", "files"), ("\"/var/mail/x\"", "files"),
      (":include:/etc/list", "lists"), ("x@elsewhere.example", "relayed"), ("x@", "neither"), ("x y", "comma"),
      ("x # note", "comma"), ("\"open", "neither"), ("*", "neither"), ("@office.example", "neither"),
      ("\u{1}", "\\x01"), (String(repeating: "x", count: 65), "neither"), ("", "before a comma"),
    ])
  func badTargets(_ target: String, _ word: String) {
    let aliases = aliases("x: y\n\nsales: anna, \(target), bert\nz: y\n")
    let expected = target == "\"open" ? "sales#3: anna" : "sales#3: anna bert"
    #expect(words(aliases) == ["x#1: y", expected, "z#4: y"])
    #expect(aliases.problems.count == 1)
    #expect(aliases.problems.first?.line == 3)
    let text = aliases.problems.first?.text.text ?? ""
    #expect(text.hasPrefix("sales: ") && text.contains(word), "\(text)")
  }

  @Test(
    "a line without a name that can be one is a problem, and everything else counts",
    arguments: [
      ("no colon", "colon"), (": anna", "no alias's name"), ("a b: anna", "no alias's name"),
      ("x@elsewhere.example: anna", "Domains="), ("@elsewhere.example: anna", "Domains="),
      ("*@office.example: anna", "catch-all"), ("\"open: anna", "colon"), ("\\x: anna", "no alias's name"),
      ("\0: anna", "\\x00"), ("x@: anna", "no alias's name"),
    ])
  func badNames(_ line: String, _ word: String) {
    let aliases = aliases("x: y\n\(line)\nz: y\n")
    #expect(words(aliases) == ["x#1: y", "z#3: y"])
    #expect(aliases.problems.count == 1 && aliases.problems.first?.line == 2)
    #expect(aliases.hasIllegibleLine)
    let text = aliases.problems.first?.text.text ?? ""
    #expect(text.contains(word), "\(text)")
  }

  @Test("of two aliases of one name the first counts, and the second is named")
  func twice() {
    let aliases = aliases("sales: anna\nSALES: bert\n")
    #expect(words(aliases) == ["sales#1: anna"])
    #expect(aliases.problems.first?.line == 2)
    #expect(aliases.problems.first?.text.text.contains("line 1") == true)
  }

  @Test("an alias of nobody is named, and stays known")
  func nobody() {
    let aliases = aliases("sales:\ninfo: |x\n")
    #expect(words(aliases) == ["sales#1: ", "info#2: "])
    #expect(aliases.problems.map(\.line) == [1, 2])
  }

  @Test("whatever one octet is changed to, or wherever it is cut, the lines around it count")
  func mutations() {
    let victim = Bytes("\"a b\"@office.example: \\anna, \"b, c\", d+e@office.example,\n  f # x\n".utf8)
    func hold(_ text: Bytes) {
      let names = aliases(Bytes("first: x\n".utf8) + text + Bytes("\nlast: x\n".utf8)).all.map(\.name.text)
      #expect(names.first == "first")
      #expect(names.last == "last", "\(text.text)")
    }
    for index in victim.indices {
      hold(Bytes(victim[..<index]))
      hold(Bytes(victim[index...]).first == 0x20 ? Bytes("x: y\n".utf8) + victim[index...] : Bytes(victim[index...]))
      for octet: UInt8 in [0, 9, 10, 13, 32, 34, 35, 42, 44, 58, 64, 92, 128, 195, 255] {
        var changed = victim
        changed[index] = octet
        hold(changed)
      }
    }
  }

  @Test("a file of nothing but rubbish tells a bounded number of problems")
  func rubbish() {
    #expect(aliases(String(repeating: "!!!\n", count: 5000)).problems.count == Limits.problems)
  }
}
