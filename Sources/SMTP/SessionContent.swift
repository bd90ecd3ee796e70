import Wire

/// DATA and BDAT, and the content they bring.
extension Session {
  // MARK: DATA, RFC 5321 §4.1.1.4

  mutating func data(
    _ argument: Span<UInt8>, now: Int64, localOffset: Int, reply: inout Bytes, content: inout Bytes
  ) -> Effect? {
    guard argument.count == 0 else { return refuseArgument(&reply) }
    switch transaction {
    case .none: return refuse("503 5.5.1 Name sender and recipients first: send MAIL, then RCPT.", &reply)
    case .chunked:
      // RFC 3030 §2
      return refuse("503 5.5.1 This message comes by BDAT; DATA cannot go on with it. Send BDAT or RSET.", &reply)
    case .open: break
    }
    guard envelope.recipientCount > 0 else {
      // RFC 5321 §3.3. The sender may have pipelined this behind refused recipients.
      return refuse("554 5.5.1 No recipient was accepted: there is nobody to give it to. Send RCPT, or RSET.", &reply)
    }
    beginContent(isStuffed: true, now: now, localOffset: localOffset, content: &content)
    state = .data
    say("354 Send the message; end it with a line that holds a dot alone.", &reply)
    return nil
  }

  /// After some content was scanned. Nil when the next command can follow at once.
  mutating func data(ended: Bool, reply: inout Bytes, content: inout Bytes) -> Effect? {
    let discard = judgeContent(&content)
    guard ended else { return discard ?? .more }
    if let reason = refusal {
      reason.append(to: &reply, limit: settings.maximumMessageSize)
      refusal = nil
      state = .command
      return discard
    }
    return deliver()
  }

  // MARK: BDAT, RFC 3030 §2

  mutating func bdat(
    _ argument: Span<UInt8>, now: Int64, localOffset: Int, reply: inout Bytes, content: inout Bytes
  ) -> Effect? {
    let space = argument.firstIndex(of: ASCII.space) ?? argument.count
    guard let size = argument.extracting(0..<space).decimal, let size = Int64(exactly: size) else {
      // Where the chunk ends cannot be known, and its octets must not be taken for commands.
      say(
        "501 5.5.4 After BDAT belong a number of octets and perhaps LAST; closing, as this content has no known end.",
        &reply)
      state = .ended
      return .close
    }
    var start = space
    while start < argument.count, argument[start] == ASCII.space { start += 1 }
    let word = argument.extracting(start...)
    let isLast = word.equalsIgnoringCase("last")
    // A refused chunk's octets come all the same (RFC 3030 §2): they are read, dropped, and then answered.
    refusal = nil
    if word.count > 0, !isLast {
      refusal = .badArgument
    } else if transaction == .none {
      refusal = .noTransaction
    } else if envelope.recipientCount == 0 {
      refusal = .noRecipients
    } else if transaction == .open {
      beginContent(isStuffed: false, now: now, localOffset: localOffset, content: &content)
      transaction = .chunked
    }
    state = .chunk(left: size, isLast: isLast)
    guard refusal == nil else {
      scanner.collects = false
      return nil
    }
    // What is known to become too large need not be collected first.
    return size > Int64(settings.maximumMessageSize) - Int64(scanner.octets)
      ? drop(.tooLarge, content: &content) : nil
  }

  /// After some of a chunk was scanned. Nil when the next command can follow at once.
  mutating func chunk(left: Int64, isLast: Bool, reply: inout Bytes, content: inout Bytes) -> Effect? {
    if left == 0, isLast { scanner.finish(&content) }
    var discard = judgeContent(&content)
    guard left == 0 else { return discard ?? .more }
    if let reason = refusal {
      if !reason.isOfContent, countsTooManyErrors() { return endForErrors(&reply) }
      if reason == .badArgument { discard = endTransaction(&content) }
      reason.append(to: &reply, limit: settings.maximumMessageSize)
      refusal = nil
      state = .command
      return discard
    }
    if isLast { return deliver() }
    state = .command
    say("250 2.0.0 Chunk received", &reply)
    return nil
  }

  // MARK: content

  private mutating func beginContent(isStuffed: Bool, now: Int64, localOffset: Int, content: inout Bytes) {
    scanner = ContentScanner(bareNewline: settings.bareNewline, isStuffed: isStuffed)
    refusal = nil
    let before = content.count
    // RFC 5321 §4.4, RFC 6531 §4.3; the letters for TLS and login are for ESMTP alone (RFC 3848).
    let isExtended = greeting == .ehlo
    let suffix: StaticString = isTLS ? isAuthenticated ? "SA" : "S" : isAuthenticated ? "A" : ""
    Trace.append(
      to: &content, envelope: envelope, settings: settings, peer: peer, clientName: clientName,
      protocolName: envelope.isUTF8 ? "UTF8SMTP" : isExtended ? "ESMTP" : "SMTP",
      suffix: envelope.isUTF8 || isExtended ? suffix : "", now: now, localOffset: localOffset)
    traceOctets = Int32(content.count - before)
  }

  /// Finds out whether the content so far can still be delivered. The first time it cannot, what was collected of it is
  /// dropped; the answer waits for the end. Reading goes on, so that the answer does not depend on the pieces in which
  /// the content came: what weighs most is told.
  private mutating func judgeContent(_ content: inout Bytes) -> Effect? {
    guard refusal?.isOfContent ?? true, refusal != .tooLarge else { return nil }
    let reason: Refusal
    if scanner.octets > settings.maximumMessageSize {
      reason = .tooLarge
    } else if scanner.receivedLines > Limits.hops {
      reason = .loop
    } else if scanner.hasBareNewline, settings.bareNewline == .reject {
      reason = .bareNewline
    } else {
      return nil
    }
    if refusal == nil { return drop(reason, content: &content) }
    refusal = reason
    return nil
  }

  /// Drops the content, what of it was collected and what is still to come.
  private mutating func drop(_ reason: Refusal, content: inout Bytes) -> Effect? {
    refusal = reason
    scanner.collects = false
    return endTransaction(&content)
  }

  private mutating func deliver() -> Effect {
    envelope.octets = Int(traceOctets) + scanner.octets
    state = .awaitingDelivery
    return .deliver
  }

  /// Says what became of the message. The transaction is over in any case (RFC 5321 §4.1.1.4). Then call `receive` again.
  public mutating func answer(delivery answer: DeliveryAnswer, reply: inout Bytes) {
    guard case .awaitingDelivery = state else { return }
    state = .command
    transaction = .none
    envelope = Envelope()
    switch answer {
    case .stored(let id):
      errors = 0
      idleCommands = 0
      reply += "250 2.6.0 Message "
      reply.append(decimal: id)
      reply += " is stored\r\n"
    case .overQuota:
      say("452 4.2.2 A recipient's maildrop has no room for this message; nobody got it. Try again later.", &reply)
    case .diskLow:
      say("452 4.3.1 The disk here is full; the message was not taken. Try again later.", &reply)
    case .temporarily:
      say("451 4.3.0 A fault here kept the message from being stored; it was not taken. Try again later.", &reply)
    }
  }
}
