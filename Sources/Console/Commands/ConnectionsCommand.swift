import System
import Wire

/// `connections` and `refusals`: who talks to the server now, and whom it turned away.
struct ConnectionsCommand {
  let site: Site
  let invocation: Invocation
  let output: Output

  func run() throws(Failure) -> ExitCode {
    guard let client = try ControlClient.connect(site.state) else {
      throw Failure(.unavailable, "the server does not run; nobody is connected, and what it refused it has forgotten")
    }
    let areRefusals = invocation.command.verb == .refusals
    let lines = try client.lines(Bytes(areRefusals ? "REFUSALS" : "CONNECTIONS"))
    var json = JSON()
    json.beginArray()
    for line in lines {
      if areRefusals { refusal(line, &json) } else { connection(line, &json) }
    }
    json.endArray()
    if invocation.has(.json) {
      output.line(json.text)
    } else if lines.isEmpty {
      output.line(areRefusals ? "nobody was refused since the server was started" : "nobody is connected")
    }
    return .ok
  }

  /// `SERVICE ADDRESS SECONDS IDLE TLS NAME`
  private func connection(_ line: Bytes, _ json: inout JSON) {
    let words = SystemText.words(line)
    guard words.count >= 6 else { return }
    let seconds = SystemText.number(words[2]) ?? 0
    let idle = SystemText.number(words[3]) ?? 0
    if invocation.has(.json) {
      json.beginObject()
      json.add("service", words[0])
      json.add("address", words[1])
      json.add("seconds", seconds)
      json.add("idle", idle)
      json.add("tls", words[4])
      json.add("account", words[5])
      return json.endObject()
    }
    var text = words[0]
    text.pad(to: 6)
    text += words[1]
    text.pad(to: 24)
    text += words[4].equals("-") ? Bytes("clear") : words[4]
    text.pad(to: 32)
    text += words[5].equals("-") ? Bytes("no login") : words[5]
    text += ", for "
    Moment.append(duration: seconds, to: &text)
    if idle >= 60 {
      text += ", silent for "
      Moment.append(duration: idle, to: &text)
    }
    output.line(text)
  }

  /// `TIME COUNT` and words.
  private func refusal(_ line: Bytes, _ json: inout JSON) {
    let words = line.split(separator: ASCII.space, maxSplits: 2).map { Bytes($0) }
    guard words.count == 3, let time = SystemText.number(words[0]), let count = SystemText.number(words[1])
    else { return }
    if invocation.has(.json) {
      json.beginObject()
      json.add("time", time)
      json.add("count", count)
      json.add("what", words[2])
      return json.endObject()
    }
    var text = Bytes()
    Moment.append(time, to: &text)
    text += "  "
    text += words[2]
    if count > 1 {
      text += " ("
      text.append(decimal: Int(count))
      text += " times)"
    }
    output.line(text)
  }
}
