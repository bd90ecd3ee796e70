import Wire

/// The commands, each with its arguments, in the order of RFC 5321 §4.1.1.
extension Session {
  /// Carries out a command line, given without its line end. Nil when the next line can follow at once.
  mutating func command(
    _ line: Span<UInt8>, isLast: Bool, now: Int64, localOffset: Int, reply: inout Bytes, content: inout Bytes
  ) -> Effect? {
    for index in line.indices where line[index] < ASCII.space || line[index] == 0x7F {
      return refuse(
        "500 5.5.2 Line holds a NUL, a bare CR or another control octet; nothing was done. Send plain text.", &reply)
    }
    guard line.isUTF8 else {
      return refuse("500 5.5.2 Line is neither ASCII nor UTF-8; nothing was done.", &reply)
    }
    // RFC 5321 §4.1.1: white space at the end is tolerated.
    var end = line.count
    while end > 0, line[end - 1] == ASCII.space { end -= 1 }
    let space = line.extracting(0..<end).firstIndex(of: ASCII.space) ?? end
    var start = space
    while start < end, line[start] == ASCII.space { start += 1 }
    let argument = line.extracting(start..<end)

    guard let verb = Verb(line.extracting(0..<space)) else {
      return refuse("500 5.5.2 Command is not known here; nothing was done. HELP lists those that are.", &reply)
    }
    switch verb {
    case .helo, .ehlo, .rset, .vrfy, .noop, .help:
      idleCommands += 1
      if idleCommands > Limits.smtpIdleCommands {
        let text: StaticString = " Too many commands that bring no message; closing. Connect when there is one."
        return self.end("421 4.7.0 ", text, &reply)
      }
    default: break
    }
    switch verb {
    case .helo: return greeted(.helo, argument, &reply, &content)
    case .ehlo: return greeted(.ehlo, argument, &reply, &content)
    case .mail: return mail(argument, &reply)
    case .rcpt: return recipient(argument, &reply)
    case .data: return data(argument, now: now, localOffset: localOffset, reply: &reply, content: &content)
    case .bdat: return bdat(argument, now: now, localOffset: localOffset, reply: &reply, content: &content)
    case .rset: return reset(argument, &reply, &content)
    case .vrfy: return verify(argument, &reply)
    case .noop:
      // RFC 5321 §4.1.1.9: a parameter is ignored.
      say("250 2.0.0 OK", &reply)
      return nil
    case .help:
      help(&reply)
      return nil
    case .quit: return quit(argument, &reply)
    case .expn:
      // RFC 5321 §3.5.2, §7.3: who is behind a name is nobody's business.
      return refuse("502 5.5.1 Lists are not shown here. Send mail to the list's address instead.", &reply)
    case .auth: return authenticate(argument, &reply)
    case .startTLS: return startTLS(argument, isLast: isLast, &reply, &content)
    case .send, .soml, .saml, .turn, .etrn:
      return refuse("502 5.5.1 Command is not offered here; nothing was done. HELP lists those that are.", &reply)
    case .get, .post, .head, .put, .options, .connect, .delete, .patch, .pri:
      return self.end("421 4.7.0 ", " This is a mail server, not a web server; closing.", &reply)
    }
  }

  // MARK: EHLO and HELO, RFC 5321 §4.1.1.1

  private mutating func greeted(
    _ kind: Greeting, _ name: Span<UInt8>, _ reply: inout Bytes, _ content: inout Bytes
  ) -> Effect? {
    guard name.count > 0 else {
      return refuse("501 5.5.4 Your name is missing: send EHLO and the name of your host.", &reply)
    }
    // What DNS thinks of the name does not matter (RFC 5321 §4.1.4), but it must be safe in a trace header.
    guard name.count <= Limits.domain, Self.isHostName(name) else {
      return refuse(
        "501 5.5.4 This is no host name: send EHLO and one word, like mail.example.org or [192.0.2.1].", &reply)
    }
    greeting = kind
    clientName = Bytes(name)
    reply += kind == .ehlo ? "250-" : "250 "
    reply.append(contentsOf: settings.hostName)
    reply += " greets you, ["
    reply.append(contentsOf: peer.address)
    reply += "]\r\n"
    if kind == .ehlo {
      reply += "250-PIPELINING\r\n250-SIZE "
      reply.append(decimal: settings.maximumMessageSize)
      reply += "\r\n250-8BITMIME\r\n250-CHUNKING\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n250-LIMITS MAILMAX="
      reply.append(decimal: settings.transactions)
      reply += " RCPTMAX="
      reply.append(decimal: settings.recipients)
      if settings.offersTLS, !isTLS { reply += "\r\n250-STARTTLS" }
      if secure {
        reply += "\r\n250-AUTH"
        SASLExchange.appendMechanisms(to: &reply, after: " ", tls: isTLS, login: true)
      }
      reply += "\r\n250 HELP\r\n"
    }
    return endTransaction(&content)
  }

