import System
import Wire

/// `bans`.
struct BansCommand {
  let site: Site
  let invocation: Invocation
  let output: Output

  func run() throws(Failure) -> ExitCode {
    guard let client = try ControlClient.connect(site.state) else {
      throw Failure(.unavailable, "the server does not run; bans end with it, so there are none")
    }
    let words = invocation.operands
    if !words.isEmpty {
      guard words.count == 2, words[0].equals("lift") else {
        throw Failure(.usage, "say `restante bans` to see them, `restante bans lift ADDRESS` to end one")
      }
      _ = try client.request(Bytes("UNBAN ") + words[1])
      output.line(Bytes("the ban is lifted; wrong passwords from there are counted anew"))
      return .ok
    }
    var more: UInt64 = 0
    for line in try client.lines(Bytes("STATUS")) {
      if line.hasPrefix("banned=") { more = Bytes(line.dropFirst(7)).span.decimal ?? 0 }
      guard line.hasPrefix("ban="), let space = line.firstIndex(of: ASCII.space), more > 0 else { continue }
      more -= 1
      var text = Bytes(line[4..<space])
      text += ": for another "
      let seconds = Bytes(line[(space + 1)...]).span.decimal ?? 0
      Moment.append(duration: Int64(clamping: seconds), to: &text)
      output.line(text)
    }
    if more > 0 {
      var text = Bytes("and ")
      text.append(decimal: more)
      text += " more"
      output.line(text)
    }
    return .ok
  }
}
