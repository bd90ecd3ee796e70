import System
import Wire

/// Why a command cannot go on: what happened, what it means, what to do. It is shown after `restante: `.
struct Failure: Error {
  let code: ExitCode
  /// One or more lines without the last line's end.
  let text: Bytes

  init(_ code: ExitCode, _ text: Bytes) {
    self.code = code
    self.text = text
  }

  init(_ code: ExitCode, _ text: StaticString) { self.init(code, Bytes(text)) }

  /// `happened`, a name in quotes, the kernel's reason, and advice that fits the reason.
  init(_ happened: StaticString, _ path: Path, _ errno: Errno, otherwise code: ExitCode = .io) {
    var text = Bytes(happened)
    text += " "
    text.append(shown: path.bytes.span, limit: path.bytes.count)
    text += ": "
    text += errno.text
    switch errno {
    case .denied, .notPermitted:
      text += "; run this as root or as the user it belongs to"
      self.init(.permission, text)
    case .noSpace, .quotaExceeded:
      text += "; make room there and try again"
      self.init(.io, text)
    default: self.init(code, text)
    }
  }
}
