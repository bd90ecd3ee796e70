import System
import Wire

extension Span where Element == UInt8 {
  /// The index of the first octet that is neither space nor tab.
  var firstNonBlank: Int {
    var index = 0
    while index < count, self[index] == ASCII.space || self[index] == ASCII.tab { index += 1 }
    return index
  }
}

/// Why a part of an aliases line was not taken.
struct AliasFailure: Error {
  let text: Bytes

  init(_ text: StaticString, quoting word: Span<UInt8>) {
    var whole = Bytes()
    whole.append(quoted: word)
    whole += text
    self.text = whole
  }

  init(_ text: StaticString) { self.text = Bytes(text) }
}

/// Takes one logical line of an aliases(5) file apart: `name: target, target`.
struct AliasReader: ~Escapable {
  private let text: Span<UInt8>
  private var index = 0
  private var isFirst = true

  @_lifetime(copy text)
  init(_ text: Span<UInt8>) { self.text = text }

  /// What stands left of the colon, which is taken too.
  @_lifetime(self: copy self)
  mutating func name(_ isLocal: (Bytes) -> Bool) -> Result<Bytes, AliasFailure> {
    let (name, raw) = word(endingAt: 0x3A)
    guard index < text.count else {
      return .failure(AliasFailure(": a colon and whom it reaches must follow", quoting: text))
    }
    index += 1
    let shown = text.extracting(raw)
    guard let name, !name.local.isEmpty || !name.domain.isEmpty, !name.isAccount else {
      return .failure(AliasFailure(" is no alias's name; one with spaces goes in quotes", quoting: shown))
    }
    if name.domain.isEmpty { return .success(name.local) }
    guard name.local != [0x2A] else {
      return .failure(AliasFailure(": the catch-all of a domain is written @ and the domain", quoting: shown))
    }
    guard isLocal(name.domain) else {
      return .failure(AliasFailure(": the domain is not one of Domains=, so no mail comes for it", quoting: shown))
    }
    return .success(name.local + [0x40] + name.domain)
  }

  /// The next of what stands right of the colon; nil at the end.
  @_lifetime(self: copy self)
  mutating func target(_ isLocal: (Bytes) -> Bool) -> Result<Aliases.Target, AliasFailure>? {
    if !isFirst {
      guard index < text.count else { return nil }
      index += 1
    }
    let (name, raw) = word(endingAt: 0x2C)
    let shown = text.extracting(raw)
    if shown.count == 0 {
      defer { isFirst = false }
      // A comma may end the list.
      if index == text.count { return isFirst ? .failure(AliasFailure("nobody stands after the colon")) : nil }
      return .failure(AliasFailure("nobody stands before a comma"))
    }
    isFirst = false
    switch shown[shown[0] == 0x22 && shown.count > 1 ? 1 : 0] {
    case 0x7C: return .failure(AliasFailure(": no program is ever run for mail", quoting: shown))
    case 0x2F: return .failure(AliasFailure(": mail goes to accounts, not into files", quoting: shown))
    case 0x3A: return .failure(AliasFailure(": lists in other files are not read; name the members", quoting: shown))
    default: break
    }
    guard let name, !name.local.isEmpty, name.local != [0x2A] else {
      return .failure(
        AliasFailure(" is neither an account nor an alias; a comma stands between two names", quoting: shown))
    }
    guard name.domain.isEmpty || isLocal(name.domain) else {
      return .failure(AliasFailure(": the domain is not one of Domains=, and mail is never relayed", quoting: shown))
    }
    return .success(Aliases.Target(localPart: name.local, domain: name.domain, isAccount: name.isAccount))
  }

  private typealias Name = (local: Bytes, domain: Bytes, isAccount: Bool)

  /// Reads up to `end` outside quotes: the name, nil if it is none, and where it stands without the blanks around it.
  @_lifetime(self: copy self)
  private mutating func word(endingAt end: UInt8) -> (name: Name?, raw: Range<Int>) {
    while index < text.count, Self.isBlank(text[index]) { index += 1 }
    let start = index
    var name: Name = ([], [], false)
    var isWell = true
    if index < text.count, text[index] == 0x5C {
      name.isAccount = true
      index += 1
    }
    if index < text.count, text[index] == 0x22 {
      index += 1
      while index < text.count, text[index] != 0x22 {
        if text[index] == 0x5C, index + 1 < text.count { index += 1 }
        name.local.append(ASCII.lower(text[index]))
        index += 1
      }
      if index == text.count { isWell = false } else { index += 1 }
    }
    // Without quotes: no blanks within, and an @ begins the domain.
    var hasDomain = false
    var hasBlank = false
    while index < text.count, text[index] != end {
      let octet = text[index]
      index += 1
      if Self.isBlank(octet) {
        hasBlank = true
        continue
      }
      if hasBlank || (text[start] == 0x22 && !hasDomain && octet != 0x40) || octet == 0x22 || octet == 0x5C {
        isWell = false
      }
      if octet == 0x40, !hasDomain {
        hasDomain = true
      } else if hasDomain {
        name.domain.append(ASCII.lower(octet))
      } else {
        name.local.append(ASCII.lower(octet))
      }
    }
    var stop = index
    while stop > start, Self.isBlank(text[stop - 1]) { stop -= 1 }
    for octet in name.local + name.domain where octet < 0x20 || octet == 0x7F { isWell = false }
    isWell = isWell && name.local.count <= Limits.localPart && name.local.isUTF8 && name.domain.isUTF8
    if hasDomain, name.domain.isEmpty { isWell = false }
    return (isWell ? name : nil, start..<stop)
  }

  private static func isBlank(_ octet: UInt8) -> Bool { octet == ASCII.space || octet == ASCII.tab }
}
