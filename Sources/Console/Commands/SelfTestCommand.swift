import Server
import System
import Wire

/// `self-test`: whether the device does what it is for, line by line, and what to do where it does not.
final class SelfTestCommand {
  private let site: Site
  private let invocation: Invocation
  private let output: Output
  private var json = JSON()
  private var isWell = true

  /// Milliseconds that an answer of our own server may take; a worn card takes seconds for a flush.
  private static let patience = 20_000
  /// Octets of mail up to which all of it is read. A card gives some twenty million in a second.
  private static let readable: Int64 = 256 << 20

  init(site: Site, invocation: Invocation, output: Output) {
    self.site = site
    self.invocation = invocation
    self.output = output
  }

  func run() throws(Failure) -> ExitCode {
    json.beginArray()
    var report = Report()
    if let client = try ControlClient.connect(site.state) {
      for line in try client.lines(Bytes("STATUS")) { StatusCommand.read(line, &report) }
      report.isRunning = report.unavailable.isEmpty
    }
    if report.isRunning {
      testMail(report)
      testSpool(report)
    } else {
      let why = report.unavailable.isEmpty ? Supervisors().statusText : report.unavailable
      var text = Bytes("the server does not serve. ")
      text += why.isEmpty ? Bytes("Start it: `systemctl start restante`; the journal says why it ended") : why
      tell("mail", false, text)
    }
    testDisk(report)
    testClock()
    testCertificate(report)
    let watchdog = Supervisors().watchdog
    tell("watchdog", watchdog.isArmed, watchdog.words)
    json.endArray()
    if invocation.has(.json) { output.line(json.text) }
    return isWell ? .ok : .tryAgain
  }

  /// `isRight` is nil where it cannot be known.
  private func tell(_ what: StaticString, _ isRight: Bool?, _ words: Bytes) {
    if isRight == false { isWell = false }
    if invocation.has(.json) {
      json.beginObject()
      json.add("what", Bytes(what))
      if let isRight { json.add("ok", isRight) } else { json.addNull("ok") }
      json.add("text", words)
      return json.endObject()
    }
    var line = Bytes(isRight == true ? "ok   " : isRight == false ? "FAIL " : "--   ")
    line += what
    line += ": "
    line += words
    output.line(line)
    output.flush()
  }

  private func tell(_ what: StaticString, _ isRight: Bool?, _ words: StaticString) { tell(what, isRight, Bytes(words)) }

  // MARK: mail

  /// A message by SMTP to ourselves, and back by POP3 over TLS.
  private func testMail(_ report: Report) {
    var step: StaticString = "sending"
    do throws(Failure) {
      guard let login = try ControlClient.connect(site.state)?.request(Bytes("SELFTEST")) else {
        throw Failure(.unavailable, "the server has just ended")
      }
      let words = SystemText.words(login)
      guard words.count == 2, let random = try? Crypto.random(8) else { throw Failure(.unavailable, "no randomness") }
      var token = Bytes()
      for octet in random { token.append(hexadecimal: UInt64(octet), width: 2) }
      let begun = Clock.monotonic
      try send(token, to: words[0], report)
      step = "fetching"
      let fingerprint = try fetch(token, words[0], words[1], report)
      var text = Bytes("a message came in by SMTP and was fetched by POP3 over TLS, in ")
      text.append(decimal: Int(Clock.monotonic - begun))
      text += " ms"
      tell("mail", true, text)
      if fingerprint != report.fingerprint {
        tell("certificate", false, "readers are shown another one than the server says; restart the server")
      }
    } catch {
      var text = Bytes(step)
      text += " the message that the device sends itself: "
      text += error.text
      text += ". The journal says more: `restante journal`"
      tell("mail", false, text)
    }
  }

  /// Connects to a service of ours on the machine itself.
  private func dialogue(_ service: StaticString, _ report: Report) throws(Failure) -> DemoDialogue? {
    var last: Failure?
    for listener in report.listeners where listener.service.equals(service) {
      guard let colon = listener.address.lastIndex(of: 0x3A),
        let port = Bytes(listener.address[(colon + 1)...]).span.decimal.flatMap({ UInt16(exactly: $0) })
      else { continue }
      var host = Bytes(listener.address[..<colon])
      host.removeAll { $0 == 0x5B || $0 == 0x5D }
      // A socket for all addresses of IPv6 takes those of IPv4 as well, or has a neighbour that does.
      let hosts: [Bytes] =
        host.equals("0.0.0.0") || host.equals("::") ? [Bytes("127.0.0.1"), Bytes("::1")] : [host]
      for host in hosts {
        guard let address = SocketAddress(host, port: port) else { continue }
        do throws(Failure) {
          return try DemoDialogue(address, isShown: false, milliseconds: SelfTestCommand.patience)
        } catch {
          last = error
        }
      }
    }
    if let last { throw last }
    return nil
  }

