import System
import Wire

/// A command line that was understood: which command, its operands, its options.
struct Invocation {
  let command: Command
  private(set) var operands: [Bytes] = []
  private var given: [(option: Option, value: Bytes)] = []

  /// What a command line asks for.
  enum Request {
    case run(Invocation)
    /// Help on all, or on the commands whose name begins with these words.
    case help([Bytes])
    case version
  }

  func has(_ option: Option) -> Bool { given.contains { $0.option == option } }

  /// The values of an option that may be given several times.
  func values(_ option: Option) -> [Bytes] { given.filter { $0.option == option }.map { $0.value } }

  /// The value of an option; the last one, when it was given several times.
  func value(_ option: Option) -> Bytes? { given.last { $0.option == option }?.value }

  /// Operands and values of options.
  var words: [Bytes] { operands + given.map { $0.value } }

  /// Puts other words in their places.
  mutating func replaceWords(_ other: (Bytes) -> Bytes) {
    operands = operands.map(other)
    given = given.map { ($0.option, other($0.value)) }
  }

  /// Understands `arguments`, which are what follows the program's name.
  ///
  /// Options may stand anywhere, with their value as `--quota 1G` or `--quota=1G`; after `--` there are none.
  static func parse(_ arguments: [Bytes], _ table: [Command]) throws(Failure) -> Request {
    var words: [Bytes] = []
    var given: [(option: Option, value: Bytes)] = []
    var spelled: [Bytes] = []
    var index = 0
    var isOver = false
    while index < arguments.count {
      let argument = arguments[index]
      index += 1
      if isOver || argument.count < 2 || argument[0] != 0x2D {
        words.append(argument)
      } else if argument.equals("--") {
        isOver = true
      } else if argument.equals("-h") {
        given.append((.help, []))
        spelled.append(argument)
      } else {
        let parts = argument.split(separator: 0x3D, maxSplits: 1, omittingEmptySubsequences: false)
        let name = Bytes(parts[0])
        guard let option = Option.allCases.first(where: { name.equals($0.name) }) else {
          throw unknown(option: name, for: find(words, table)?.command)
        }
        var value = Bytes()
        if let what = option.value {
          if parts.count == 2 {
            value = Bytes(parts[1])
          } else if index < arguments.count {
            value = arguments[index]
            index += 1
          } else {
            throw usage("needs a value", name, what)
          }
          if value.isEmpty { throw usage("needs a value that is not empty", name, what) }
        } else if parts.count == 2 {
          throw usage("takes no value", name, nil)
        }
        given.append((option, value))
        spelled.append(name)
      }
    }

    if given.contains(where: { $0.option == .version }) { return .version }
    let wantsHelp = given.contains { $0.option == .help }
    guard !words.isEmpty else {
      if wantsHelp { return .help([]) }
      throw Failure(.usage, "no command was given; `restante help` lists them")
    }
    guard let (command, used) = find(words, table) else {
      // `restante account --help` is a question about all the account commands.
      if wantsHelp, !Help.matching(words, table).isEmpty { return .help(words) }
      throw unknown(command: words, table)
    }
    if wantsHelp { return .help(words.prefix(used).map { $0 }) }
    for (entry, name) in zip(given, spelled)
    where !command.options.contains(entry.option) && !Option.common.contains(entry.option) {
      throw unknown(option: name, for: command)
    }
    let operands = [Bytes](words.dropFirst(used))
    if command.verb == .help { return .help(operands) }
    if operands.count < command.least { throw operandFailure("is missing something", command) }
    if operands.count > command.most { throw operandFailure("was told too much", command) }
    var invocation = Invocation(command: command)
    invocation.operands = operands
    invocation.given = given
    return .run(invocation)
  }

  private init(command: Command) { self.command = command }

  /// The command that `words` begin with, and how many of them are its name.
  private static func find(_ words: [Bytes], _ table: [Command]) -> (command: Command, used: Int)? {
    for command in table {
      let name = Bytes(command.name).split(separator: ASCII.space)
      if words.count >= name.count, zip(words, name).allSatisfy({ $0 == Bytes($1) }) { return (command, name.count) }
    }
    return nil
  }

  // MARK: what was wrong

  private static func usage(_ wrong: StaticString, _ name: Bytes, _ value: StaticString?) -> Failure {
    var text = name
    text += " "
    text += wrong
    if let value {
      text += ": "
      text += name
      text += "="
      text += value
    }
    return Failure(.usage, text)
  }

  private static func operandFailure(_ wrong: StaticString, _ command: Command) -> Failure {
    var text = Bytes("`")
    text += command.name
    text += "` "
    text += wrong
    text += "; it is used so:\n"
    Help.synopsis(command, into: &text)
    return Failure(.usage, text)
  }

  private static func unknown(option: Bytes, for command: Command?) -> Failure {
    var text = Bytes("unknown option ")
    text.append(quoted: option.span)
    let options = command.map { $0.options + Option.common } ?? Option.allCases
    if let command {
      text += " for `"
      text += command.name
      text += "`"
    }
    if let near = NearMiss.best(for: option, among: options.map { Bytes($0.name) }) {
      text += "; did you mean "
      text += near
      text += "?"
    } else if let command {
      text += "; `restante help "
      text += command.name
      text += "` lists its options"
    } else {
      text += "; `restante help` lists the commands"
    }
    return Failure(.usage, text)
  }

  private static func unknown(command words: [Bytes], _ table: [Command]) -> Failure {
    let group = Help.matching([words[0]], table)
    if words.count == 1, !group.isEmpty {
      var text = Bytes("`")
      text += words[0]
      text += "` needs to be told what to do; it is used so:"
      for command in group {
        text += "\n"
        Help.synopsis(command, into: &text, short: true)
      }
      return Failure(.usage, text)
    }
    var spoken = words[0]
    if words.count > 1, !group.isEmpty {
      spoken += " "
      spoken += words[1]
    }
    var text = Bytes("unknown command ")
    text.append(quoted: spoken.span)
    if let near = NearMiss.best(for: spoken, among: names(group.isEmpty ? table : group)) {
      text += "; did you mean `restante "
      text += near
      text += "`?"
    } else if group.isEmpty {
      text += "; `restante help` lists the commands"
    } else {
      text += "; `restante help "
      text += words[0]
      text += "` lists them"
    }
    return Failure(.usage, text)
  }

  /// The commands' names, and the first words of those that have two.
  private static func names(_ table: [Command]) -> [Bytes] {
    var names: [Bytes] = []
    for command in table {
      let name = Bytes(command.name)
      names.append(name)
      if let space = name.firstIndex(of: ASCII.space) {
        let group = Bytes(name[..<space])
        if !names.contains(group) { names.append(group) }
      }
    }
    return names
  }
}
