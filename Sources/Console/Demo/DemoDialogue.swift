import System
import Wire

/// A client's side of a dialogue over TCP that shows what both say.
final class DemoDialogue {
  private let socket: Descriptor
  private var received = Bytes()

  init(_ address: SocketAddress) throws(Failure) {
    do throws(Errno) {
      socket = try Sockets.connect(address)
    } catch {
      throw Failure(.unavailable, Bytes("cannot connect to ") + address.textWithPort + Bytes(": ") + error.text)
    }
  }

  func ask(_ command: StaticString, _ expected: StaticString) throws(Failure) {
    try ask(Bytes(command), expected)
  }

  /// Sends a command and reads its answer, which must begin with `expected`.
  func ask(_ command: Bytes, _ expected: StaticString) throws(Failure) {
    try send(command + Bytes("\r\n"))
    try expect(expected)
  }

  func send(_ text: Bytes) throws(Failure) {
    for line in text.split(separator: ASCII.lf) { show("C: ", Bytes(line)) }
    var done = 0
    while done < text.count {
      do throws(Errno) {
        done += try Sockets.send(socket.number, text.span.extracting(done...))
      } catch {
        throw Failure(.unavailable, Bytes("the server cannot be sent to: ") + error.text)
      }
    }
  }

  /// Reads an answer, also one of SMTP's with several lines.
  func expect(_ expected: StaticString) throws(Failure) {
    while true {
      let line = try line()
      guard line.hasPrefix(expected) else {
        throw Failure(.software, Bytes("the server did not answer as expected: ") + line)
      }
      // RFC 5321 §4.2.1: a hyphen after the code says that more follows.
      if line.count < 4 || line[3] != 0x2D || !ASCII.isDigit(line[0]) { return }
    }
  }

  /// Reads what follows a multi-line answer of POP3, in wire format up to and with the lone dot.
  func block() throws(Failure) -> Bytes {
    var block = Bytes()
    while true {
      let line = try line()
      block += line
      block += "\r\n"
      if line.equals(".") { return block }
    }
  }

  private func line() throws(Failure) -> Bytes {
    while true {
      if let end = received.firstIndex(of: ASCII.lf) {
        var line = Bytes(received[..<end])
        received.removeSubrange(...end)
        if line.last == ASCII.cr { line.removeLast() }
        show("S: ", line)
        return line
      }
      var buffer = Bytes(repeating: 0, count: 4096)
      do throws(Errno) {
        let count = try Sockets.receive(socket.number, into: &buffer)
        if count == 0 { throw .io }
        received += buffer.span.extracting(0..<count)
      } catch {
        throw Failure(.unavailable, "the server ended the connection")
      }
    }
  }

  private func show(_ who: StaticString, _ line: Bytes) {
    var text = Bytes("  ")
    text += who
    text += line
    if text.last == ASCII.cr { text.removeLast() }
    text.append(ASCII.lf)
    Process.write(text, to: 1)
  }
}
