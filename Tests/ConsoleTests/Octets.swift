import Wire

@testable import Console

/// `text` as octets.
func octets(_ text: String) -> Bytes { Bytes(text.utf8) }

/// What `body` makes of `input` in pieces: whole, byte by byte, and split once at every position.
func splits(_ input: Bytes, _ body: ([Bytes]) throws -> Void) rethrows {
  try body([input])
  try body(input.map { [$0] })
  for at in 0...input.count { try body([Bytes(input[..<at]), Bytes(input[at...])]) }
}

/// A message's own octets in wire format.
func wire(_ content: Bytes) -> Bytes {
  var stuffer = DotStuffer(bareNewline: .normalize)
  var out = Bytes()
  stuffer.append(content.span, to: &out)
  stuffer.finish(&out)
  return out
}
