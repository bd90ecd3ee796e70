import System
import Wire

/// `clock`.
struct ClockCommand {
  let invocation: Invocation
  let output: Output

  func run() throws(Failure) -> ExitCode {
    let words = invocation.operands
    if let word = words.first, !word.equals("show") {
      guard word.equals("set"), words.count == 2 else {
        throw Failure(.usage, "say `restante clock`, or `restante clock set \"2026-05-31 18:00\"`")
      }
      try set(words[1])
    }
    let now = Clock.now
    var text = Bytes("it is ")
    Moment.append(now, to: &text)
    let offset = Clock.localOffset(at: now)
    text += offset == 0 ? " UTC, " : " local time, "
    text += DeviceClock.source
    output.line(text)
    return .ok
  }

  private func set(_ text: Bytes) throws(Failure) {
    guard text.contains(0x2D), let time = Moment.parse(text, now: Clock.now) else {
      throw Failure(.usage, "a time is said so: \"2026-05-31 18:00\"; a Z at its end means UTC")
    }
    if time < Limits.clockFloor { throw Failure(.data, "that is before this program was made; the clock was not set") }
    try DeviceClock.setByHand(time)
  }
}
