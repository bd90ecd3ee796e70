import System
import Wire

/// `update ...`: what firmware is, where it goes and when it is tried is the image's business, and done by its script.
enum UpdateCommands {
  static func run(_ invocation: Invocation) throws(Failure) -> ExitCode {
    let script = Bytes("/usr/lib/restante/update")
    guard Files().exists(Path(script)) else {
      throw Failure(
        .unavailable, "this is not the appliance, so it has no firmware; update the program as it was installed")
    }
    if Process.user != 0 { throw Failure(.permission, "firmware is root's business; run this as root") }
    let name = Bytes(invocation.command.name)
    // What follows `update `.
    let words = [script, Bytes(name[7...])] + invocation.operands
    do throws(Errno) {
      let code = try ChildProcess(words, input: 0, output: 1, error: 2).wait()
      return ExitCode(rawValue: code) ?? .software
    } catch {
      throw Failure("cannot run", Path(script), error)
    }
  }
}
