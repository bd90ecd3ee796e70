import Accounts
import System
import Wire

/// SASL: the turns that all mechanisms have in common, and SCRAM with an honest client whose messages are tampered with
/// on the way. Whoever changes an octet of them, gets nowhere.
func fuzzSASL(_ bytes: Bytes) {
  var input = Input(bytes)
  switch input.octet() & 3 {
  case 0: fuzzTurns(&input)
  case 1: fuzzMessages(&input)
  default: fuzzTampering(&input)
  }
}

// MARK: turns

private func fuzzTurns(_ input: inout Input) {
  let flags = input.octet()
  let mechanism = input.part(before: ASCII.lf)
  let isUnderTLS = flags & 1 == 1
  guard var exchange = SASLExchange(mechanism: mechanism.span, tls: isUnderTLS, login: flags & 2 == 2) else { return }
  let isPlus = mechanism.lowercased.equals("scram-sha-256-plus")
  require(isUnderTLS || !isPlus, "channel binding without a channel")
  let isSCRAM = mechanism.lowercased.hasPrefix("scram")
  var line = input.part(before: ASCII.lf)
  var step = exchange.begin(line.span)
  var turns = 1
  while true {
    // What is decoded is what was sent, in the one form that base 64 has for it.
    let sent = turns == 1 && line == [0x3D] ? [] : line
    switch step {
    case .challenge(let text):
      require(Base64.decode(Bytes(text).span) != nil, "a challenge that is no base 64")
      require(turns == 1 && line.isEmpty || !isSCRAM, "a second challenge without a question")
    case .password(let name, let password):
      require(!isSCRAM && SASLExchange.isName(name.span) && !password.isEmpty, "a name or password that is none")
      if mechanism.lowercased.equals("plain") {
        let message = Base64.decode(sent.span) ?? []
        let tail = [0] + name + [0] + password
        require(Bytes(message.suffix(tail.count)) == tail, "not what was sent: \(message.shown)")
        let authorization = Bytes(message.dropLast(tail.count))
        require(authorization.isEmpty || authorization.lowercased == name.lowercased, "acts as somebody else")
        require(!password.contains(0), "NUL in a password")
      }
      return
    case .scram(let message):
      require(isSCRAM, "SCRAM that was not chosen")
      switch message {
      case .first(let text, let plus):
        require(plus == isPlus && encoded(text) == sent, "not what was sent")
      case .final(let text): require(encoded(text) == sent && turns > 1, "not what was sent")
      case .acknowledged:
        require(sent.isEmpty && turns > 2, "the end before its time")
        return
      }
    case .refused:
      require(mechanism.lowercased.equals("plain"), "refused without a password")
      return
    case .cancelled: return require(line.equals("*"), "cancelled without being asked to")
    case .malformed: return
    }
    guard !input.isEmpty else { return }
    line = input.part(before: ASCII.lf)
    step = exchange.take(line.span)
    turns += 1
    require(turns < 6, "no end of turns")
  }
}

private func encoded(_ octets: Bytes) -> Bytes {
  var text = Bytes()
  Base64.encode(octets.span, to: &text)
  return text
}

// MARK: SCRAM

/// The password `secret`, with little work.
private let verifier = try! Verifier(password: Bytes("secret"), salt: Bytes("pepper"), iterations: 1)
private let salted = try! Crypto.pbkdf2(Bytes("secret"), salt: Bytes("pepper"), iterations: 1)
private let bindings = ChannelBindings(exporter: Bytes("exported"), endPoint: nil)

/// Whatever octets: no proof, no entrance.
private func fuzzMessages(_ input: inout Input) {
  let flags = input.octet()
  let first = input.part(before: ASCII.lf)
  let final = input.part(before: ASCII.lf)
  guard var exchange = SCRAMExchange(first, plus: flags & 1 == 1, bindings: flags & 2 == 2 ? bindings : nil) else {
    return
  }
  require(SASLExchange.isName(exchange.name.span), "no name: \(exchange.name.shown)")
  require(first.span.isUTF8, "not UTF-8")
  require(answer(exchange, final) == nil, "an answer before the challenge")
  checkChallenge(exchange.challenge(verifier, nonce: Bytes("ours")))
  require(answer(exchange, final) == nil, "let in without a proof: \(first.shown) \(final.shown)")
}

private func answer(_ exchange: SCRAMExchange, _ final: Bytes) -> Bytes? {
  do throws(Errno) { return try exchange.answer(final) } catch { return nil }
}

private func checkChallenge(_ challenge: Bytes) {
  require(
    challenge.hasPrefix("r=") && !challenge.contains { $0 < 0x21 || $0 > 0x7E }, "a challenge: \(challenge.shown)")
  require(challenge.count { $0 == 0x2C } == 2, "not three attributes: \(challenge.shown)")
}

/// RFC 5802 §3, from the client's side, with somebody in the middle.
private func fuzzTampering(_ input: inout Input) {
  let flags = input.octet()
  let isPlus = flags & 1 == 1
  let hasTLS = isPlus || flags & 2 == 2
  let name = Bytes(input.part(before: ASCII.lf).filter { $0 >= 0x20 && $0 != 0x7F })
  guard !name.isEmpty, name.span.isUTF8 else { return }
  let escaped = Bytes(
    name.flatMap { $0 == 0x2C ? Bytes("=2C") : $0 == 0x3D ? Bytes("=3D") : [$0] })
  var header = isPlus ? Bytes("p=tls-exporter,") : Bytes("n,")
  if flags & 4 == 4 { header += Bytes("a=") + escaped }
  header += ","
  let bare = Bytes("n=") + escaped + Bytes(",r=theirs") + (flags & 8 == 8 ? Bytes(",x=more") : [])
  var first = header + bare
  let isChanged = flags & 16 == 16 && tamper(&first, &input)

  guard var exchange = SCRAMExchange(first, plus: isPlus, bindings: hasTLS ? bindings : nil) else {
    return require(isChanged, "an honest client is refused: \(first.shown)")
  }
  if !isChanged { require(exchange.name == name, "another name: \(exchange.name.shown)") }
  let challenge = exchange.challenge(verifier, nonce: Bytes("ours"))
  checkChallenge(challenge)

  var final = Bytes("c=") + encoded(header + (isPlus ? Bytes("exported") : [])) + Bytes(",r=theirsours")
  if flags & 32 == 32 { final += ",y=more" }
  let spoken = bare + [0x2C] + challenge + [0x2C] + final
  do throws(Errno) {
    let key = try Crypto.hmac(key: salted, Bytes("Client Key"))
    let signature = try Crypto.hmac(key: try Crypto.sha256(key), spoken)
    final += Bytes(",p=") + encoded(zip(key, signature).map { $0 ^ $1 })
    let expected = Bytes("v=") + encoded(try Crypto.hmac(key: verifier.serverKey, spoken))
    let isAltered = flags & 64 == 64 && tamper(&final, &input)
    let found = try exchange.answer(final)
    if isChanged || isAltered {
      require(found == nil, "let in with \(first.shown) and \(final.shown)")
    } else {
      require(found == expected, "an honest client is refused: \(first.shown), \(final.shown)")
    }
  } catch {
    return
  }
}

/// Changes some octets. False when they came out the same.
private func tamper(_ message: inout Bytes, _ input: inout Input) -> Bool {
  let before = message
  let at = input.number(below: message.count + 1)
  let count = min(message.count - at, input.number(below: 8))
  message.replaceSubrange(at..<(at + count), with: input.octets(input.number(below: 8)))
  return message != before
}