  /// Whether a name can stand in a Received: header as it is. Underscores and the like are tolerated: many a device's
  /// name has them.
  private static func isHostName(_ name: Span<UInt8>) -> Bool {
    for index in name.indices {
      switch name[index] {
      case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D...0x3A, 0x3D, 0x3F...0x5B, 0x5D...0x7E: continue
      default: return false
      }
    }
    return true
  }

  // MARK: MAIL, RFC 5321 §4.1.1.2

  private mutating func mail(_ argument: Span<UInt8>, _ reply: inout Bytes) -> Effect? {
    guard greeting != .none else {
      return refuse("503 5.5.1 Say who you are first: send EHLO and the name of your host.", &reply)
    }
    guard transaction == .none else {
      return refuse("503 5.5.1 A message is under way already. Finish it, or send RSET.", &reply)
    }
    guard transactions < settings.transactions else {
      return end("421 4.7.0 ", " Enough messages for one session; closing. Connect again for more.", &reply)
    }
    guard argument.count >= 5, argument.extracting(0..<5).equalsIgnoringCase("from:") else {
      return refuse("501 5.5.4 The sender is missing: send MAIL FROM:<name@domain>.", &reply)
    }
    var index = Self.skipSpaces(argument, from: 5)
    let reversePath: Bytes
    var isASCII = true
    switch PathParser.path(argument, at: &index) {
    case .success(.null): reversePath = Bytes()
    case .success(.mailbox(let mailbox)):
      reversePath = mailbox.text
      isASCII = mailbox.isASCII
    case .failure(let failure): return refuse(path: failure, "501 5.1.7 Sender", &reply)
    }

    let parameters: MailParameters
    do throws(MailParameters.Failure) {
      parameters = try MailParameters(argument.extracting(index...))
    } catch {
      return refuse(parameter: error, &reply)
    }
    guard isASCII || parameters.isUTF8 else {
      // RFC 6531 §3.5
      return refuse(
        "553 5.6.7 The sender's address has letters past ASCII; that takes the parameter SMTPUTF8.", &reply)
    }
    if let size = parameters.size, size > UInt64(settings.maximumMessageSize) {
      // RFC 1870 §6.1
      if countsTooManyErrors() { return endForErrors(&reply) }
      Refusal.tooLarge.append(to: &reply, limit: settings.maximumMessageSize)
      return nil
    }
    envelope = Envelope()
    envelope.reversePath = reversePath
    envelope.is8Bit = parameters.is8Bit ?? false
    envelope.isUTF8 = parameters.isUTF8
    state = .awaitingMail
    return .mail(declaredSize: parameters.size.map { Int(truncatingIfNeeded: $0) })
  }

  /// Says whether the transaction may begin. Then call `receive` again.
  public mutating func answer(mail answer: MailAnswer, reply: inout Bytes) {
    guard case .awaitingMail = state else { return }
    state = .command
    if answer != .accepted { envelope = Envelope() }
    switch answer {
    case .accepted:
      transaction = .open
      transactions += 1
      say("250 2.1.0 Sender accepted", &reply)
    case .notYours:
      // RFC 6409 §6.1
      _ = refuse("550 5.7.1 This sender's address is not yours. Use one of the account you logged in to.", &reply)
    case .diskLow:
      say("452 4.3.1 The disk here is nearly full; the message cannot be taken now. Try again later.", &reply)
    case .temporarily:
      say("451 4.3.0 A fault here keeps the message from being taken now. Try again later.", &reply)
    }
  }

