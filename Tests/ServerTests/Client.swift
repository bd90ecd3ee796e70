import System
import Testing
import Wire

/// The other end of a connection. It waits for what it expects, and gives up after some seconds.
final class Client {
  private let socket: Descriptor

  init(_ address: SocketAddress) throws { socket = try Sockets.connect(address) }
  init(at path: Path) throws { socket = try Sockets.connect(at: path) }

  var number: Int32 { socket.number }

  struct Silence: Error {
    let received: String
    let expected: String
  }

  func send(_ text: String) { #expect(Process.write(Bytes(text.utf8), to: socket.number)) }
  func send(_ octets: Bytes) -> Bool { Process.write(octets, to: socket.number) }
  func finish() { Sockets.shutdownWrite(socket.number) }

  /// Reads until what came ends with `end`, or until the server closes if that is nil; returns it.
  @discardableResult
  func read(until end: String?) throws -> String { try octets(until: end).text }

  func octets(until end: String?) throws -> Bytes {
    var poll = try Poll()
    try poll.add(socket.number, .read, token: 1)
    let tail = end.map { Bytes($0.utf8) } ?? []
    var all = Bytes()
    while end == nil || all.count < tail.count || !all.suffix(tail.count).elementsEqual(tail) {
      var isReady = false
      try poll.wait(milliseconds: 20_000) { _, _ in isReady = true }
      guard isReady else { throw Silence(received: Bytes(all.suffix(500)).text, expected: end ?? "the end") }
      var buffer = Bytes(repeating: 0, count: 65_536)
      let count: Int
      do { count = try Sockets.receive(socket.number, into: &buffer) } catch {
        if end == nil { return all }
        throw error
      }
      if count == 0 {
        if end == nil { return all }
        throw Silence(received: Bytes(all.suffix(500)).text + "<closed>", expected: end ?? "")
      }
      all += buffer[..<count]
    }
    return all
  }

  /// Sends, and reads the answer.
  @discardableResult
  func ask(_ text: String, until end: String? = "\r\n") throws -> String {
    send(text)
    return try read(until: end)
  }

  /// Logs in by POP3.
  func logIn(_ name: String = "anna") throws {
    #expect(try read(until: "\r\n").hasPrefix("+OK "))
    #expect(try ask("USER \(name)\r\n").hasPrefix("+OK "))
    let answer = try ask("PASS pencil\r\n")
    #expect(answer.hasPrefix("+OK "), "\(answer)")
  }

  /// Greets by SMTP.
  func greet() throws {
    #expect(try read(until: "\r\n").hasPrefix("220 "))
    #expect(try ask("HELO here.example\r\n").hasPrefix("250 "))
  }

  /// Sends a message by SMTP, after `greet`; returns the answer to its content.
  func deliver(_ content: String, to recipient: String = "anna@office.example") throws -> String {
    #expect(try ask("MAIL FROM:<x@y.example>\r\n").hasPrefix("250 "))
    #expect(try ask("RCPT TO:<\(recipient)>\r\n").hasPrefix("250 "))
    #expect(try ask("DATA\r\n").hasPrefix("354 "))
    return try ask(content)
  }
}
