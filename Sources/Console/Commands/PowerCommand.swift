import System
import Wire

/// `restart` and `poweroff`: of the whole device.
struct PowerCommand {
  let invocation: Invocation
  let output: Output

  func run() throws(Failure) -> ExitCode {
    try DevicePlace.needsRoot()
    guard Files().exists(Path("/run/systemd/system")) else {
      throw Failure(.unavailable, "systemd does not run this machine, so it is not switched off from here")
    }
    let isOff = invocation.command.verb == .powerOff
    output.line("Transfers that are under way are finished first.")
    output.flush()
    // The ports first, or a connection would start it again.
    let units = Tool.words(
      """
      restante.socket restante-submissions.socket restante-pop3.socket restante-pop3s.socket restante.service
      """)
    let stopped = Tool.ask("systemctl stop", units) != nil
    let flushed = Tool.ask("sync") != nil
    if !stopped || !flushed {
      output.line(
        "The server, or the disk, did not come to its end in order; what was answered 250 is safe all the same.")
    } else if isOff {
      output.line("All mail is on the disk and nothing is written any more: the plug may be pulled now.")
    } else {
      output.line("All mail is on the disk. The device is back in a minute or two.")
    }
    output.flush()
    guard Tool.ask(isOff ? "systemctl poweroff" : "systemctl reboot") != nil else {
      throw Failure(.io, "systemd did not take the order; if the device does not stop, pull the plug")
    }
    return .ok
  }
}
