/// A mailbox as SMTP's envelope names it: RFC 5321 §4.1.2, RFC 6531 §3.3. `PathParser` makes them.
public struct Mailbox: Sendable, Equatable {
  /// As the sender spelled it, without the angle brackets and without a source route.
  public let text: Bytes
  /// Where in `text` the `@` stands; its end where there is none.
  private let at: Int32

  init(text: Bytes, at: Int) {
    self.text = text
    self.at = Int32(at)
  }

  /// A mailbox that stands alone in `text`: `anna@office.example`, or `postmaster` without a domain.
  public init?(_ text: Span<UInt8>) {
    guard case .success(let mailbox) = PathParser.mailbox(text) else { return nil }
    self = mailbox
  }

  /// The local part without quotes and backslashes; its case is as given.
  public var localPart: Bytes {
    guard text.first == 0x22 else { return Bytes(text[..<Int(at)]) }
    var part = Bytes()
    var index = 1
    while index < Int(at) - 1 {
      if text[index] == 0x5C { index += 1 }
      part.append(text[index])
      index += 1
    }
    return part
  }

  /// The domain or address literal in lower case; empty for a bare <postmaster>.
  public var domain: Bytes {
    var domain = Bytes()
    var index = Int(at) + 1
    while index < text.count {
      domain.append(ASCII.lower(text[index]))
      index += 1
    }
    return domain
  }

  /// Whether it needs nothing of SMTPUTF8.
  public var isASCII: Bool { text.isASCII }
}
