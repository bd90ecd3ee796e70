/// Reads the paths of MAIL and RCPT as RFC 5321 §4.1.2 writes them, and nothing looser: `<anna@office.example>`,
/// `<"anna b"@office.example>`, `<anna@[192.0.2.1]>`, `<@relay.example:anna@office.example>`, `<postmaster>`, `<>`.
///
/// Letters past ASCII are read as RFC 6531 §3.3 writes them; whether they are welcome is the session's to say.
public enum PathParser {
  public enum Path: Sendable, Equatable {
    /// `<>`: where notices about undeliverable mail come from, so that none is sent about them.
    case null
    case mailbox(Mailbox)
  }

  public enum Failure: Error, Sendable, Equatable {
    /// No `<` where the path should begin, or no `>` where it should end.
    case brackets
    case localPart
    case domain
    case literal
    /// `@` and what follows is missing, and it is not <postmaster>.
    case noDomain
    /// A local part past 64 octets, a domain past 255, a label past 63, or a path past 256: RFC 5321 §4.5.3.1.
    case tooLong
  }

  /// Reads a path that begins at `text[index]` and moves `index` past it.
  public static func path(_ text: Span<UInt8>, at index: inout Int) -> Result<Path, Failure> {
    let start = index
    guard index < text.count, text[index] == 0x3C else { return .failure(.brackets) }
    index += 1
    if index < text.count, text[index] == 0x3E {
      index += 1
      return .success(.null)
    }
    // A source route is read and forgotten: RFC 5321 §3.6.1, appendix C.
    if index < text.count, text[index] == 0x40 {
      while true {
        guard index < text.count, text[index] == 0x40 else { return .failure(.domain) }
        index += 1
        if let failure = domain(text, at: &index) { return .failure(failure) }
        guard index < text.count else { return .failure(.brackets) }
        let mark = text[index]
        index += 1
        if mark == 0x3A { break }
        guard mark == 0x2C else { return .failure(.domain) }
      }
    }
    switch mailbox(text, at: &index) {
    case .failure(let failure): return .failure(failure)
    case .success(let mailbox):
      guard index < text.count else { return .failure(.brackets) }
      guard text[index] == 0x3E else { return .failure(.domain) }
      index += 1
      guard index - start <= Limits.path else { return .failure(.tooLong) }
      return .success(.mailbox(mailbox))
    }
  }

  /// The mailbox that is all of `text`.
  public static func mailbox(_ text: Span<UInt8>) -> Result<Mailbox, Failure> {
    var index = 0
    let result = mailbox(text, at: &index)
    if case .success = result, index < text.count { return .failure(.domain) }
    return result
  }

  private static func mailbox(_ text: Span<UInt8>, at index: inout Int) -> Result<Mailbox, Failure> {
    let start = index
    let isWell = index < text.count && text[index] == 0x22 ? quoted(text, at: &index) : dotString(text, at: &index)
    guard isWell else { return .failure(.localPart) }
    let at = index - start
    guard at <= Limits.localPart else { return .failure(.tooLong) }
    guard index < text.count, text[index] == 0x40 else {
      // RFC 5321 §4.1.1.3: postmaster alone needs no domain.
      guard text.extracting(start..<index).equalsIgnoringCase("postmaster") else { return .failure(.noDomain) }
      return .success(Mailbox(text: Bytes(text.extracting(start..<index)), at: at))
    }
    index += 1
    if index < text.count, text[index] == 0x5B {
      guard literal(text, at: &index) else { return .failure(.literal) }
    } else if let failure = domain(text, at: &index) {
      return .failure(failure)
    }
    return .success(Mailbox(text: Bytes(text.extracting(start..<index)), at: at))
  }

  /// Dot-string = Atom *("." Atom)
  private static func dotString(_ text: Span<UInt8>, at index: inout Int) -> Bool {
    var needsAtom = true
    while index < text.count {
      let octet = text[index]
      if octet == ASCII.dot {
        if needsAtom { return false }
        needsAtom = true
        index += 1
      } else if octet >= 0x80 {
        guard let length = text.utf8SequenceLength(at: index) else { return false }
        needsAtom = false
        index += length
      } else if isAtomText(octet) {
        needsAtom = false
        index += 1
      } else {
        break
      }
    }
    return !needsAtom
  }

  /// Quoted-string = DQUOTE *QcontentSMTP DQUOTE
  private static func quoted(_ text: Span<UInt8>, at index: inout Int) -> Bool {
    index += 1
    while index < text.count {
      var octet = text[index]
      if octet == 0x22 {
        index += 1
        return true
      }
      if octet == 0x5C {
        index += 1
        guard index < text.count else { return false }
        octet = text[index]
        guard octet < 0x80 else { return false }
      }
      guard octet >= 0x20, octet != 0x7F, let length = text.utf8SequenceLength(at: index) else { return false }
      index += length
    }
    return false
  }

  /// Domain = sub-domain *("." sub-domain). Answers what is wrong with it, nil if nothing.
  private static func domain(_ text: Span<UInt8>, at index: inout Int) -> Failure? {
    let start = index
    while true {
      let label = index
      var isPlain = true
      while index < text.count {
        let octet = text[index]
        if octet >= 0x80 {
          // A U-label; how long it is in the DNS is not how long it is here.
          guard let length = text.utf8SequenceLength(at: index) else { return .domain }
          isPlain = false
          index += length
        } else if ASCII.isLetter(octet) || ASCII.isDigit(octet) || (octet == 0x2D && index > label) {
          index += 1
        } else {
          break
        }
      }
      guard index > label, text[index - 1] != 0x2D else { return .domain }
      if isPlain, index - label > 63 { return .tooLong }
      guard index < text.count, text[index] == ASCII.dot else { break }
      index += 1
    }
    return index - start > Limits.domain ? .tooLong : nil
  }

  /// address-literal = "[" ( IPv4-address-literal / IPv6-address-literal ) "]". No other kind has ever been registered.
  private static func literal(_ text: Span<UInt8>, at index: inout Int) -> Bool {
    guard let end = text.firstIndex(of: 0x5D, from: index) else { return false }
    let inside = text.extracting(index + 1..<end)
    index = end + 1
    return AddressLiteral.isValid(inside)
  }

  /// atext of RFC 5322 §3.2.3.
  private static func isAtomText(_ octet: UInt8) -> Bool {
    if ASCII.isLetter(octet) || ASCII.isDigit(octet) { return true }
    switch octet {
    case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2F, 0x3D, 0x3F, 0x5E...0x60, 0x7B...0x7E: return true
    default: return false
    }
  }
}
