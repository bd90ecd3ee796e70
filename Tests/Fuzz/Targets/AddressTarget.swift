import Glibc
import Wire

/// Paths as MAIL and RCPT bring them, and address literals.
func fuzzAddress(_ bytes: Bytes) {
  let text = bytes
  var index = 0
  let result = PathParser.path(text.span, at: &index)
  require(index >= 0 && index <= text.count, "read to \(index) of \(text.count)")
  switch result {
  case .failure: break
  case .success(.null): require(text.starts(with: Bytes("<>")), "no null path: \(text.shown)")
  case .success(.mailbox(let mailbox)):
    require(text[0] == 0x3C && text[index - 1] == 0x3E, "a path without brackets: \(text[..<index].shown)")
    check(mailbox)
    // The path alone, and only what was read of it, means the same.
    var end = 0
    let alone = Bytes(text[..<index])
    require(PathParser.path(alone.span, at: &end) == result && end == index, "another path when it stands alone")
  }
  if case .success(let mailbox) = PathParser.mailbox(text.span) {
    require(mailbox.text == text, "a mailbox that is not what was given")
    check(mailbox)
  }
  checkLiteral(text)
}

private func check(_ mailbox: Mailbox) {
  let text = mailbox.text
  // RFC 5321 §4.5.3.1; an address literal or a domain, an @, a local part.
  require(text.count <= Limits.localPart + 1 + Limits.domain, "\(text.count) octets")
  require(text.isDisplayable, "not to be shown: \(text.shown)")
  require(Mailbox(text.span) == mailbox, "reads otherwise alone: \(text.shown)")
  var index = 0
  let path = Bytes("<") + text + Bytes(">")
  // With its brackets it may be too long for a path.
  require(
    path.count > Limits.path
      || PathParser.path(path.span, at: &index) == .success(.mailbox(mailbox)) && index == path.count,
    "reads otherwise in brackets: \(text.shown)")
  require(mailbox.localPart.count <= Limits.localPart, "a local part that is too long")
  require(mailbox.isASCII == !text.contains { $0 >= 0x80 }, "ASCII or not")
  require(!mailbox.domain.contains { $0 >= 0x41 && $0 <= 0x5A }, "capitals in the domain")
  // What stands in a header must not break out of it.
  if text.first != 0x22 {
    require(!text.contains { $0 == 0x3C || $0 == 0x3E || $0 == ASCII.space }, "brackets or spaces: \(text.shown)")
  }
}

/// What the C library takes for an address is one.
private func checkLiteral(_ text: Bytes) {
  guard !text.contains(0), text.count < 64 else { return }
  var room = in6_addr()
  let four = unsafe inet_pton(AF_INET, text.text, &room) == 1
  let six = unsafe inet_pton(AF_INET6, text.text, &room) == 1
  require(!four || AddressLiteral.isIPv4(text.span), "not taken for IPv4: \(text.shown)")
  require(!six || AddressLiteral.isIPv6(text.span), "not taken for IPv6: \(text.shown)")
  require(AddressLiteral.isIPv6(text.span) == AddressLiteral.isValid((Bytes("IPv6:") + text).span), "IPv6:")
  if AddressLiteral.isIPv6(text.span) {
    // What we take and the C library does not, are leading zeros in a dotted end alone.
    require(six || text.contains(ASCII.dot), "taken for IPv6: \(text.shown)")
  }
}
