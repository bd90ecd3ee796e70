import Spool
import System
import Wire

/// A connection to the running server's control socket.
final class ControlClient {
  private let socket: Descriptor
  private var received = Bytes()
  /// Messages that were delivered.
  private(set) var stored = 0

  /// Octets of a request that are surely taken, and messages that one may name.
  static let requestLength = Limits.controlLine - 128
  static let requestMessages = Limits.controlMessages - 1

  private init(_ socket: consuming Descriptor) { self.socket = socket }

  /// Connects to the server of the state directory; nil when none runs.
  static func connect(_ state: Path) throws(Failure) -> ControlClient? {
    do throws(Errno) {
      return ControlClient(try Sockets.connect(at: state.appending("control")))
    } catch {
      if error == .notFound || error == .refused { return nil }
      throw Failure("cannot talk to the server through", state.appending("control"), error, otherwise: .unavailable)
    }
  }

  /// Sends a request and returns what its answer says after `+OK`.
  func request(_ line: Bytes) throws(Failure) -> Bytes {
    try send(line + [ASCII.lf])
    return try answer()
  }

  /// Sends a request and returns the lines of its answer.
  func lines(_ request: Bytes) throws(Failure) -> [Bytes] {
    _ = try self.request(request)
    var lines: [Bytes] = []
    while true {
      let line = try self.line()
      if line.equals(".") { return lines }
      lines.append(line)
    }
  }

  /// Has the log kept as it is for as long as this connection is there; returns up to where it is on the disk. Nil when
  /// the server has no spool: it could not open it, and says so to everybody.
  @discardableResult
  func hold() throws(Failure) -> SpoolCopy.Position? {
    // Until the sweeper has finished what it is at.
    for _ in 0..<600 {
      var answer = Bytes()
      do throws(Failure) {
        answer = try request(Bytes("HOLD"))
      } catch {
        if error.code == .tryAgain { return nil }
        throw error
      }
      let numbers = answer.split(separator: ASCII.space).map { Bytes($0).span.decimal }
      if numbers.count == 3, let segment = numbers[0], let offset = numbers[1], let sequence = numbers[2] {
        return SpoolCopy.Position(
          segment: UInt32(clamping: segment), offset: Int64(clamping: offset), sequence: sequence)
      }
      try? Pause.milliseconds(100)
    }
    throw Failure(.tryAgain, "the server is busy giving room back; try again in a while")
  }

  /// Stores a message; when this returns it is on the disk.
  func deliver(_ parcel: Parcel, to name: Bytes, time: Int64) throws(Failure) {
    var request = Bytes("DELIVER ")
    request.append(decimal: Int(parcel.count))
    request += " "
    request.append(decimal: Int(max(0, time)))
    request += " "
    request += name
    request += "\n"
    try send(request)
    var chunk = Bytes()
    var position: Int64 = 0
    while try parcel.read(&chunk, &position) { try send(chunk) }
    _ = try answer()
    stored += 1
  }

  /// Reads an answer's first line.
  private func answer() throws(Failure) -> Bytes {
    let line = try line()
    if line.hasPrefix("+OK") { return Bytes(line.dropFirst(4)) }
    let words = line.split(separator: ASCII.space, maxSplits: 2)
    guard words.count == 3, words[0].elementsEqual(Bytes("-ERR")),
      let code = Bytes(words[1]).span.decimal.flatMap({ Int32(exactly: $0) })
    else { throw broken() }
    var text = Bytes("the server says: ")
    text.append(shown: Bytes(words[2]).span, limit: 1000)
    throw Failure(ExitCode(rawValue: code) ?? .unavailable, text)
  }

  private func line() throws(Failure) -> Bytes {
    while true {
      if let end = received.firstIndex(of: ASCII.lf) {
        var line = Bytes(received[..<end])
        received.removeSubrange(...end)
        if line.last == ASCII.cr { line.removeLast() }
        return line
      }
      var buffer = Bytes(repeating: 0, count: 4096)
      let count: Int
      do throws(Errno) {
        count = try Sockets.receive(socket.number, into: &buffer)
      } catch {
        if error == .interrupted { continue }
        throw broken()
      }
      if count == 0 { throw broken() }
      received += buffer.span.extracting(0..<count)
    }
  }

  private func send(_ bytes: Bytes) throws(Failure) {
    var done = 0
    while done < bytes.count {
      do throws(Errno) {
        done += try Sockets.send(socket.number, bytes.span.extracting(done...))
      } catch {
        if error != .interrupted { throw broken() }
      }
    }
  }

  private func broken() -> Failure {
    Failure(
      .unavailable,
      "the server ended the conversation; whether it did what it was asked is not known. Look, and try again")
  }
}
