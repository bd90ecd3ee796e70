import Wire

@testable import Console

/// A desk with somebody at it who types what the test says, and leaves then.
final class ScriptedDesk: Desk {
  /// What is still to be typed.
  var answers: [String]
  /// All that was shown, questions and answers included.
  var shown = ""
  /// The questions alone.
  var questions: [String] = []
  /// The commands that were run, with what was given to them in `<>`.
  var commands: [String] = []
  /// How commands end, and what they say: by the beginning of their words.
  var ends: [(String, Int32)] = []
  var says: [(String, String)] = []
  /// Seconds that passed without anybody being asked.
  var paused = 0
  var shells = 0
  /// What each command is followed by, such as a hang-up.
  var onRun: ((String) throws(Leaving) -> Void)?
  /// How somebody leaves who has nothing more to type.
  var leaving = Leaving.hangUp

  init(_ answers: [String]) { self.answers = answers }

  override func say(_ text: Bytes) throws(Leaving) { shown += text.text }

  override func ask(_ question: Bytes, secret: Bool, fresh: Bool) throws(Leaving) -> Bytes {
    shown += question.text
    questions.append(question.text)
    guard !answers.isEmpty else { throw leaving }
    let answer = answers.removeFirst()
    switch answer {
    case "^C": throw .menu
    case "^D": throw .back
    case "(idle)": throw isPatient ? .hangUp : .idle
    default: break
    }
    shown += (secret ? String(repeating: "*", count: answer.count) : answer) + "\n"
    return octets(answer)
  }

  override func run(_ words: [Bytes], input: Bytes?, _ showing: Showing) throws(Leaving) -> Int32 {
    let command = words.map(\.text).joined(separator: "|")
    commands.append(command + (input.map { "<\($0.text.dropLast())>" } ?? ""))
    if let onRun { try onRun(command) }
    return ends.last { command.hasPrefix($0.0) }?.1 ?? 0
  }

  override func capture(_ words: [Bytes]) -> Bytes? {
    let command = words.map(\.text).joined(separator: "|")
    return says.last { command.hasPrefix($0.0) }.map { octets($0.1) }
  }

  override func pause(seconds: Int) { paused += seconds }
  override func shell() { shells += 1 }
}
