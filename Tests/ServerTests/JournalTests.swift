import System
import Testing
import Wire

@testable import Server

@Suite("The journal")
struct JournalTests {
  let peer = SocketAddress(Bytes("192.0.2.7"), port: 4711)!

  /// What a journal writes, in a file.
  func lines(hasSeverity: Bool, _ body: (Journal) -> Void) throws -> [String] {
    let directory = try Process.temporaryDirectory(in: Path("/tmp"), prefix: "journal")
    let path = directory.appending("lines")
    let files = Files()
    let file = try files.open(path, [.write, .create])
    let journal = Journal(descriptor: file.number, hasSeverity: hasSeverity)
    body(journal)
    journal.flush(now: 1_000_000)
    let text = try files.contents(path, limit: 1 << 20).text
    try files.remove(path)
    try files.removeDirectory(directory)
    #expect(text.hasSuffix("\n"))
    return text.split(separator: "\n").map { String($0) }
  }

  @Test("an event is one line, with its severity where a service manager reads, without on a terminal")
  func severity() throws {
    let event = JournalEvent.delivered(
      sequence: 17, from: Bytes("a@b.example"), to: [Bytes("anna"), Bytes("bert")], octets: 394, peer: peer)
    let words = "delivered 17: from=<a@b.example> to=anna,bert octets=394 peer=192.0.2.7"
    #expect(try lines(hasSeverity: true) { $0.record(event, now: 1) } == ["<6>" + words])
    #expect(try lines(hasSeverity: false) { $0.record(event, now: 1) } == [words])
  }

  @Test("octets of a peer cannot end a line, forge one, or speak to the terminal")
  func escaping() throws {
    let evil = Bytes("x\r\n<0>forged\u{1B}[2J\u{0}\u{FC}\u{2028}")
    let events: [JournalEvent] = [
      .recipientRefused(recipient: evil, reason: "unknown", from: evil, peer: peer),
      .messageRefused(reply: evil, from: evil, peer: peer),
      .loginRefused(.pop3, name: evil, reason: "wrong", peer: peer, tls: []),
      .delivered(sequence: 1, from: evil, to: [evil], octets: 1, peer: peer),
      .ended(.smtp, reply: evil, peer: peer),
      .login(.pop3, name: evil, peer: peer, tls: []),
      .fetched(name: evil, Fetched(), peer: peer),
    ]
    let all = try lines(hasSeverity: true) { journal in for event in events { journal.record(event, now: 1) } }
    #expect(all.count == events.count)
    for line in all {
      #expect(line.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
      #expect(line.contains("\\x0d\\x0a<0>forged\\x1b[2J\\x00"))
    }
  }

