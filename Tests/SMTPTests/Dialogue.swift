import Foundation
import SMTP
import Testing
import Wire

/// A dialogue as Tests/Dialogues writes them; README.md there says how.
struct Dialogue {
  var client = Bytes()
  var expected: [String] = []
  var closes = false

  init(_ script: String) {
    for line in script.components(separatedBy: "\n") where !line.isEmpty && !line.hasPrefix("#") {
      if line == "C:" {
        client += Bytes("\r\n")
      } else if line.hasPrefix("C: ") {
        client += Bytes(String(line.dropFirst(3)) + "\r\n")
      } else if line.hasPrefix("C\\ ") {
        client += Self.unescaped(Bytes(String(line.dropFirst(3))))
      } else if line.hasPrefix("S: ") {
        expected.append(String(line.dropFirst(3)))
      } else if line == "CLOSE" {
        closes = true
      } else if line != "HALFCLOSE" {
        Issue.record("not a line of a dialogue: \(line)")
      }
    }
  }

  static func unescaped(_ text: Bytes) -> Bytes {
    var octets = Bytes()
    var index = 0
    while index < text.count {
      guard text[index] == 0x5C else {
        octets.append(text[index])
        index += 1
        continue
      }
      index += 2
      switch text[index - 1] {
      case UInt8(ascii: "r"): octets.append(0x0D)
      case UInt8(ascii: "n"): octets.append(0x0A)
      case UInt8(ascii: "t"): octets.append(0x09)
      case UInt8(ascii: "0"): octets.append(0)
      case UInt8(ascii: "\\"): octets.append(0x5C)
      case UInt8(ascii: "x"):
        octets.append(UInt8(truncatingIfNeeded: Bytes(text[index..<index + 2]).span.hexadecimal ?? 0))
        index += 2
      default: Issue.record("an escape nobody knows")
      }
    }
    return octets
  }

  static func matches(_ line: String, _ pattern: String) -> Bool {
    guard let star = pattern.firstIndex(of: "*") else { return line == pattern }
    return line.hasPrefix(pattern[..<star])
  }

  /// Holds the dialogue with all the client says at once, octet by octet, and cut in two at each position. Replies,
  /// effects and deliveries must be the same each time and as expected. Returns the office of the first time.
  @discardableResult
  func hold(
    with make: () -> Office = { Office() }, sourceLocation: SourceLocation = #_sourceLocation
  ) -> Office {
    var whole = make()
    whole.hear(client)
    let lines = whole.lines
    let agrees = lines.count == expected.count && zip(lines, expected).allSatisfy { Self.matches($0, $1) }
    if !agrees {
      Issue.record(
        "expected\n\(expected.joined(separator: "\n"))\ngot\n\(lines.joined(separator: "\n"))",
        sourceLocation: sourceLocation)
    }
    whole.checkReplies(sourceLocation)
    var ways = (1..<max(1, client.count)).map { [client[..<$0], client[$0...]] }
    ways.append(client.indices.map { client[$0...$0] })
    for pieces in ways {
      var office = make()
      for piece in pieces { office.hear(piece) }
      if office.sent != whole.sent || office.events != whole.events || office.deliveries != whole.deliveries
        || office.isClosed != whole.isClosed
      {
        Issue.record(
          "cut after \(pieces[0].count): \(office.sent.text) \(office.events), not \(whole.sent.text) \(whole.events)",
          sourceLocation: sourceLocation)
        return whole
      }
    }
    return whole
  }
}
