import System
import Wire

/// Asks for a new password.
enum PasswordPrompt {
  /// Times that somebody may type two different passwords.
  private static let attempts = 3

  /// The first line of standard input, or what is typed twice at the terminal without being shown.
  static func read(for name: Bytes, fromInput: Bool) throws(Failure) -> Bytes {
    if fromInput { return try readInput() }
    let terminal: Terminal
    do throws(Errno) {
      terminal = try Terminal()
    } catch {
      throw Failure(.usage, "there is no terminal to ask for the password; use --password-stdin")
    }
    for _ in 0..<attempts {
      var first = try ask(terminal, Bytes("New password for ") + name + Bytes(": "))
      defer { Crypto.cleanse(&first) }
      if first.isEmpty { throw Failure(.data, "no password was typed; nothing was changed") }
      var second = try ask(terminal, Bytes("Once more: "))
      defer { Crypto.cleanse(&second) }
      if Crypto.equal(first, second) { return Bytes(first.span) }
      terminal.write(Bytes("The two are not the same.\n"))
    }
    throw Failure(.data, "the two passwords were never the same; nothing was changed")
  }

  private static func ask(_ terminal: borrowing Terminal, _ question: Bytes) throws(Failure) -> Bytes {
    while true {
      terminal.write(question)
      do throws(Errno) {
        // One more than may be, so that what is too long is refused and not cut.
        if let line = try terminal.readSecret(limit: Limits.password + 1) { return line }
      } catch {
        throw Failure(.io, Bytes("cannot read from the terminal: ") + error.text)
      }
    }
  }

  private static func readInput() throws(Failure) -> Bytes {
    var line = Bytes()
    // A password that is too long is refused by its verifier; more than this need not be read.
    while line.count <= Limits.password + 2 {
      var piece: Bytes
      do throws(Errno) {
        piece = try Process.read(0, count: 512)
      } catch {
        throw Failure(.io, Bytes("cannot read the password from standard input: ") + error.text)
      }
      if piece.isEmpty { break }
      if let end = piece.firstIndex(of: ASCII.lf) {
        line += piece.span.extracting(0..<end)
        Crypto.cleanse(&piece)
        break
      }
      line += piece.span
      Crypto.cleanse(&piece)
    }
    if line.last == ASCII.cr { line.removeLast() }
    return line
  }
}