  @Test("a very long name does not make a very long line")
  func length() throws {
    let long = Bytes(repeating: 0x41, count: 1_000_000)
    let all = try lines(hasSeverity: true) {
      $0.record(.recipientRefused(recipient: long, reason: "unknown", from: long, peer: peer), now: 1)
      $0.record(.loginRefused(.pop3, name: long, reason: "wrong", peer: peer, tls: []), now: 1)
      $0.record(
        .delivered(sequence: 1, from: long, to: Array(repeating: Bytes("anna"), count: 1000), octets: 1, peer: peer),
        now: 1)
    }
    #expect(all.count == 3)
    for line in all { #expect(line.utf8.count < 1000) }
  }

  @Test("a flood of refusals is cut, and how much was left out is told; other events are not concerned")
  func flood() throws {
    let all = try lines(hasSeverity: false) { journal in
      for _ in 0..<1000 {
        journal.record(.loginRefused(.pop3, name: Bytes("anna"), reason: "wrong", peer: peer, tls: []), now: 5)
        journal.record(.login(.pop3, name: Bytes("bert"), peer: peer, tls: []), now: 5)
      }
      #expect(journal.isWaiting)
      journal.record(.loginRefused(.pop3, name: Bytes("anna"), reason: "wrong", peer: peer, tls: []), now: 6)
      journal.flush(now: 6)
      #expect(!journal.isWaiting)
    }
    #expect(all.filter { $0.hasPrefix("login refused") }.count == Limits.journalLines + 1)
    #expect(all.filter { $0.hasPrefix("login: bert") }.count == 1000)
    let left = 1000 - Limits.journalLines
    #expect(all.contains("left out of the journal: \(left) more lines of the kind \"login refused\""))
    #expect(all.last?.hasPrefix("login refused") == true)
  }

  @Test("a journal that nobody reads holds nothing up; how much is missing is told to the one who reads again")
  func unread() throws {
    let directory = try Process.temporaryDirectory(in: Path("/tmp"), prefix: "journal")
    let path = directory.appending("socket")
    let listener = try Sockets.listen(at: path)
    let writer = try Sockets.connect(at: path)
    let accepted = try Sockets.accept(listener.number)
    let journal = Journal(descriptor: writer.number, hasSeverity: false)
    for second in 0..<20_000 {
      journal.record(.login(.pop3, name: Bytes("anna"), peer: peer, tls: []), now: Int64(second))
      journal.flush(now: Int64(second))
    }
    var text = Bytes()
    var buffer = Bytes(repeating: 0, count: 65_536)
    while journal.isWaiting {
      journal.flush(now: 30_000)
      while let count = try? Sockets.receive(accepted.socket.number, into: &buffer) { text += buffer[..<count] }
    }
    let lines = text.text.split(separator: "\n")
    let words = try #require(lines.last).split(separator: " ")
    #expect(lines.dropLast().allSatisfy { $0 == "login: anna service=POP3 peer=192.0.2.7" })
    #expect(words.dropFirst(5).first.flatMap { Int($0) } == 20_000 - (lines.count - 1))
    try Files().remove(path)
    try Files().removeDirectory(directory)
  }

  /// The lines that the journal gets for an event.
  func entry(_ event: JournalEvent) -> [String] {
    var out = Bytes()
    event.appendEntry(to: &out)
    let text = out.text
    #expect(text.hasSuffix("\n\n"))
    return text.dropLast(2).split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
  }

  @Test("an entry has the words, the severity, the identity, and each value as a field; a list has one for each word")
  func fields() {
    let event = JournalEvent.delivered(
      sequence: 17, from: [], to: [Bytes("anna"), Bytes("bert")], octets: 394, peer: peer, tls: Bytes("TLSv1.3"))
    let lines = entry(event)
    #expect(lines[0] == "MESSAGE=delivered 17: from=<> to=anna,bert octets=394 peer=192.0.2.7 tls=TLSv1.3")
    #expect(lines[1] == "PRIORITY=6")
    #expect(lines[2].hasPrefix("MESSAGE_ID=") && lines[2].utf8.count == 11 + 32)
    #expect(
      lines[3...] == [
        "RESTANTE_SEQUENCE=17", "RESTANTE_FROM=", "RESTANTE_MAILDROP=anna", "RESTANTE_MAILDROP=bert",
        "RESTANTE_OCTETS=394", "RESTANTE_PEER=192.0.2.7", "RESTANTE_TLS=TLSv1.3",
      ])
  }

  @Test("what is not there leaves neither words nor a field")
  func optional() throws {
    let event = JournalEvent.loginRefused(.smtp, name: [], reason: "wrong", peer: peer, tls: [])
    let lines = entry(event)
    #expect(lines[0] == "MESSAGE=login refused: wrong service=SMTP peer=192.0.2.7")
    #expect(lines[3...] == ["RESTANTE_REASON=wrong", "RESTANTE_SERVICE=SMTP", "RESTANTE_PEER=192.0.2.7"])
  }

  @Test("octets of a peer cannot forge a field")
  func forgedFields() {
    let evil = Bytes("x\nPRIORITY=0\n\nMESSAGE=forged{PEER}")
    for event: JournalEvent in [
      .recipientRefused(recipient: evil, reason: "unknown", from: evil, peer: peer),
      .ended(.smtp, reply: evil, peer: peer),
      .startFailed(evil),
      .problem(Problem(Path("/etc/restante"), line: 3, evil)),
    ] {
      let lines = entry(event)
      #expect(lines.filter { $0.hasPrefix("PRIORITY=") }.count == 1)
      #expect(lines.dropFirst(3).allSatisfy { $0.hasPrefix("RESTANTE_") })
    }
  }

  @Test("a message to very many names a few of them, and how many there are")
  func manyRecipients() {
    let names = (1...25).map { Bytes("user\($0)".utf8) }
    let lines = entry(.delivered(sequence: 1, from: [], to: names, octets: 1, peer: peer))
    #expect(lines[0].contains(",user20,... (25 in all) octets=1"))
    #expect(lines.filter { $0.hasPrefix("RESTANTE_MAILDROP=") }.count == 20)
    #expect(lines.contains("RESTANTE_RECIPIENTS=25"))
  }
}
