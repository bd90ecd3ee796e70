import Wire

/// Writes messages in mboxrd form (mbox(5), RFC 4155): what every program takes for the original, and what comes back
/// octet for octet.
struct MboxWriter {
  private var reader = WireReader(lineEnd: .lf, quotesFrom: true)

  /// Begins a message: its From_ line, with the reverse-path and when it was received.
  mutating func begin(reversePath: Bytes, received: Int64, to output: inout Bytes) {
    reader = WireReader(lineEnd: .lf, quotesFrom: true)
    output += "From "
    output += MboxWriter.sender(reversePath)
    output += " "
    InternetDate(seconds: received).appendAsctime(to: &output)
    output += "\n"
  }

  /// Appends stored content.
  mutating func write(_ content: Span<UInt8>, to output: inout Bytes) { reader.read(content, into: &output) }

  /// Ends a message with the empty line that belongs to the file.
  mutating func end(_ output: inout Bytes) { output += "\n" }

  /// Readers split the line at spaces, so there may be none in the address. The null reverse-path has a name.
  static func sender(_ reversePath: Bytes) -> Bytes {
    var path = reversePath
    if path.first == 0x3C { path.removeFirst() }
    if path.last == 0x3E { path.removeLast() }
    if path.isEmpty { return Bytes("MAILER-DAEMON") }
    return path.map { $0 <= ASCII.space || $0 == 0x7F ? 0x2D : $0 }
  }
}
