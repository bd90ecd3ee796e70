import Wire

/// What `restante help` says. Every line fits 80 columns: it is read on serial consoles.
enum Help {
  static let version: StaticString = "restante 0.1.0\n"

  /// The list of commands.
  static func overview(_ table: [Command], into text: inout Bytes) {
    text += """
      restante: receives mail by SMTP, keeps it, and hands it out by POP3.

      usage: restante COMMAND [OPERAND...] [--OPTION...]


      """
    for command in table {
      text += "  "
      let start = text.count
      text += command.name
      text.pad(to: start + 16)
      text += command.summary
      text += "\n"
    }
    text += """

      Every command takes --config FILE (otherwise /etc/restante/restante.conf)
      and --help. `restante help COMMAND` tells more of one, `restante help mail`
      of all that begin with it. Commands end with 0 when they did what they were
      asked; otherwise with a number of sysexits(3), and say why.

      restante(8) and restante.conf(5) are the manual.

      """
  }

  /// The help on one command.
  static func page(_ command: Command, into text: inout Bytes) {
    text += "usage: "
    synopsis(command, into: &text)
    text += "\n\n"
    text += command.details
    text += "\n"
  }

  /// `restante account add NAME [--quota SIZE]`, broken where it would be too long.
  static func synopsis(_ command: Command, into text: inout Bytes, short: Bool = false) {
    let start = text.count
    text += "restante "
    text += command.name
    text += command.operands.utf8CodeUnitCount > 0 ? " " : ""
    text += command.operands
    if short { return }
    var column = text.count - start + 7
    for option in command.options where !isInOperands(option, command) {
      var word = Bytes(" [")
      word += option.name
      if let value = option.value {
        word += " "
        word += value
      }
      word += "]"
      if column + word.count > 78 {
        text += "\n          "
        column = 10
      }
      column += word.count
      text += word
    }
  }

  /// Options that must be there stand among the operands.
  private static func isInOperands(_ option: Option, _ command: Command) -> Bool {
    let operands = Bytes(command.operands)
    let name = Bytes(option.name)
    guard operands.count >= name.count else { return false }
    return (0...operands.count - name.count).contains { operands[$0...].starts(with: name) }
  }

  /// The commands whose name begins with `words`.
  static func matching(_ words: [Bytes], _ table: [Command]) -> [Command] {
    table.filter { command in
      let name = Bytes(command.name).split(separator: ASCII.space)
      return words.count <= name.count && zip(words, name).allSatisfy { $0 == Bytes($1) }
    }
  }
}
