import Wire

/// The TRANSACTION state: RFC 1939 §5.
extension Session {
  mutating func status(_ rest: Span<UInt8>, of maildrop: M, reply: inout Bytes) -> Effect {
    guard Arguments(rest).count == 0 else { return fail(.noArgument, reply: &reply) }
    reply += "+OK "
    reply.append(decimal: maildrop.count - marks.count)
    reply.append(ASCII.space)
    reply.append(decimal: maildrop.octets - marks.octets)
    reply.appendCRLF()
    return .more
  }

  mutating func retrieve(_ rest: Span<UInt8>, from maildrop: M, reply: inout Bytes) -> Effect {
    let arguments = Arguments(rest)
    guard arguments.count < 2 else { return fail(.noArgument, reply: &reply) }
    guard let number = Arguments.number(rest.extracting(arguments.first)) else {
      return fail(.numberNeeded, reply: &reply)
    }
    return send(number, bodyLines: nil, from: maildrop, reply: &reply)
  }

  mutating func top(_ rest: Span<UInt8>, from maildrop: M, reply: inout Bytes) -> Effect {
    let arguments = Arguments(rest)
    guard arguments.count <= 2 else { return fail(.noArgument, reply: &reply) }
    guard let number = Arguments.number(rest.extracting(arguments.first)),
      let lines = Arguments.number(rest.extracting(arguments.second))
    else { return fail(.topNeeds, reply: &reply) }
    return send(number, bodyLines: lines, from: maildrop, reply: &reply)
  }

  private func send(_ number: Int, bodyLines: Int?, from maildrop: M, reply: inout Bytes) -> Effect {
    guard isThere(number, in: maildrop, reply: &reply) else { return .more }
    let opened: Opened<M.Content>
    do throws(MaildropError) {
      opened = try maildrop.open(number)
    } catch {
      refuse(error == .gone ? .gone : .readFault, number, reply: &reply)
      return .more
    }
    // RFC 6856 §2.1: no UTF-8 to a client that did not ask for it; §5 says how it is refused.
    if opened.needsUTF8 && !utf8 {
      refuse(.needsUTF8, number, reply: &reply)
      return .more
    }
    guard let bodyLines else {
      say(.message, opened.octets, reply: &reply)
      return .send(opened.content, bodyLines: nil)
    }
    say(.top, number, reply: &reply)
    // Lines are not shorter than an octet, so no cut is to be looked for where the whole message was meant.
    return .send(opened.content, bodyLines: bodyLines < opened.octets ? bodyLines : nil)
  }

  mutating func delete(_ rest: Span<UInt8>, from maildrop: M, reply: inout Bytes) -> Effect {
    let arguments = Arguments(rest)
    guard arguments.count < 2 else { return fail(.noArgument, reply: &reply) }
    guard let number = Arguments.number(rest.extracting(arguments.first)) else {
      return fail(.numberNeeded, reply: &reply)
    }
    guard isThere(number, in: maildrop, reply: &reply) else { return .more }
    do throws(MaildropError) {
      let octets = try entry(number, of: maildrop).octets
      marks.insert(number, octets: octets, messages: maildrop.count)
      say(.marked, number, reply: &reply)
    } catch {
      refuse(.readFault, number, reply: &reply)
    }
    return .more
  }

  mutating func reset(_ rest: Span<UInt8>, of maildrop: M, reply: inout Bytes) -> Effect {
    guard Arguments(rest).count == 0 else { return fail(.noArgument, reply: &reply) }
    marks = DeletionMarks()
    say(.unmarked, maildrop.count, maildrop.octets, reply: &reply)
    return .more
  }

  mutating func noop(_ rest: Span<UInt8>, reply: inout Bytes) -> Effect {
    guard Arguments(rest).count == 0 else { return fail(.noArgument, reply: &reply) }
    say(.here, reply: &reply)
    return .more
  }

  /// Whether `number` is a message that is not marked; says what it is if not. This is no error that counts: a client
  /// that is mistaken about a hundred messages must not lose its other deletions by being cut off.
  func isThere(_ number: Int, in maildrop: M, reply: inout Bytes) -> Bool {
    if maildrop.count == 0 {
      refuse(.empty, number, reply: &reply)
    } else if number < 1 || number > maildrop.count {
      refuse(.noSuchMessage, number, maildrop.count, reply: &reply)
    } else if marks.contains(number) {
      refuse(.isMarked, number, reply: &reply)
    } else {
      return true
    }
    return false
  }

  /// What the index says of one message.
  func entry(_ number: Int, of maildrop: M) throws(MaildropError) -> (octets: Int, uid: UInt64) {
    var found: (octets: Int, uid: UInt64)?
    try maildrop.visit(from: number) { visited, octets, uid in
      if visited == number { found = (octets, uid) }
      return false
    }
    guard let found else { throw .temporary }
    return found
  }
}
