import Wire

/// Content as DATA and BDAT bring it, against the reference that the unit tests have: whole, octet by octet, in pieces.
/// What comes out is read once more: it must be clean, and TOP must cut it where its lines are.
func fuzzContent(_ bytes: Bytes) {
  var input = Input(bytes)
  let choice = input.octet()
  let policy: BareNewline = choice & 1 == 0 ? .reject : .normalize
  let isStuffed = choice & 2 == 0
  var cuts = Cuts(seed: UInt64(input.octet()))
  let bodyLines = Int(input.octet() & 15)
  let text = input.remaining

  let whole = scanned([text[...]], policy, isStuffed)
  let octetwise = scanned(text.indices.map { text[$0...$0] }, policy, isStuffed)
  var pieces: [ArraySlice<UInt8>] = []
  cuts.each(text) { pieces.append($0) }
  let piecewise = scanned(pieces, policy, isStuffed)
  require(octetwise == whole, "octet by octet: \(octetwise), not \(whole)")
  require(piecewise == whole, "in pieces: \(piecewise), not \(whole)")

  // Seventeen CRs in a row are line ends each, so that what is held is bounded; the reference knows no such bound.
  if policy == .reject || text.occurrences(of: Bytes(repeating: ASCII.cr, count: 17)) == 0 {
    if isStuffed {
      if let expected = ContentReference.data(text, policy) {
        require(whole == expected, "\(whole), not \(expected)")
      } else {
        require(!whole.ended, "ended without CRLF.CRLF: \(text.shown)")
      }
    } else {
      let expected = ContentReference.raw(text, policy)
      require(whole == expected, "\(whole), not \(expected)")
    }
  }
  require(whole.wire.count <= 2 * text.count + 8, "\(text.count) octets became \(whole.wire.count)")
  guard whole.ended, policy == .normalize || !whole.hasBareNewline else { return }
  checkStored(whole.wire, octets: whole.octets)
  checkTop(whole.wire, bodyLines: bodyLines, pieces: &cuts)
}

private func scanned(_ pieces: [ArraySlice<UInt8>], _ policy: BareNewline, _ isStuffed: Bool) -> ContentReference {
  var scanner = ContentScanner(bareNewline: policy, isStuffed: isStuffed)
  var counter = scanner
  counter.collects = false
  var result = ContentReference(consumed: 0, ended: false, wire: [], octets: 0, hasBareNewline: false)
  for piece in pieces where !result.ended {
    let piece = Bytes(piece)
    var content = Bytes()
    let (consumed, ended) = scanner.scan(piece.span, into: &content)
    result.wire += content
    result.consumed += consumed
    result.ended = ended
    require(ended || consumed == piece.count, "left \(piece.count - consumed) octets of content that has not ended")
    content = []
    let counted = counter.scan(piece.span, into: &content)
    require(counted.consumed == consumed && counted.ended == ended && content.isEmpty, "counts otherwise")
  }
  if !isStuffed {
    scanner.finish(&result.wire)
    result.ended = true
    var nothing = Bytes()
    counter.finish(&nothing)
    require(nothing.isEmpty, "wrote without collecting")
  }
  result.octets = scanner.octets
  result.hasBareNewline = scanner.hasBareNewline
  require(
    counter.octets == scanner.octets && counter.receivedLines == scanner.receivedLines
      && counter.hasBareNewline == scanner.hasBareNewline, "counts otherwise without collecting")
  return result
}

/// What is stored is clean: read as DATA once more it ends at its end and nowhere else, and comes out the same.
func checkStored(_ wire: Bytes, octets: Int) {
  var scanner = ContentScanner(bareNewline: .reject)
  var copy = Bytes()
  let (consumed, ended) = scanner.scan(wire.span, into: &copy)
  require(
    ended && consumed == wire.count && copy == wire && !scanner.hasBareNewline && scanner.octets == octets,
    "what is stored is not clean, or not \(octets) octets: \(wire.shown)")
}

private func checkTop(_ wire: Bytes, bodyLines: Int, pieces: inout Cuts) {
  var cutter = TopCutter(bodyLines: bodyLines)
  let whole = cutter.scan(wire.span) ?? cutter.certain
  var lines: [Bytes] = ContentReference.lines(wire).map { $0.text }
  require(lines.popLast() == [ASCII.dot], "no dot at the end")
  var kept = 0
  var isHeader = true
  var left = bodyLines
  for line in lines {
    if !isHeader {
      if left == 0 { break }
      left -= 1
    }
    kept += line.count + 2
    if line.isEmpty { isHeader = false }
  }
  require(whole == kept, "TOP \(bodyLines) cuts at \(whole), not \(kept): \(wire.shown)")
  var other = TopCutter(bodyLines: bodyLines)
  var cut: Int?
  var seen = 0
  pieces.each(wire) { piece in
    seen += piece.count
    if cut == nil { cut = other.scan(Bytes(piece).span) }
    require(other.certain <= seen && other.certain <= kept, "certain of more than there is")
  }
  require((cut ?? other.certain) == kept, "TOP in pieces cuts at \(cut ?? other.certain), not \(kept)")
}