  private func send(_ token: Bytes, to name: Bytes, _ report: Report) throws(Failure) {
    guard let dialogue = try dialogue("SMTP", report) else { throw Failure(.unavailable, "nothing listens for SMTP") }
    try dialogue.expect("220")
    try dialogue.ask("EHLO localhost", "250")
    try dialogue.ask("MAIL FROM:<>", "250")
    var to = Bytes("RCPT TO:<")
    to += name
    to += "@"
    to += site.configuration.device.domains.first ?? site.configuration.device.hostName
    to += ">"
    try dialogue.ask(to, "250")
    try dialogue.ask("DATA", "354")
    var text = Bytes("From: <>\r\nSubject: Self-test ")
    text += token
    text += "\r\n\r\nThis device has sent itself a message.\r\n.\r\n"
    try dialogue.send(text)
    try dialogue.expect("250")
    try dialogue.ask("QUIT", "221")
  }

  /// Fetches and deletes it; returns the fingerprint of the certificate that was shown.
  private func fetch(_ token: Bytes, _ name: Bytes, _ password: Bytes, _ report: Report) throws(Failure) -> Bytes {
    let fingerprint: Bytes
    let reader: DemoDialogue
    if let secure = try dialogue("POP3S", report) {
      reader = secure
      fingerprint = try reader.startTLS()
      try reader.expect("+OK")
    } else if let plain = try dialogue("POP3", report) {
      reader = plain
      try reader.expect("+OK")
      try reader.ask("STLS", "+OK")
      fingerprint = try reader.startTLS()
    } else {
      throw Failure(.unavailable, "nothing listens for POP3")
    }
    try reader.ask(Bytes("USER ") + name, "+OK")
    try reader.ask(Bytes("PASS ") + password, "+OK")
    try reader.ask("STAT", "+OK")
    let words = SystemText.words(reader.answer)
    let count = words.count > 1 ? SystemText.number(words[1]) ?? 0 : 0
    // The newest; those of tests that were broken off go along.
    var isFound = false
    for number in stride(from: count, to: 0, by: -1) {
      if !isFound {
        try reader.ask(SelfTestCommand.command("RETR ", number), "+OK")
        isFound = SystemText.lines(try reader.block()).contains {
          $0.starts(with: Bytes("Subject: Self-test ") + token)
        }
      }
      try reader.ask(SelfTestCommand.command("DELE ", number), "+OK")
    }
    try reader.ask("QUIT", "+OK")
    if !isFound { throw Failure(.data, "it was taken, and is not there") }
    return fingerprint
  }

  private static func command(_ verb: StaticString, _ number: Int64) -> Bytes {
    var text = Bytes(verb)
    text.append(decimal: Int(number))
    return text
  }

  // MARK: the rest

  private func testSpool(_ report: Report) {
    if report.octets > SelfTestCommand.readable {
      return tell(
        "spool", report.problems == 0, "too large to be read whole by a test; each week it is, and by `restante check`")
    }
    var words = [ChildProcess.ownProgram, Bytes("check")]
    if let file = invocation.value(.config) { words += [Bytes("--config"), file] }
    let answer = try? ChildProcess.ask(words, errors: true, milliseconds: 300_000)
    guard let answer, answer.code == 0 else {
      var text = Bytes("`restante check` finds fault: ")
      text += SystemText.lines(answer?.text ?? []).last ?? []
      return tell("spool", false, text)
    }
    tell("spool", true, "every message was read and is as it was written")
  }

  private func testDisk(_ report: Report) {
    let space = try? site.files.space(site.state)
    var text = Bytes()
    guard let disk = Disk(of: site.state), let space else {
      return tell("disk", nil, "this system does not tell how its disk is")
    }
    text.append(rounded: space.available)
    text += " of "
    text.append(rounded: space.total)
    text += " free"
    let complaints = disk.complaints
    let life = disk.lifeTenths ?? 0
    var isRight = true
    func fault(_ what: StaticString) {
      isRight = false
      text += "; "
      text += what
    }
    if space.available < site.configuration.spool.keepFree.octets(of: space.total) {
      fault("too little: new mail is answered 452. Delete mail, or put in a larger card")
    }
    if complaints > 0 { fault("the kernel had errors in reading or writing it: make a backup, put in another card") }
    if life > 9 { fault("its flash is worn: make a backup, put in another card") }
    let damage = Damage.words(of: site.state)
    if !damage.isEmpty {
      fault("")
      text += damage
    }
    tell("disk", isRight, text)
  }

  private func testClock() {
    var text = Bytes()
    Moment.append(Clock.now, to: &text)
    text += ", "
    text += DeviceClock.source
    if !DeviceClock.isSet {
      text += "; mail is marked with a wrong time until `restante clock set`, or a network, sets it"
    }
    tell("clock", DeviceClock.isSet, text)
  }

  private func testCertificate(_ report: Report) {
    guard let notAfter = report.notAfter else {
      return tell("certificate", report.isRunning ? false : nil, "there is none that can be used")
    }
    var text = Bytes("valid to ")
    text.append(certificateEnd: notAfter)
    if !report.certificateProblem.isEmpty {
      text += "; but it is not the one it should be: "
      text += report.certificateProblem
    } else if !report.isCertificateWell {
      text += "; make or get another: `restante certificate renew`, or install"
    }
    tell("certificate", report.isCertificateWell, text)
  }
}
