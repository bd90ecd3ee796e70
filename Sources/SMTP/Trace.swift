import Wire

/// The headers a receiver puts before a message: RFC 5321 §4.4.
enum Trace {
  /// Appends Return-Path: and Received: in wire format. No line begins with a dot, so none is stuffed.
  static func append(
    to content: inout Bytes, envelope: Envelope, settings: Settings, peer: Peer, clientName: Bytes,
    protocolName: StaticString, suffix: StaticString, now: Int64, localOffset: Int
  ) {
    content += "Return-Path: <"
    content.append(contentsOf: envelope.reversePath)
    content += ">\r\nReceived: from "
    content.append(contentsOf: clientName)
    content += " (["
    content.append(contentsOf: peer.address)
    content += "])\r\n\tby "
    content.append(contentsOf: settings.hostName)
    content += " with "
    content += protocolName
    content += suffix
    if !envelope.onlyRecipient.isEmpty {
      // With more than one, naming them would tell each who the others are: RFC 5321 §7.2.
      content += "\r\n\tfor <"
      content.append(contentsOf: envelope.onlyRecipient)
      content.append(0x3E)
    }
    content += ";\r\n\t"
    InternetDate(seconds: now, localOffset: localOffset).append(to: &content)
    if now < Limits.clockFloor { content += " (clock not set)" }
    content.appendCRLF()
  }
}
