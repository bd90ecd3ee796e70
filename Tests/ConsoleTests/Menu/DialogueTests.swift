import Testing
import Wire

@testable import Console

struct DialogueTests {
  /// Holds the page `d` of `script` with somebody who types `answers`; nil for how they left, if to the end.
  @discardableResult
  static func hold(_ script: StaticString, _ desk: ScriptedDesk) -> Leaving? {
    let dialogue = Dialogue(desk, MenuScript(script)) { (call: Bytes, answer: inout Bytes) throws(Leaving) -> Bool in
      desk.commands.append("%" + call.text)
      answer += octets("known")
      return !call.text.hasPrefix("fail")
    }
    do throws(Leaving) { try dialogue.hold("d") } catch { return error }
    return nil
  }

  @Test("Answers become words of commands: one each, whatever is in it, and none that is an option")
  func words() {
    let script: StaticString = ":d T\n?1 One\n?2 Two []\n$ run $1 x$2 [ --opt $2 ] $*2"
    func commands(_ answers: String...) -> [String] {
      let desk = ScriptedDesk(answers)
      Self.hold(script, desk)
      return desk.commands
    }
    #expect(commands("a b", "c") == ["run|a b|xc|--opt|c|c"])
    #expect(commands("a", "") == ["run|a|x"])
    #expect(commands("a", "b, c,d") == ["run|a|xb, c,d|--opt|b, c,d|b|c|d"])
    #expect(commands("$2 [ --x ]", "") == ["run|$2 [ --x ]|x"])
    #expect(commands("--delete-mail", "") == [])
    #expect(commands("a", "b --all") == [], "a word in it would be an option")
    #expect(commands("  a  ", "-") == ["run|a|x"], "a hyphen answers nothing")
  }

  @Test("Every question has a way back: a dot, Ctrl-C, Ctrl-D, and Enter where nothing is proposed")
  func back() {
    for (answer, isBack) in [(".", true), ("^D", true), ("", true), ("^C", false)] {
      let desk = ScriptedDesk([answer])
      let leaving = Self.hold(":d T\n?1 One\n$ run $1", desk)
      switch leaving {
      case .back: #expect(isBack)
      case .menu: #expect(!isBack)
      default: Issue.record("\(answer) led to \(String(describing: leaving))")
      }
      #expect(desk.commands == [])
    }
  }

  @Test("Enter accepts what is proposed, and what is proposed may be an answer or what a command says")
  func defaults() {
    let desk = ScriptedDesk(["anna", "", ""])
    desk.says = [("propose", "open sesame\nmore\n")]
    Self.hold(":d T\n?1 Name\n~2 propose\n?2 Password [$2]\n?3 Host [$1.example]\n$2 add $1 $3", desk)
    #expect(desk.commands == ["add|anna|anna.example<open sesame>"])
    #expect(desk.questions == ["Name: ", "Password [open sesame]: ", "Host [anna.example]: "])
  }

  @Test("What is destructive happens only after its word was typed, whole and alone")
  func confirm() {
    for answer in ["", "Remove", "remov", "removee", "y", "remove it", "."] {
      let desk = ScriptedDesk([answer])
      Self.hold(":d T\n!remove It goes.\n$ run", desk)
      #expect(desk.commands == [], "after \(answer)")
      #expect(desk.shown.contains("Type remove to go on"))
    }
    let desk = ScriptedDesk([" remove "])
    Self.hold(":d T\n!remove It goes.\n$ run", desk)
    #expect(desk.commands == ["run"])
  }

  @Test("After a failure a dialogue asks again, or goes no further")
  func failures() {
    let desk = ScriptedDesk(["bad", "good"])
    desk.ends = [("set|bad", 65)]
    Self.hold(":d T\n#a\n?1 Name\n$ set $1\n^a\n$ next", desk)
    #expect(desk.commands == ["set|bad", "set|good", "next"])
    let other = ScriptedDesk([])
    other.ends = [("look", 75)]
    Self.hold(":d T\n$ look\n&\n$ next", other)
    #expect(other.commands == ["look"])
    let third = ScriptedDesk([""])
    third.ends = [("look", 75)]
    Self.hold(":d T\n#a\n$ look\n?1 Name [x]\n@1y $ set\n^a\n$ next", third)
    #expect(third.commands == ["look", "next"], "what was shown to help with a question is no reason to repeat it")
  }

  @Test("Lines may depend on an answer")
  func conditions() {
    func commands(_ answer: String) -> [String] {
      let desk = ScriptedDesk([answer])
      Self.hold(":d T\n?1 What []\n@1 $ any\n@1d $ dhcp\n@1!d $ other\n@1d >e\n$ last\n:e E\n$ next", desk)
      return desk.commands
    }
    #expect(commands("dhcp") == ["any", "dhcp", "next"])
    #expect(commands("D") == ["any", "dhcp", "next"])
    #expect(commands("f") == ["any", "other", "last"])
    #expect(commands("") == ["other", "last"])
  }

  @Test("Nothing of one dialogue's answers is left in the next one")
  func forgets() {
    let desk = ScriptedDesk(["1", "secret", "2", "q"])
    let dialogue = Dialogue(desk, MenuScript(":m M\n*a A\n*b B\n:a A\n?1 Word\n:b B\n$ run [ $1 ]")) { _, _ in true }
    do throws(Leaving) { try dialogue.menu("m") } catch { Issue.record("\(error)") }
    #expect(desk.commands == ["run"])
  }

  @Test("A menu does what is chosen, shows itself on Enter, and takes nothing else for a choice")
  func menus() {
    let script: StaticString = ":m Main\n*sub More\n*do Do it\n:sub Sub\n*do Do it\n:do Doing\n$ run"
    func session(_ answers: String...) -> (commands: [String], leaving: Leaving?, shown: String) {
      let desk = ScriptedDesk(answers)
      let dialogue = Dialogue(desk, MenuScript(script)) { (_, text: inout Bytes) throws(Leaving) -> Bool in
        text += octets("HEAD")
        return true
      }
      do throws(Leaving) { try dialogue.menu("m", isMain: true) } catch { return (desk.commands, error, desk.shown) }
      return (desk.commands, nil, desk.shown)
    }
    #expect(session("2", "1", "1", "q", " 02 ", "q").commands == ["run", "run", "run"])
    let noise = session("0x2", "3", "-1", "18446744073709551617", "1e0", "\u{2460}", "do", "q")
    #expect(noise.commands == [] && noise.leaving == nil)
    #expect(noise.shown.components(separatedBy: "There is no such entry.").count == 8)
    #expect(session("", "", "q").shown.components(separatedBy: "HEAD").count == 4)
    if case .hangUp? = session("1").leaving {} else { Issue.record("a hang-up is not passed on") }
    // Ctrl-C goes to the main menu from wherever it is.
    #expect(session("1", "^C", "2", "q").commands == ["run"])
  }
}

extension String {
  fileprivate func components(separatedBy part: String) -> [Substring] {
    split(separator: part, omittingEmptySubsequences: false)
  }
}
