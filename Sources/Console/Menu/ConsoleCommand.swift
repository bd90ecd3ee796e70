import System
import Wire

/// `console`.
struct ConsoleCommand {
  let invocation: Invocation

  func run() throws(Failure) -> ExitCode {
    let config = invocation.value(.config)
    let place = Place(config)
    var common: [Bytes] = []
    if let config { common = [Bytes("--config"), config] }
    guard let device = invocation.value(.device) else {
      guard Process.isTerminal(0) else {
        throw Failure(.usage, "standard input is no terminal; sit down at one, or name one with --device ttyS0")
      }
      let leaving = try session(nil, place, common)
      if case .hangUp = leaving { return .unavailable }
      return .ok
    }
    let path = device.first == 0x2F ? Path(device) : Path("/dev").appending(device)
    while true {
      let leaving = try session(path, place, common)
      if case .stop = leaving { return .ok }
      // A line without anybody says so again and again.
      if var poll = try? Poll() { try? poll.wait(milliseconds: 1000) { _, _ in } }
    }
  }

  private func session(_ device: Path?, _ place: Place, _ common: [Bytes]) throws(Failure) -> Leaving {
    do throws(Errno) {
      let desk = try TerminalDesk(device, common: common)
      return ConsoleSession(desk, place).run()
    } catch {
      throw Failure("cannot use the terminal", device ?? Path("on standard input"), error, otherwise: .unavailable)
    }
  }
}
