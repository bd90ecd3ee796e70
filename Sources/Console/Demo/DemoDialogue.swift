import System
import Wire

/// A client's side of a dialogue over TCP, or TLS, that may show what both say.
final class DemoDialogue {
  /// Held apart: a session cannot be in an optional that is looked into.
  private final class Channel {
    let session: TLSSession
    init(_ session: consuming TLSSession) { self.session = session }
  }

  private let socket: Descriptor
  private var received = Bytes()
  private var channel: Channel?
  private let isShown: Bool
  /// The last line that the server said.
  private(set) var answer = Bytes()

  /// - Parameter milliseconds: the most that each answer may take; 0 for no limit.
  init(_ address: SocketAddress, isShown: Bool = true, milliseconds: Int = 0) throws(Failure) {
    self.isShown = isShown
    do throws(Errno) {
      socket = try Sockets.connect(address, milliseconds: milliseconds)
    } catch {
      throw Failure(.unavailable, Bytes("cannot connect to ") + address.textWithPort + Bytes(": ") + error.text)
    }
  }

  /// Goes on over TLS; returns the fingerprint of the certificate that the server shows.
  func startTLS() throws(Failure) -> Bytes {
    do throws(TLSFailure) {
      let fresh = Channel(try TLSSession(clientOn: socket.number))
      try fresh.session.handshake()
      channel = fresh
      return fresh.session.peerFingerprint
    } catch {
      if case .broken(let why) = error { throw Failure(.unavailable, Bytes("TLS does not begin: ") + why) }
      throw Failure(.unavailable, "TLS does not begin: the server says nothing, or goes away")
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
      let rest = text.span.extracting(done...)
      if let channel {
        guard let count = try? channel.session.send(rest, more: false) else {
          throw Failure(.unavailable, "the server cannot be sent to")
        }
        done += count
        continue
      }
      do throws(Errno) {
        done += try Sockets.send(socket.number, rest)
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
        answer = line
        return line
      }
      var buffer = Bytes(repeating: 0, count: 4096)
      var count = 0
      if let channel {
        count = (try? channel.session.receive(into: &buffer, at: 0)) ?? 0
      } else {
        do throws(Errno) { count = try Sockets.receive(socket.number, into: &buffer) } catch {
          if error == .again { throw Failure(.unavailable, "the server does not answer in time") }
        }
      }
      if count == 0 { throw Failure(.unavailable, "the server ended the connection, or does not answer in time") }
      received += buffer.span.extracting(0..<count)
    }
  }

  private func show(_ who: StaticString, _ line: Bytes) {
    guard isShown else { return }
    var text = Bytes("  ")
    text += who
    text += line
    if text.last == ASCII.cr { text.removeLast() }
    text.append(ASCII.lf)
    Process.write(text, to: 1)
  }
}