  // MARK: RCPT, RFC 5321 §4.1.1.3

  private mutating func recipient(_ argument: Span<UInt8>, _ reply: inout Bytes) -> Effect? {
    switch transaction {
    case .none: return refuse("503 5.5.1 Name the sender first: send MAIL FROM:<name@domain>.", &reply)
    case .chunked:
      return refuse("503 5.5.1 The content has begun; it is too late for more recipients. Send BDAT or RSET.", &reply)
    case .open: break
    }
    guard argument.count >= 3, argument.extracting(0..<3).equalsIgnoringCase("to:") else {
      return refuse("501 5.5.4 The recipient is missing: send RCPT TO:<name@domain>.", &reply)
    }
    var index = Self.skipSpaces(argument, from: 3)
    let mailbox: Mailbox
    switch PathParser.path(argument, at: &index) {
    case .success(.mailbox(let found)): mailbox = found
    case .success(.null):
      return refuse("501 5.1.3 Nobody is called <>; name a recipient as <name@domain>.", &reply)
    case .failure(let failure): return refuse(path: failure, "501 5.1.3 Recipient", &reply)
    }
    if index < argument.count {
      return refuse(
        argument[index] == ASCII.space
          ? "555 5.5.4 Parameters of RCPT are not offered here; send RCPT TO:<name@domain> alone."
          : "501 5.1.3 Something follows the recipient's closing bracket; send RCPT TO:<name@domain>.", &reply)
    }
    guard mailbox.isASCII || envelope.isUTF8 else {
      // RFC 6531 §3.5
      return refuse(
        "553 5.6.7 The recipient's address has letters past ASCII; that takes SMTPUTF8 after MAIL.", &reply)
    }
    guard envelope.recipientCount < settings.recipients else {
      // RFC 5321 §4.5.3.1.10. No error of the sender's: it sends the rest in another message.
      say("452 4.5.3 Too many recipients for one message. Send it to those accepted, then again to the rest.", &reply)
      return nil
    }
    state = .awaitingRecipient(mailbox.text)
    return .recipient(mailbox)
  }

  /// Says what is known of the recipient. Then call `receive` again.
  public mutating func answer(recipient answer: RecipientAnswer, reply: inout Bytes) {
    guard case .awaitingRecipient(let recipient) = state else { return }
    state = .command
    switch answer {
    case .accepted:
      envelope.onlyRecipient = envelope.recipientCount == 0 ? recipient : Bytes()
      envelope.recipientCount += 1
      say("250 2.1.5 Recipient accepted", &reply)
    case .unknown:
      refuse("550 5.1.1 ", recipient, ": nobody here has this name. Check the address.\r\n", &reply)
    case .notLocal:
      refuse("550 5.7.1 ", recipient, ": not an address of ours, and this server passes no mail on.\r\n", &reply)
    case .overQuota:
      say("452 4.2.2 The recipient's maildrop is full. Try again later, when mail was fetched.", &reply)
    case .temporarily:
      say("451 4.3.0 A fault here keeps us from finding the recipient now. Try again later.", &reply)
    }
  }

  /// Refuses a recipient by name. Once another was accepted this is a list with some stale names, not somebody guessing,
  /// and closing on it would keep the message from those it can reach.
  private mutating func refuse(
    _ code: StaticString, _ recipient: Bytes, _ text: StaticString, _ reply: inout Bytes
  ) {
    if envelope.recipientCount == 0, countsTooManyErrors() {
      _ = endForErrors(&reply)
      return
    }
    reply += code
    // Replies are ASCII: RFC 6531 §3.7.4.
    if recipient.isASCII {
      reply.append(0x3C)
      reply.append(contentsOf: recipient)
      reply.append(0x3E)
    } else {
      reply += "This recipient"
    }
    reply += text
  }

  // MARK: RSET, VRFY, HELP, QUIT

