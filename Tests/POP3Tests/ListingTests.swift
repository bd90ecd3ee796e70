import Testing
import Wire

@testable import POP3

@Suite("Long listings")
struct ListingTests {
  private static let messages = 100_000
  private let maildrop = MemoryMaildrop(Array(repeating: "A: b\r\n\r\n.\r\n", count: Self.messages))

  private func lines(_ command: String, marking marked: [Int] = []) -> ([Substring], Caller) {
    var caller = Caller(maildrop)
    caller.hear("USER anna\r\nPASS se cret\r\n".utf8)
    for number in marked { caller.hear("DELE \(number)\r\n".utf8) }
    let before = caller.sent.count
    maildrop.visits = 0
    caller.hear("\(command)\r\nNOOP\r\n".utf8)
    return (Bytes(caller.sent[before...]).text.split(separator: "\r\n"), caller)
  }

  @Test("LIST and UIDL of 100,000 messages are complete, in replies of 16 KiB at most, reading the index once")
  func complete() {
    for (command, first, last) in [
      ("LIST", "1 8", "100000 8"), ("UIDL", "1 5eed-f1", "100000 5eed-\(String(100_000 * 0xF1, radix: 16))"),
    ] {
      let (lines, caller) = lines(command)
      #expect(lines.count == Self.messages + 3)
      #expect(lines.first == "+OK 100000 messages (800000 octets)" && lines[1] == first)
      #expect(lines.suffix(3) == [last[...], ".", "+OK Here."])
      #expect(lines.dropFirst().prefix(Self.messages).enumerated().allSatisfy { $1.hasPrefix("\($0 + 1) ") })
      #expect(caller.longestReply <= Limits.pop3Listing)
      #expect(maildrop.visits < Self.messages + 500)
    }
  }

  @Test("Marked messages are left out, wherever a reply ends")
  func marked() {
    let marked = [1, 2, 63, 64, 65, 999, 50_000, 99_999, 100_000]
    let (lines, _) = lines("UIDL", marking: marked)
    #expect(lines.count == Self.messages + 3 - marked.count)
    let numbers = Set(lines.compactMap { $0.split(separator: " ").first.flatMap { Int($0) } })
    #expect(marked.allSatisfy { !numbers.contains($0) })
  }

  @Test("Lines are right for the smallest and the largest numbers")
  func extremes() {
    for uid: UInt64 in [0, 1, 15, 16, 255, 256, .max - 1, .max] {
      for size in [0, 9, 10, 99, 100, Int.max] {
        let prefix = String(repeating: "p", count: 54)
        var reply = Bytes()
        var line = ListingLine(.uniqueIDs, uidPrefix: Bytes(prefix.utf8))
        line.append(Int.max, octets: size, uid: uid, to: &reply)
        #expect(reply.text == "\(Int.max) \(prefix)\(String(uid, radix: 16))\r\n")
        reply = []
        line = ListingLine(.sizes, uidPrefix: Bytes(prefix.utf8))
        line.append(10, octets: size, uid: uid, to: &reply)
        #expect(reply.text == "10 \(size)\r\n")
      }
    }
    #expect(Int.max.description.count + 1 + 70 + 2 <= ListingLine.longest)
  }
}
