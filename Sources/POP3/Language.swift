import Wire

/// The languages our texts are in: RFC 6856 §3.
enum Language: UInt8 {
  /// What is spoken before anyone chose: English in ASCII, RFC 2277 §4.5.
  case standard
  case english
  case german

  /// The language that a basic language range asks for, by lookup (RFC 4647 §3.4): `de-AT` and `de-*` find German.
  /// `*` asks for the administrator's choice.
  init?(range: Span<UInt8>) {
    let primary = range.extracting(0..<(range.firstIndex(of: 0x2D) ?? range.count))
    if range.equals("*") || range.equalsIgnoringCase("i-default") {
      self = .standard
    } else if primary.equalsIgnoringCase("en") {
      self = .english
    } else if primary.equalsIgnoringCase("de") {
      self = .german
    } else {
      return nil
    }
  }

  var tag: StaticString {
    switch self {
    case .standard: "i-default"
    case .english: "en"
    case .german: "de"
    }
  }
}
