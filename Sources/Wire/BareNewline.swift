/// What becomes of a CR without its LF, or a LF without its CR, in a message.
///
/// RFC 5321 §2.3.8 and §4.1.1.4 forbid both. Receivers that took them for line ends let one message be read as two
/// ("smuggling"), so here they never end anything; this says only what the message then is worth.
public enum BareNewline: UInt8, Sendable {
  /// The message is noted as broken; its octets stay as they came.
  case reject
  /// Each bare LF and each bare CR becomes CRLF, and so does a run of CRs before a LF. A line that begins only through
  /// this gets its leading dot stuffed.
  case normalize
}
