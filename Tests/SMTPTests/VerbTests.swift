import Foundation
import SMTP
import Testing
import Wire

@Suite("Verbs")
struct VerbTests {
  @Test(
    "Every verb is known in any case, and nothing longer or shorter is taken for it",
    arguments: [
      ("HELO", "501"), ("EHLO", "501"), ("MAIL", "503"), ("RCPT", "503"), ("DATA", "503"), ("BDAT", "501"),
      ("RSET", "250"), ("NOOP", "250"), ("VRFY", "501"), ("EXPN", "502"), ("HELP", "214"), ("QUIT", "221"),
      ("AUTH", "502"), ("STARTTLS", "454"), ("SEND", "502"), ("SOML", "502"), ("SAML", "502"), ("TURN", "502"),
      ("ETRN", "502"), ("GET", "421"), ("POST", "421"), ("HEAD", "421"), ("PUT", "421"), ("OPTIONS", "421"),
      ("CONNECT", "421"), ("DELETE", "421"), ("PATCH", "421"), ("PRI", "421"),
    ])
  func known(verb: String, code: String) {
    for spelling in [verb, verb.lowercased(), verb.capitalized] {
      #expect(Self.answer(to: spelling).hasPrefix(code))
    }
    for other in [verb + "X", "X" + verb, String(verb.dropLast()), String(verb.dropFirst()), verb + verb] {
      #expect(Self.answer(to: other).hasPrefix("500 5.5.2"), "\(other)")
    }
  }

  static func answer(to line: String) -> String {
    var office = Office()
    office.hear(Bytes(line + "\r\n"))
    return office.lines.last ?? ""
  }
}
