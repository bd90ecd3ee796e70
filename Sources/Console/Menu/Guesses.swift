import System
import Wire

/// Wrong guesses at a PIN, of all consoles together: each has the next one wait longer. They are kept where the next
/// session finds them, and until the device restarts.
final class Guesses {
  private let place: Place
  private let path: Path
  private var count = 0
  /// When the next guess will be looked at, by the clock that only grows, in milliseconds.
  private var until: Int64 = 0

  init(_ place: Place, _ name: StaticString) {
    self.place = place
    path = place.runtime.appending(name).adding(suffix: ".guesses")
  }

  /// Seconds until the next guess will be looked at.
  var wait: Int {
    read()
    return Int(max(0, until - Clock.monotonic) + 999) / 1000
  }

  /// Looks at a guess. It counts as a wrong one before, so that pulling the plug saves nobody from that; false also
  /// where another console's was wrong a moment ago.
  func look(_ isRight: () -> Bool) -> Bool {
    guard let file = try? place.files.open(path, [.read, .write, .create]) else {
      return look(in: nil, isRight)
    }
    // The lock goes with the descriptor.
    try? place.files.lock(file.number, wait: true)
    return look(in: file.number, isRight)
  }

  private func look(in file: Int32?, _ isRight: () -> Bool) -> Bool {
    read()
    if until > Clock.monotonic { return false }
    count += 1
    until = Clock.monotonic + Int64(min(1 << min(count - 1, 30), Limits.consoleGuessDelay)) * 1000
    write(file)
    guard isRight() else { return false }
    count = 0
    until = 0
    write(file)
    return true
  }

  private func read() {
    guard let text = try? place.files.contents(path, limit: 100) else { return }
    let words = text.split { $0 == ASCII.space || $0 == ASCII.lf }
    guard words.count == 2, let count = Bytes(words[0]).span.decimal, let until = Bytes(words[1]).span.decimal else {
      return
    }
    self.count = Int(clamping: count)
    // One from before a restart is no later than it can be.
    self.until = min(Int64(clamping: until), Clock.monotonic + Int64(Limits.consoleGuessDelay) * 1000)
  }

  private func write(_ file: Int32?) {
    guard let file else { return }
    var text = Bytes()
    text.append(decimal: count)
    text += " "
    text.append(decimal: Int(until))
    // Always as long, so that no longer one shows through.
    while text.count < 40 { text.append(ASCII.space) }
    text += "\n"
    try? place.files.writeAll(file, text.span, at: 0)
  }
}
