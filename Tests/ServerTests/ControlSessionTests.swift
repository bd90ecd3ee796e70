import Testing
import Wire

@testable import Server

@Suite("The control socket's dialogue")
struct ControlSessionTests {
  /// Plays a whole dialogue; requests are noted and answered with `+OK`.
  func play(_ input: Bytes, pieces: [Int], collects: Bool = true) -> (notes: [String], reply: String, content: String) {
    var session = ControlSession()
    var notes: [String] = []
    var reply = Bytes()
    var content = Bytes()
    var held = Bytes()
    var at = 0
    for piece in pieces + [input.count] where piece > at || piece == input.count {
      held += Bytes(input[at..<piece])
      at = piece
      while true {
        let (consumed, effect) = session.receive(held.span, reply: &reply, content: &content)
        held.removeFirst(consumed)
        if effect == .more { break }
        switch effect {
        case .request(let request):
          notes.append("\(request)")
          if case .deliver = request {
            if !collects { session.refuse(75, Bytes("no"), reply: &reply) }
            session.take(collects)
          } else {
            session.answer([], reply: &reply)
          }
        case .deliver:
          notes.append("deliver \(session.octets)")
          session.answer(Bytes("17"), reply: &reply)
        case .discard:
          notes.append("discard")
          content = []
        case .close:
          notes.append("close")
          return (notes, reply.text, content.text)
        case .more: break
        }
      }
    }
    return (notes, reply.text, content.text)
  }

  /// Whole, octet by octet, and in two pieces at every place.
  func check(_ input: String, collects: Bool = true) -> (notes: [String], reply: String, content: String) {
    let input = Bytes(input.utf8)
    let whole = play(input, pieces: [], collects: collects)
    #expect(play(input, pieces: Array(0...input.count), collects: collects) == whole)
    for place in 0...input.count { #expect(play(input, pieces: [place], collects: collects) == whole) }
    return whole
  }

  @Test("requests are read in either case, with LF or CRLF, one after the other")
  func requests() {
    let (notes, reply, _) = check(
      "STATUS\nreload\r\nRESTORE anna 5,7-9\nDelete bert 1\nSelfTest\nREFUSALS\nconnections\n")
    #expect(
      notes == [
        "\(ControlRequest.status)", "\(ControlRequest.reload)",
        "\(ControlRequest.restore(name: Bytes("anna"), sequences: [5, 7, 8, 9]))",
        "\(ControlRequest.delete(name: Bytes("bert"), sequences: [1]))",
        "\(ControlRequest.selfTest)", "\(ControlRequest.refusals)", "\(ControlRequest.connections)",
      ])
    #expect(reply == String(repeating: "+OK\r\n", count: 7))
  }

  @Test("a delivery's content is collected as it came, and its size counted as POP3 counts")
  func delivery() {
    let content = "A: b\r\n\r\n..dot\r\nend\r\n.\r\n"
    let (notes, reply, collected) = check("DELIVER \(content.utf8.count) 1700000000 bert,anna,bert\n\(content)STATUS\n")
    #expect(
      notes == [
        "\(ControlRequest.deliver(octets: content.utf8.count, time: 1_700_000_000, names: [Bytes("anna"), Bytes("bert")]))",
        "deliver 19", "\(ControlRequest.status)",
      ])
    #expect(reply == "+OK 17\r\n+OK\r\n")
    #expect(collected == content)
  }

  @Test("a refused delivery's content is dropped, and the next request is heard")
  func refusedDelivery() {
    let (notes, reply, collected) = check("DELIVER 8 1 anna\nA: b\r\n.\nSTATUS\n", collects: false)
    #expect(notes.count == 2)
    #expect(reply == "-ERR 75 no\r\n+OK\r\n")
    #expect(collected.isEmpty)
  }

  @Test(
    "content that is not in wire format is not stored",
    arguments: ["A: b\r\n", "A: b\r\n.\r\nSTATUS\r\n", "A: b\n.\r\n", "A\nb\r\n.\r\n", ""])
  func brokenContent(_ content: String) {
    let (notes, reply, collected) = check("DELIVER \(content.utf8.count) 1 anna\n\(content)STATUS\n")
    #expect(Array(notes.dropFirst()) == ["discard", "close"])
    #expect(reply.hasPrefix("-ERR 65 "))
    #expect(collected.isEmpty)
  }

  @Test(
    "a request that is none is refused, and nothing after it is heard: it may be content",
    arguments: [
      "", "HELO x", "STATUS now", "RESTORE anna", "RESTORE anna x", "RESTORE anna 7-5", "RESTORE anna 5,",
      "RESTORE anna -5", "RESTORE anna 1-18446744073709551615", "DELETE anna 18446744073709551616",
      "RESTORE anna 1-200000", "DELIVER 5 anna", "DELIVER -1 1 anna", "DELIVER 99999999999 1 anna",
      "DELIVER 5 1 anna,,bert", "DELIVER 5 1 anna bert", "DELIVER 5 99999999999999999999 anna", "\0\u{FC}",
    ])
  func bad(_ line: String) {
    let (notes, reply, _) = check(line + "\nRELOAD\n")
    #expect(notes == ["close"])
    #expect(reply.hasPrefix("-ERR 64 "))
  }

  @Test("a request without an end is cut off")
  func endless() {
    let (notes, reply, _) = play(Bytes(repeating: 0x41, count: Limits.controlLine), pieces: [])
    #expect(notes == ["close"])
    #expect(reply.hasPrefix("-ERR 64 "))
  }
}
