import POP3
import Testing
import Wire

/// A dialogue as text, in the form of Tests/Dialogues: `C: ` a line the client sends, `S: ` a line expected in answer,
/// where `*` stands for anything, `CLOSE` the end of the connection.
struct Dialogue {
  var client = Bytes()
  var expected: [String] = []
  var closes = false

  init(_ script: String) {
    for line in script.split(separator: "\n") {
      if line.hasPrefix("C: ") {
        client += Bytes(line.dropFirst(3).utf8) + Bytes("\r\n")
      } else if line.hasPrefix("S: ") {
        expected.append(String(line.dropFirst(3)))
      } else if line == "CLOSE" {
        closes = true
      } else {
        Issue.record("not a line of a dialogue: \(line)")
      }
    }
  }

  /// Holds the dialogue whole, octet by octet, and cut in two at each position; what was sent must be the same each
  /// time and as expected. Returns the caller of the whole one.
  @discardableResult
  func hold(
    with make: () -> Caller = { Caller() }, sourceLocation: SourceLocation = #_sourceLocation
  ) -> Caller {
    var whole = make()
    whole.hear(client)
    check(whole, sourceLocation)
    var bytewise = make()
    for octet in client { bytewise.hear(CollectionOfOne(octet)) }
    #expect(bytewise.sent.text == whole.sent.text, "octet by octet", sourceLocation: sourceLocation)
    #expect(bytewise.isClosed == whole.isClosed, "octet by octet", sourceLocation: sourceLocation)
    #expect(bytewise.deleted == whole.deleted, "octet by octet", sourceLocation: sourceLocation)
    for position in client.indices {
      var split = make()
      split.hear(client[..<position])
      split.hear(client[position...])
      if split.sent != whole.sent || split.isClosed != whole.isClosed || split.deleted != whole.deleted {
        Issue.record("split at \(position): \(split.sent.text)", sourceLocation: sourceLocation)
      }
    }
    return whole
  }

  private func check(_ caller: Caller, _ sourceLocation: SourceLocation) {
    var lines = caller.sent.text.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines.popLast() == "", "the last line is unfinished", sourceLocation: sourceLocation)
    let agrees = lines.count == expected.count && zip(lines, expected).allSatisfy { Self.matches($0, $1) }
    if !agrees {
      let report = "expected\n\(expected.joined(separator: "\n"))\ngot\n\(lines.joined(separator: "\n"))"
      Issue.record("\(report)", sourceLocation: sourceLocation)
    }
    #expect(caller.isClosed == closes, "whether it is closed", sourceLocation: sourceLocation)
  }

  static func matches(_ line: String, _ pattern: String) -> Bool {
    let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
    guard parts.count > 1 else { return line == pattern }
    guard line.hasPrefix(parts[0]) else { return false }
    var rest = line.dropFirst(parts[0].count)
    for part in parts[1...].dropLast() where !part.isEmpty {
      guard let range = rest.firstRange(of: part) else { return false }
      rest = rest[range.upperBound...]
    }
    return rest.hasSuffix(parts[parts.count - 1])
  }

  /// Adds the login to a dialogue.
  static func loggedIn(_ script: String) -> Dialogue {
    Dialogue("C: USER anna\nS: +OK *\nC: PASS se cret\nS: +OK *\n" + script)
  }
}
