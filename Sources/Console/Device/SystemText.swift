import System
import Wire

/// What the kernel and the system tell in small files.
enum SystemText {
  /// Octets that are read of one: the kernel's tables of a device are shorter.
  private static let limit = 64 * 1024

  /// A file's text without the white space at its end; nil where it is not there.
  static func read(_ path: Bytes) -> Bytes? {
    // Files of /proc have no size. Some are root's alone, and root may act as the server's user.
    guard let file = try? Identity.asCaller({ () throws(Errno) in try Files().open(Path(path), .read) })
    else { return nil }
    var text = Bytes()
    while text.count < limit, let piece = try? Process.read(file.number, count: 4096), !piece.isEmpty { text += piece }
    while let last = text.last, last <= ASCII.space { text.removeLast() }
    return text
  }

  static func read(_ path: StaticString) -> Bytes? { read(Bytes(path)) }

  static func lines(_ text: Bytes) -> [Bytes] { text.split(separator: ASCII.lf).map { Bytes($0) } }

  /// The words of a line: what stands between spaces and tabs.
  static func words(_ line: Bytes) -> [Bytes] { line.split { $0 <= ASCII.space }.map { Bytes($0) } }

  /// What follows `key` in the first line that begins with it, without spaces around it.
  static func value(_ key: StaticString, in text: Bytes?) -> Bytes? {
    for line in text?.split(separator: ASCII.lf) ?? [] where Bytes(line).hasPrefix(key) {
      return Bytes(line.dropFirst(key.utf8CodeUnitCount).drop { $0 <= ASCII.space })
    }
    return nil
  }

  /// The number that `text` begins with.
  static func number(_ text: Bytes?) -> Int64? {
    guard let text else { return nil }
    return Bytes(text.prefix { ASCII.isDigit($0) }).span.decimal.flatMap { Int64(exactly: $0) }
  }

  /// Whether `part` stands somewhere in `text`.
  static func contains(_ text: Bytes, _ part: StaticString) -> Bool {
    let span = text.span
    let count = part.utf8CodeUnitCount
    var at = 0
    while at + count <= span.count {
      if span.extracting(at..<at + count).equals(part) { return true }
      at += 1
    }
    return false
  }
}

/// Programs of the system that know more.
enum Tool {
  /// What one says on standard output; nil where it is not there, or fails. `line` is the program and its words, with
  /// spaces between; `more` are words that follow.
  static func ask(_ line: StaticString, _ more: [Bytes] = []) -> Bytes? {
    guard let answer = try? ChildProcess.ask(words(line) + more), answer.code == 0 else { return nil }
    return answer.text
  }

  /// Runs one that says what it has to say itself; returns how it ended, and nil where it is not there.
  static func run(_ words: [Bytes], output: Int32 = 1) throws(Failure) -> Int32? {
    do throws(Errno) {
      return try ChildProcess(words, input: 0, output: output, error: 2).wait()
    } catch {
      if error == .notFound { return nil }
      throw Failure("cannot run", Path(words[0]), error)
    }
  }

  static func words(_ line: StaticString) -> [Bytes] { SystemText.words(Bytes(line)) }
}

/// Where the device keeps what is root's, on its data partition.
enum DevicePlace {
  static let directory = Path("/var/lib/restante-device")

  static func file(_ name: StaticString) -> Path { directory.appending(name) }

  /// A file's text; nil where it is not there.
  static func read(_ name: StaticString) -> Bytes? { SystemText.read(file(name).bytes) }

  static func write(_ name: StaticString, _ text: Bytes) throws(Failure) {
    do throws(Errno) {
      try Files().ensureDirectory(directory, permissions: 0o755)
      try Files().replace(file(name), with: text, permissions: 0o644)
    } catch {
      throw Failure("cannot write", file(name), error)
    }
  }

  static func remove(_ name: StaticString) { try? Files().remove(file(name)) }

  /// For what only root can do.
  static func needsRoot() throws(Failure) {
    if Process.user != 0 { throw Failure(.permission, "only root can do this; run it as root") }
  }
}
