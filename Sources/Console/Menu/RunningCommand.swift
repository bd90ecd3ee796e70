import System
import Wire

/// One of the program's own commands as it runs, in a session of its own: what becomes of the terminal is nothing to it.
final class RunningCommand {
  let child: ChildProcess
  let end: Descriptor
  private let pipe: Descriptor
  /// Reads what the command says to nobody.
  private var drain: ChildProcess?

  /// Starts it.
  init(_ words: [Bytes], input: Bytes?) throws(Errno) {
    let output = try Pipe()
    let writing = output.writingEnd.number
    let given = try Pipe()
    // A pipe takes more than any line that is typed.
    if let input { try Streams.write(input.span, to: given.writingEnd.number) }
    let reading = given.reading()
    child = try ChildProcess(
      words, input: input == nil ? nil : reading.number, output: writing, error: writing, ownSession: true)
    end = try child.endDescriptor()
    pipe = output.reading()
  }

  /// What it says, on standard output and standard error.
  var output: Int32 { pipe.number }

  /// Leaves it alone. It would end at what it says next if nobody read that, so somebody does who outlives us.
  func leave() {
    drain = try? ChildProcess([Bytes("cat")], input: pipe.number, ownSession: true)
  }

  /// Whether it has ended after it was left.
  var hasEnded: Bool {
    func isOver(_ child: borrowing ChildProcess) -> Bool {
      do throws(Errno) { return try child.ended() != nil } catch { return true }
    }
    guard isOver(child) else { return false }
    guard let other = drain?.identifier else { return true }
    return other < 0
  }
}
