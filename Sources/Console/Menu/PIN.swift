import Accounts
import System
import Wire

/// A PIN that guards the console, or its shell. What is kept of it is a verifier, as of any password.
struct PIN {
  let place: Place
  let name: StaticString

  private var path: Path { place.pin(name) }

  /// Whether there is one.
  var isSet: Bool { place.files.exists(path) }

  /// Whether `text` is the one. Slow by design. A file that is damaged has no PIN that fits.
  func accepts(_ text: Bytes) -> Bool {
    guard var line = try? place.files.contents(path, limit: 1024) else { return false }
    while line.last == ASCII.lf { line.removeLast() }
    return (try? Verifier(line.span)?.accepts(text)) ?? false
  }

  /// Why `text` can be no PIN; nil if it can.
  static func problem(_ text: Bytes) -> StaticString? {
    guard text.count >= Limits.pin else { return "a PIN has four characters or more" }
    var isRun = true
    var isSame = true
    for index in 1..<text.count {
      if text[index] != text[0] { isSame = false }
      if text[index] != text[index - 1] &+ 1 { isRun = false }
    }
    return isRun || isSame ? "that is the first PIN that anybody would try" : nil
  }

  func set(_ text: Bytes) throws(Failure) {
    if let problem = Self.problem(text) { throw Failure(.data, problem) }
    var line = Bytes()
    do throws(PasswordProblem) {
      try Verifier.make(password: text).append(to: &line)
    } catch {
      throw Failure(.data, error.text)
    }
    line.append(ASCII.lf)
    do throws(Errno) {
      try place.files.replace(path, with: line)
    } catch {
      throw Failure("cannot write", path, error, otherwise: .cannotCreate)
    }
  }

  func remove() throws(Failure) {
    do throws(Errno) {
      try place.files.remove(path)
      try place.files.flushDirectory(path.directory)
    } catch {
      if error != .notFound { throw Failure("cannot remove", path, error) }
    }
  }
}
