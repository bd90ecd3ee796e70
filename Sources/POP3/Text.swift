import Wire

/// Everything we say to people. Mail programs show an `-ERR` text as it is, so each says what happened, what it means
/// for the mail, and what to do. `#` stands for the first number, `%` for the second. A code in brackets comes first:
/// RFC 2449 §8, RFC 3206, RFC 6856 §5.
enum Text: CaseIterable {
  // +OK
  case password, welcome, goodbye, deleted, capabilities, mechanisms, languages, chosen, utf8, beginTLS
  case listing, uniqueIDs, message, top, marked, unmarked, here
  // -ERR: commands
  case unknown, notText, tooLong, tooMany, notYet, noLonger, argument, noArgument, userName, numberNeeded, topNeeds
  case language, noAPOP, noTLS, pipelinedTLS, http, tls, smtp
  // -ERR: logging in
  case userFirst, insecure, noMechanism, cancelled, malformed, refused, refusedAndOver, loginFault, broken, loginDelay
  case banned
  // -ERR: the maildrop
  case empty, noSuchMessage, isMarked, needsUTF8, readFault, gone, listFault, updateFault, shuttingDown

  func words(in language: Language) -> StaticString {
    language == .german ? german : english
  }
}

extension Bytes {
  /// Appends a status line: `+OK` or `-ERR`, the text with its numbers, CRLF.
  mutating func appendStatus(_ indicator: StaticString, _ words: StaticString, _ first: Int, _ second: Int) {
    self += indicator
    append(ASCII.space)
    for index in 0..<words.utf8CodeUnitCount {
      let octet = unsafe words.utf8Start[index]
      switch octet {
      case 0x23: append(decimal: first)
      case 0x25: append(decimal: second)
      default: append(octet)
      }
    }
    appendCRLF()
  }
}
