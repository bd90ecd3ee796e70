import Foundation
import SMTP
import Testing
import Wire

/// A dialogue as Tests/Dialogues writes them; README.md there says how.
struct Dialogue {
  var client = Bytes()
  var expected: [String] = []
  var closes = false

  /// Stands for lines up to the end of a reply of several.
  static let list = "S..."

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
      } else if line == Self.list {
        expected.append(line)
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
      case UInt8(ascii: "{"):
        // So many of something: \\{1000*x}
        guard let star = text[index...].firstIndex(of: 0x2A), let end = text[star...].firstIndex(of: 0x7D),
          let count = Bytes(text[index..<star]).span.decimal
        else {
          Issue.record("an escape without its end")
          return octets
        }
        let repeated = unescaped(Bytes(text[star + 1..<end]))
        for _ in 0..<count { octets += repeated }
        index = end + 1
      default: Issue.record("an escape nobody knows")
      }
    }
    return octets
  }

  /// Whether a line is as a pattern says, where `*` stands for anything.
  static func matches(_ line: String, _ pattern: String) -> Bool {
    let parts = pattern.components(separatedBy: "*")
    guard parts.count > 1 else { return line == pattern }
    guard line.hasPrefix(parts[0]), line.count >= parts[0].count + parts[parts.count - 1].count else { return false }
    var rest = line.dropFirst(parts[0].count)
    for part in parts[1...].dropLast() where !part.isEmpty {
      guard let range = rest.firstRange(of: part) else { return false }
      rest = rest[range.upperBound...]
    }
    return rest.hasSuffix(parts[parts.count - 1])
  }

  private func agrees(with lines: [String]) -> Bool {
    var lines = lines[...]
    for pattern in expected {
      if pattern == Self.list {
        while let line = lines.popFirst(), line.dropFirst(3).first == "-" {}
      } else {
        guard let line = lines.popFirst(), Self.matches(line, pattern) else { return false }
      }
    }
    return lines.isEmpty
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
    if !agrees(with: lines) {
      Issue.record(
        "expected\n\(expected.joined(separator: "\n"))\ngot\n\(lines.joined(separator: "\n"))",
        sourceLocation: sourceLocation)
    }
    whole.checkReplies(sourceLocation)
    // A long dialogue is long by repetition: a thousand cuts find what all would.
    let step = client.count / 2500 * 7 + 1
    var ways = stride(from: 1, to: client.count, by: step).map { [client[..<$0], client[$0...]] }
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
