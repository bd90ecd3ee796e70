import POP3
import Wire

/// Does for a session what the server does: keeps the unfinished line, carries out effects, collects what is sent.
struct Caller {
  var session: Session<MemoryMaildrop>
  let maildrop: MemoryMaildrop
  /// How the next passwords fare; when none is left, `anna` with `se cret` is welcome and others are refused.
  var authentications: [Session<MemoryMaildrop>.Authentication] = []
  var updateResult = Session<MemoryMaildrop>.Update.done

  private(set) var sent = Bytes()
  private(set) var deleted: [Int]?
  private(set) var isClosed = false
  private(set) var longestReply = 0
  private(set) var startedTLS = false
  private(set) var logins: [String] = []
  private var pending = Bytes()

  init(
    _ maildrop: MemoryMaildrop = .three, settings: Settings = Settings(hostName: Bytes("mail.office.example")),
    secure: Bool = true, tls: Bool = false
  ) {
    session = Session(settings: settings, secure: secure, tls: tls)
    self.maildrop = maildrop
  }

  mutating func greet() {
    var reply = Bytes()
    session.greet(reply: &reply)
    send(&reply)
  }

  /// The client sends `octets`.
  mutating func hear(_ octets: some Sequence<UInt8>) {
    guard !isClosed else { return }
    pending.append(contentsOf: octets)
    var reply = Bytes()
    while !isClosed {
      let input = pending
      let (consumed, effect) = session.receive(input.span, reply: &reply)
      pending.removeFirst(consumed)
      send(&reply)
      if case .more = effect { return }
      carryOut(effect)
    }
  }

  mutating func shutDown() {
    var reply = Bytes()
    session.shuttingDown(reply: &reply)
    send(&reply)
    isClosed = true
  }

  private mutating func carryOut(_ first: Session<MemoryMaildrop>.Effect) {
    var effect = first
    var reply = Bytes()
    while true {
      switch effect {
      case .more, .flush:
        return
      case .authenticate(let name, let password):
        logins.append("\(name.text)|\(password.text)")
        let isRight = name.equals("anna") && password.equals("se cret")
        let result = authentications.isEmpty ? isRight ? .welcome(maildrop) : .refused : authentications.removeFirst()
        effect = session.answer(authentication: result, reply: &reply)
      case .scram(let message):
        // The session passes them through, so any words will do.
        switch message {
        case .first(let first, let plus):
          logins.append("\(plus ? "first+" : "first")|\(first.text)")
          if first.equals("anna") {
            session.answer(challenge: Bytes("challenge"), reply: &reply)
            send(&reply)
            return
          }
        case .final(let final):
          logins.append("final|\(final.text)")
          if final.equals("proof") {
            session.answer(challenge: Bytes("v=server"), reply: &reply)
            send(&reply)
            return
          }
        case .acknowledged:
          logins.append("acknowledged")
          effect = session.answer(authentication: .welcome(maildrop), reply: &reply)
          send(&reply)
          continue
        }
        effect = session.answer(authentication: .refused, reply: &reply)
      case .send(let content, let bodyLines):
        send(content, bodyLines)
        return
      case .resume:
        effect = session.resume(reply: &reply)
      case .update(let marks):
        deleted = Array(marks)
        effect = session.answer(update: updateResult, reply: &reply)
      case .startTLS:
        startedTLS = true
        session.startedTLS()
        return
      case .close:
        send(&reply)
        isClosed = true
        return
      }
      send(&reply)
    }
  }

  private mutating func send(_ reply: inout Bytes) {
    longestReply = max(longestReply, reply.count)
    sent += reply
    reply.removeAll(keepingCapacity: true)
  }

  private mutating func send(_ content: String, _ bodyLines: Int?) {
    let octets = Bytes(content.utf8)
    guard let bodyLines else {
      sent += octets
      return
    }
    var cutter = TopCutter(bodyLines: bodyLines)
    sent += octets.prefix(cutter.scan(octets.span) ?? cutter.certain)
    sent += ".\r\n"
  }
}
