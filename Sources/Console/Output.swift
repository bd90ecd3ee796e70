import System
import Wire

/// What a command has to say, on its way to standard output.
final class Output {
  private var text = Bytes()
  private let descriptor: Int32
  private var error: Errno?

  /// Octets gathered before they are written: a table of 100,000 lines is not one system call each.
  private static let gathered = 16 * 1024

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  func write(_ more: Bytes) {
    text += more
    if text.count >= Output.gathered { flush() }
  }

  func write(_ more: StaticString) {
    text += more
    if text.count >= Output.gathered { flush() }
  }

  func line(_ more: Bytes) {
    text += more
    write("\n")
  }

  func line(_ more: StaticString = "") {
    text += more
    write("\n")
  }

  /// Writes out what was gathered. After a failure nothing more is written.
  func flush() {
    if error == nil, !text.isEmpty {
      do throws(Errno) { try Streams.write(text.span, to: descriptor) } catch { self.error = error }
    }
    text.removeAll(keepingCapacity: true)
  }

  /// Writes out the rest.
  func finish() throws(Failure) {
    flush()
    guard let error else { return }
    var text = Bytes("cannot write to standard output: ")
    text += error.text
    text += "; what was shown is incomplete"
    throw Failure(.io, text)
  }
}

/// Standard error: problems, and questions to the person at the keyboard.
enum Complaint {
  /// Writes `restante: text`, each further line indented. On a terminal, lines are broken between words.
  static func write(_ text: Bytes) {
    let indent: StaticString = "          "
    let columns = Process.isTerminal(2) ? max(40, Terminal.width(2) ?? 80) : Int.max
    var line = Bytes("restante: ")
    var start = 0
    for (index, octet) in text.enumerated() {
      if octet == ASCII.space, line.count - start > indent.utf8CodeUnitCount {
        let end = text[(index + 1)...].firstIndex { $0 == ASCII.space || $0 == ASCII.lf } ?? text.count
        if line.count - start > columns - (end - index) - 1 {
          line.append(ASCII.lf)
          start = line.count
          line += indent
          continue
        }
      }
      line.append(octet)
      if octet == ASCII.lf {
        start = line.count
        line += indent
      }
    }
    line.append(ASCII.lf)
    Process.write(line, to: 2)
  }
}
