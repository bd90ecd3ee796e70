import Spool
import System
import Wire

/// What a check found in the spool, in words: what is wrong, what it means for the mail.
struct SpoolFindings {
  private let problems: [SpoolCheck.Problem]
  private let output: Output

  init(_ problems: [SpoolCheck.Problem], _ output: Output) {
    self.problems = problems
    self.output = output
  }

  /// Writes a line or two for each. Returns whether the spool is sound: what the next start puts right by itself is no
  /// damage.
  @discardableResult
  func tell(repaired: Bool) -> Bool {
    var isWhole = true
    for problem in problems {
      var text = Bytes("  ")
      SpoolFindings.describe(problem, &text)
      output.line(text)
      switch problem {
      case .tornTail, .badIndex, .noCheckpoint: if !repaired { output.line("    The next start mends it by itself.") }
      default: isWhole = false
      }
    }
    return isWhole
  }

  private static func describe(_ problem: SpoolCheck.Problem, _ text: inout Bytes) {
    switch problem {
    case .noIdentity:
      text += "Neither id nor log/id says who this spool is, so nothing in it can be read.\n"
      text += "    Put one of them back from a backup."
    case .unreadable(let path, let error):
      text.append(shown: path.bytes.span, limit: 4096)
      text += " cannot be read: "
      text += error.text
      text += ".\n    Where that is the card's fault, copy what can be read to a new one soon."
    case .damage(let segment, let offset, let octets):
      place(segment, offset, octets, &text)
      text += " are no record any more;\n    what was in them is lost, all around is served"
    case .wrongSum(let segment, let offset, let octets, let sequence, let maildrops):
      place(segment, offset, octets, &text)
      text += " are not what was written:\n    message "
      text.append(decimal: sequence)
      list(maildrops, &text)
    case .wrongContent(let file, let sequence, let maildrops):
      text += "log/"
      text.append(decimal: UInt64(file), width: 10)
      text += ".msg is missing or not what was written:\n    message "
      text.append(decimal: sequence)
      list(maildrops, &text)
      text += ". `restante mail export` saves what is left of it,\n    `restante mail delete` gives it up."
    case .tornTail(let segment, let offset, let octets):
      place(segment, offset, octets, &text)
      text += " were being written when the\n    power went. No message that was acknowledged is concerned."
    case .badIndex(let name):
      text += "the index of "
      text += name
      text += " is missing or damaged; it is made again from the log."
    case .noCheckpoint:
      text += "the checkpoint is missing or damaged; the next start reads the whole log."
    }
  }

  private static func place(_ segment: UInt32, _ offset: Int64, _ octets: Int64, _ text: inout Bytes) {
    text += "log/"
    text.append(decimal: UInt64(segment), width: 10)
    text += ".log: "
    text.append(decimal: Int(octets))
    text += " octets from "
    text.append(decimal: Int(offset))
    text += " on"
  }

  private static func list(_ maildrops: [Bytes], _ text: inout Bytes) {
    for (index, name) in maildrops.prefix(5).enumerated() {
      text += index == 0 ? " of " : ", "
      text += name
    }
    if maildrops.count > 5 { text += " and others" }
  }
}
