import System
import Wire

/// `stick list`, `mount` and `eject`.
enum StickCommand {
  static func run(_ invocation: Invocation, _ output: Output) throws(Failure) -> ExitCode {
    let files = Files()
    switch invocation.command.verb {
    case .stickMount:
      if !Stick.isMounted(files) { try StickUse.mount(named: invocation.operands.first ?? [], files) }
      output.line(Bytes("the stick is at ") + Stick.directory.bytes + Bytes("; `restante stick eject` lets go of it"))
    case .stickEject:
      try StickUse.eject(files)
      output.line("the stick can be pulled out")
    default: list(files, output)
    }
    return .ok
  }

  private static func list(_ files: Files, _ output: Output) {
    let sticks = Stick.all(files)
    if sticks.isEmpty { output.line("no USB stick is in; put one in and wait a moment") }
    for stick in sticks {
      var text = stick.name
      text.pad(to: 10)
      text.append(rounded: stick.size)
      text.pad(to: 17)
      if let format = stick.format { text += format.type } else { text += "no file system that can be used" }
      text += "  "
      text.append(shown: stick.model.span)
      output.line(text)
    }
  }
}