  /// RFC 5321 §4.1.1.5
  private mutating func reset(_ argument: Span<UInt8>, _ reply: inout Bytes, _ content: inout Bytes) -> Effect? {
    guard argument.count == 0 else { return refuseArgument(&reply) }
    say("250 2.0.0 Nothing is under way now", &reply)
    return endTransaction(&content)
  }

  /// RFC 5321 §4.1.1.6, §7.3: whoever wants to know must send mail.
  private mutating func verify(_ argument: Span<UInt8>, _ reply: inout Bytes) -> Effect? {
    guard argument.count > 0 else { return refuse("501 5.5.4 Whom? Send VRFY and a name.", &reply) }
    say("252 2.5.0 Names are not told here, but send the mail and see.", &reply)
    return nil
  }

  /// RFC 5321 §4.1.1.8
  private func help(_ reply: inout Bytes) {
    reply += "214-2.0.0 This is Restante, which takes mail for the people here and keeps it until they fetch it.\r\n"
    reply += "214-2.0.0 Commands: EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY AUTH STARTTLS HELP QUIT\r\n"
    reply += "214 2.0.0 When mail is refused, the answer says why. Questions: write to postmaster here.\r\n"
  }

  /// RFC 5321 §4.1.1.10
  private mutating func quit(_ argument: Span<UInt8>, _ reply: inout Bytes) -> Effect? {
    guard argument.count == 0 else { return refuseArgument(&reply) }
    return end("221 2.0.0 ", " Goodbye", &reply)
  }

  mutating func refuseArgument(_ reply: inout Bytes) -> Effect? {
    refuse("501 5.5.4 Nothing may follow this command; nothing was done. Send it alone.", &reply)
  }

  /// Forgets the message under way.
  mutating func endTransaction(_ content: inout Bytes) -> Effect? {
    guard transaction != .none else { return nil }
    transaction = .none
    envelope = Envelope()
    content.removeAll(keepingCapacity: true)
    return .discard
  }

  // MARK: what is wrong with an argument

  /// A space after the colon is not in the grammar, but in many a device: RFC 5321 §3.3.
  static func skipSpaces(_ text: Span<UInt8>, from start: Int) -> Int {
    var index = start
    while index < text.count, text[index] == ASCII.space { index += 1 }
    return index
  }

  private mutating func refuse(
    path failure: PathParser.Failure, _ whose: StaticString, _ reply: inout Bytes
  ) -> Effect? {
    if countsTooManyErrors() { return endForErrors(&reply) }
    reply += whose
    switch failure {
    case .brackets: reply += " must stand in angle brackets"
    case .localPart: reply += " has a character before the @ that needs quotes, or nothing there"
    case .domain: reply += " has a domain that cannot be"
    case .literal: reply += " has an address in brackets that is no IP address"
    case .noDomain: reply += " has no @ and domain"
    case .tooLong: reply += " is too long"
    }
    reply += ". Write it as <name@domain>.\r\n"
    return nil
  }

  private mutating func refuse(parameter failure: MailParameters.Failure, _ reply: inout Bytes) -> Effect? {
    switch failure {
    case .syntax:
      refuse("501 5.5.4 What follows the sender is no parameter; send MAIL FROM:<name@domain> KEYWORD=value.", &reply)
    case .doubled: refuse("501 5.5.4 A parameter is given twice; give each once.", &reply)
    case .sizeValue: refuse("501 5.5.4 SIZE= takes a number of octets of at most 20 digits.", &reply)
    case .bodyValue: refuse("501 5.5.4 BODY= takes 7BIT or 8BITMIME.", &reply)
    case .binary:
      // RFC 3030 §3: only where BINARYMIME is offered. We do not, since POP3 could not hand such a message out.
      refuse("555 5.6.1 BODY=BINARYMIME is not offered here. Encode the message in base64 and send it again.", &reply)
    case .utf8Value: refuse("501 5.5.4 SMTPUTF8 takes no value.", &reply)
    case .authValue: refuse("501 5.5.4 AUTH= takes an address, or <>.", &reply)
    case .unknown:
      refuse("555 5.5.4 A parameter is not known here; EHLO lists what is. Send MAIL without it.", &reply)
    }
  }
}
