import POP3
import Wire

/// A maildrop in memory, whose every access can be made to fail.
final class MemoryMaildrop: Maildrop {
  struct Message {
    var text: String
    var uid: UInt64
    var needsUTF8 = false
    /// As in LIST: before dot-stuffing, without the line that ends it.
    var octets: Int
  }

  let messages: [Message]
  let octets: Int
  let uidPrefix: Bytes
  /// The number at which the index cannot be read any further.
  var visitFault: Int?
  var openFault: MaildropError?
  /// Whether the index ends before `count` says it does.
  var isCutShort = false
  /// How many index entries were read: what a listing costs.
  var visits = 0

  /// Messages in wire format, each ending with `.` CRLF.
  init(_ texts: [String], uidPrefix: String = "5eed-", needsUTF8: Set<Int> = []) {
    messages = texts.enumerated().map { index, text in
      Message(
        text: text, uid: UInt64(index + 1) * 0xF1, needsUTF8: needsUTF8.contains(index + 1),
        octets: text.utf8.count - 3 - text.split(separator: "\r\n").count { $0.hasPrefix("..") })
    }
    octets = messages.reduce(0) { $0 + $1.octets }
    self.uidPrefix = Bytes(uidPrefix.utf8)
  }

  var count: Int { messages.count }

  func visit(from first: Int, _ body: (Int, Int, UInt64) -> Bool) throws(MaildropError) {
    var number = first
    while number <= count {
      if let visitFault, number >= visitFault {
        if isCutShort { return }
        throw .temporary
      }
      visits += 1
      if !body(number, messages[number - 1].octets, messages[number - 1].uid) { return }
      number += 1
    }
  }

  func open(_ number: Int) throws(MaildropError) -> Opened<String> {
    if let openFault { throw openFault }
    let message = messages[number - 1]
    return Opened(content: message.text, octets: message.octets, needsUTF8: message.needsUTF8)
  }

  /// The messages most dialogues are about: 1 is ordinary, 2 has dots at line starts, 3 has no body.
  static var three: MemoryMaildrop {
    MemoryMaildrop([
      "Subject: one\r\n\r\nfirst\r\nsecond\r\nthird\r\n.\r\n",
      "Subject: dots\r\n\r\n..leading\r\n..\r\nend\r\n.\r\n",
      "Subject: none\r\n\r\n.\r\n",
    ])
  }
}
