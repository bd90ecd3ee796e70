import Wire

/// The dialogue on the control socket, without input or output. One request line, one answer; a `DELIVER` is followed
/// by its content.
struct ControlSession {
  enum Effect: Equatable {
    /// Read more.
    case more
    /// Carry out the request, and answer with ``answer(_:reply:)`` or ``refuse(_:_:reply:)``. For a delivery: say with
    /// ``take(_:)`` whether its content, which comes in any case, is collected.
    case request(ControlRequest)
    /// The content is complete: store it, and answer.
    case deliver
    /// What came is no content in wire format, and was answered: drop what was collected.
    case discard
    /// Send `reply` and close.
    case close
  }

  private enum State {
    case line
    case awaitingAnswer
    case content(left: Int)
    case ended
  }

  private var state = State.line
  private var scanner = ContentScanner(bareNewline: .reject)
  private var hasContentEnded = false

  /// Octets of the content as RFC 1939 §11 counts them. Final with ``Effect/deliver``.
  var octets: Int { scanner.octets }

  /// Whether content is coming in.
  var isReceivingContent: Bool { if case .content = state { true } else { false } }

  /// Consumes `input` until a request needs the caller or nothing whole is left.
  mutating func receive(
    _ input: Span<UInt8>, reply: inout Bytes, content: inout Bytes
  ) -> (consumed: Int, effect: Effect) {
    switch state {
    case .awaitingAnswer: return (0, .more)
    case .ended: return (input.count, .close)
    case .content(let left): return receive(content: input, left: left, reply: &reply, &content)
    case .line: break
    }
    let limit = min(input.count, Limits.controlLine)
    guard let lf = input.extracting(0..<limit).firstIndex(of: ASCII.lf) else {
      if limit < Limits.controlLine { return (0, .more) }
      return (input.count, end(64, "The request is too long; name fewer messages at a time.", reply: &reply))
    }
    let end = lf > 0 && input[lf - 1] == ASCII.cr ? lf - 1 : lf
    do throws(ControlRequest.Failure) {
      let request = try ControlRequest(input.extracting(0..<end))
      state = .awaitingAnswer
      if case .deliver(let octets, _, _) = request { state = .content(left: octets) }
      return (lf + 1, .request(request))
    } catch {
      // What follows may be content, so it must not be taken for requests.
      switch error {
      case .unknown: return (input.count, self.end(64, "No such request.", reply: &reply))
      case .arguments: return (input.count, self.end(64, "The request's arguments are wrong.", reply: &reply))
      case .sequences: return (input.count, self.end(64, "Messages are named like 5,7-9.", reply: &reply))
      case .tooMany: return (input.count, self.end(64, "The request names too many at a time.", reply: &reply))
      }
    }
  }

  /// Whether the content announced is collected. If not, the request has been answered, and the content is dropped.
  mutating func take(_ collects: Bool) {
    scanner = ContentScanner(bareNewline: .reject)
    scanner.collects = collects
    hasContentEnded = false
    if case .content(let left) = state, left == 0, !collects { state = .line }
  }

  private mutating func receive(
    content input: Span<UInt8>, left: Int, reply: inout Bytes, _ content: inout Bytes
  ) -> (consumed: Int, effect: Effect) {
    let count = min(left, input.count)
    if !hasContentEnded {
      let (consumed, ended) = scanner.scan(input.extracting(0..<count), into: &content)
      // Anything after the end belongs to no message.
      hasContentEnded = ended && consumed == count && count == left
      if ended && !hasContentEnded && scanner.collects { return (input.count, broken(reply: &reply)) }
    }
    if left > count {
      state = .content(left: left - count)
      return (count, .more)
    }
    guard scanner.collects else {
      state = .line
      let rest = receive(input.extracting(count...), reply: &reply, content: &content)
      return (count + rest.consumed, rest.effect)
    }
    if !hasContentEnded || scanner.hasBareNewline { return (count, broken(reply: &reply)) }
    state = .awaitingAnswer
    return (count, .deliver)
  }

  private mutating func broken(reply: inout Bytes) -> Effect {
    _ = end(65, "The content is not in wire format: CRLF lines, dots doubled, a lone dot at its end.", reply: &reply)
    return .discard
  }

  /// Answers the request with `+OK` and `text`.
  mutating func answer(_ text: Bytes, reply: inout Bytes) {
    reply += "+OK"
    if !text.isEmpty { reply.append(ASCII.space) }
    reply += text
    reply.appendCRLF()
    if case .awaitingAnswer = state { state = .line }
  }

  /// Answers the request with lines, `key=value` each.
  mutating func answer(lines: [Bytes], reply: inout Bytes) {
    answer([], reply: &reply)
    for line in lines {
      reply += line
      reply.appendCRLF()
    }
    reply += ".\r\n"
  }

  /// Answers the request with `-ERR`, the exit code of sysexits(3) and a text for a person.
  mutating func refuse(_ exitCode: Int32, _ text: Bytes, reply: inout Bytes) {
    reply += "-ERR "
    reply.append(decimal: Int(exitCode))
    reply.append(ASCII.space)
    reply += text
    reply.appendCRLF()
    if case .awaitingAnswer = state { state = .line }
  }

  /// Refuses and ends the session.
  mutating func end(_ exitCode: Int32, _ text: StaticString, reply: inout Bytes) -> Effect {
    refuse(exitCode, Bytes(text), reply: &reply)
    state = .ended
    return .close
  }
}
