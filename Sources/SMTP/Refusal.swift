import Wire

/// Why content is not taken. It is known before the content ends, and said after: only then does the sender listen.
enum Refusal {
  case tooLarge, bareNewline, loop
  /// Of BDAT alone, whose octets come whatever we think of the command.
  case noTransaction, noRecipients, badArgument

  /// Whether something is wrong with the content itself, rather than with the command that brings it.
  var isOfContent: Bool {
    switch self {
    case .tooLarge, .bareNewline, .loop: true
    case .noTransaction, .noRecipients, .badArgument: false
    }
  }

  func append(to reply: inout Bytes, limit: Int) {
    switch self {
    case .tooLarge:
      reply += "552 5.3.4 Message is larger than the "
      reply.append(decimal: limit)
      reply += " octets this server takes; it was not delivered. Send it in parts, or send a link.\r\n"
    case .bareNewline:
      // RFC 5321 §2.3.8
      reply += "550 5.6.0 Message has a CR or LF that is not part of CRLF; it was not delivered."
      reply += " End lines with CRLF, or ask postmaster here to normalize mail from your device.\r\n"
    case .loop:
      // RFC 5321 §6.3
      reply += "554 5.4.6 Message has passed through more than "
      reply.append(decimal: Limits.hops)
      reply += " servers and seems to go in circles; it was not delivered. Check the forwarding on its way.\r\n"
    case .noTransaction:
      reply += "503 5.5.1 This chunk belongs to no message: MAIL is missing, or an earlier part was refused."
      reply += " It was thrown away. Send RSET, then begin again with MAIL.\r\n"
    case .noRecipients:
      reply += "554 5.5.1 No recipient was accepted, so there is nobody to give this to; it was thrown away."
      reply += " Send RCPT, or RSET.\r\n"
    case .badArgument:
      reply += "501 5.5.4 After BDAT belong a number of octets and perhaps LAST. The chunk was thrown away;"
      reply += " send RSET, then begin again with MAIL.\r\n"
    }
  }
}
