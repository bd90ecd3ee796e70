/// Turns a message's own octets into the wire format, as it is stored and as RETR sends it: a dot before each line that
/// begins with one, CRLF at the end of the last line, then the line `.` (RFC 5321 §4.5.2, RFC 1939 §3).
///
/// For content that comes counted instead of ended: BDAT's chunks (RFC 3030) and files of mail. The input may come in
/// any pieces.
public struct DotStuffer: Sendable {
  private var scanner: ContentScanner

  public init(bareNewline: BareNewline) { scanner = ContentScanner(bareNewline: bareNewline, isStuffed: false) }

  /// Whether a bare CR or a bare LF has been seen.
  public var hasBareNewline: Bool { scanner.hasBareNewline }
  /// The content's size so far as RFC 1939 §11 counts: CRLF as two octets, without stuffing and without the ending line.
  public var octets: Int { scanner.octets }

  /// Appends all of `input` to `content`.
  public mutating func append(_ input: Span<UInt8>, to content: inout Bytes) {
    _ = scanner.scan(input, into: &content)
  }

  /// Ends the last line if that is missing, and the content. Call it once.
  public mutating func finish(_ content: inout Bytes) { scanner.finish(&content) }
}
