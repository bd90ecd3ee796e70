import Wire

/// The ways in which octets may come: whole, one by one, and in two pieces cut at each position.
func everySplit(_ octets: Bytes) -> [[Bytes]] {
  var ways = [[octets], octets.map { [$0] }]
  for cut in 1..<max(1, octets.count) { ways.append([Bytes(octets[..<cut]), Bytes(octets[cut...])]) }
  return ways
}

/// All texts of up to `length` octets out of `alphabet`.
func everyText(of alphabet: Bytes, upTo length: Int) -> [Bytes] {
  var texts: [Bytes] = [[]]
  var last: [Bytes] = [[]]
  for _ in 0..<length {
    last = last.flatMap { text in alphabet.map { text + [$0] } }
    texts += last
  }
  return texts
}

extension Array where Element == UInt8 {
  init(_ text: String) { self = Array(text.utf8) }
}
