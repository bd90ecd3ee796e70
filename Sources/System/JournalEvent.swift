import Wire

/// Something a technician may want to know of: a form of words, and the values that stand in it.
///
/// A form is one line:
///
/// ```
/// 6*0123456789abcdef0123456789abcdef refused <{RECIPIENT}>: {REASON} from=<{FROM}>{ tls=TLS}
/// ```
///
/// the severity of syslog(3) (3 error, 4 warning, 5 notice, 6 information); `*` where a stranger can cause as many of
/// them as it likes, so that a flood is cut, or a space; the `MESSAGE_ID`, made at random once and never changed, by
/// which the catalog explains it; and what happened, what it means and what to do. A name in braces is replaced by the
/// next of the values that were added, and what stands before and behind it there only appears if that is not empty.
/// In the journal each of them is a field `RESTANTE_NAME` too; with `+` after the name, a field for each of the words
/// that commas part.
public struct JournalEvent: Equatable, Sendable {
  /// The form and the values, a line each.
  private var lines = Bytes()

  @inline(never)
  public init(_ form: StaticString) {
    lines.reserveCapacity(400)
    add(form)
  }

  // MARK: values

  /// Octets of any origin; shown harmlessly, and no more than `limit` of them.
  @inline(never)
  public mutating func add(_ octets: Bytes, limit: Int = 200) {
    lines.append(shown: octets.span, limit: limit)
    lines.append(ASCII.lf)
  }

  @inline(never)
  public mutating func add(_ text: StaticString) {
    lines += text
    lines.append(ASCII.lf)
  }

  @inline(never)
  public mutating func add(_ number: Int64) {
    lines.append(decimal: Int(number))
    lines.append(ASCII.lf)
  }

  public mutating func add(_ number: Int) { add(Int64(number)) }
  public mutating func add(_ number: UInt64) { add(Int64(clamping: number)) }
  public mutating func add(_ number: UInt32) { add(Int64(number)) }
  @inline(never)
  public mutating func add(_ error: Errno) { add(error.text) }
  public mutating func add(_ path: Path) { add(path.bytes, limit: 4096) }
  /// Without its port.
  @inline(never)
  public mutating func add(_ peer: SocketAddress) { add(peer.text) }

  // MARK: reading

  /// The severity of syslog(3).
  public var severity: Int { Int(lines[0]) - 0x30 }

  /// Whether a flood of its kind is to be cut.
  public var floods: Bool { lines[1] == 0x2A }

  /// What all events of this form have in common.
  public var kind: UInt64? { lines.span.extracting(2..<18).hexadecimal }

  /// The first words, which tell of what kind the event is.
  public var kindName: Bytes {
    var end = JournalEvent.textStart
    // Letters and spaces: the value, and what stands around it, are the event's own.
    while JournalEvent.isName(lines[end] & 0xDF) || lines[end] == ASCII.space { end += 1 }
    if lines[end - 1] == ASCII.space { end -= 1 }
    return Bytes(lines.span.extracting(JournalEvent.textStart..<end))
  }

  private static let textStart = 35

  /// What happened, what it means and what to do, in one line of harmless octets without its end.
  public func describe(into text: inout Bytes) { fill(&text, asFields: false) }

  /// Lines `NAME=value` for the journal, and an empty one.
  public func appendEntry(to out: inout Bytes) {
    out += "MESSAGE="
    fill(&out, asFields: false)
    out += "\nPRIORITY="
    out.append(lines[0])
    out += "\nMESSAGE_ID="
    out += lines.span.extracting(2..<34)
    out.append(ASCII.lf)
    fill(&out, asFields: true)
    out.append(ASCII.lf)
  }

  @inline(never)
  private func fill(_ out: inout Bytes, asFields: Bool) {
    let lines = lines.span
    var at = JournalEvent.textStart
    var value = lines.firstIndex(of: ASCII.lf) ?? 0
    while lines[at] != ASCII.lf {
      guard lines[at] == 0x7B else {
        if !asFields { out.append(lines[at]) }
        at += 1
        continue
      }
      let before = at + 1
      while !JournalEvent.isName(lines[at]) { at += 1 }
      let name = at
      while JournalEvent.isName(lines[at]) { at += 1 }
      let after = at
      while lines[at] != 0x7D { at += 1 }
      value += 1
      var start = value
      value = lines.firstIndex(of: ASCII.lf, from: start) ?? start
      let isList = lines[after] == 0x2B
      if start < value, !asFields {
        out += lines.extracting(before..<name)
        out += lines.extracting(start..<value)
        if !isList { out += lines.extracting(after..<at) }
      }
      // The catalog may name what is always there.
      while asFields, start < value || start == value && name == before && after == at {
        var end = value
        if isList, let comma = lines.firstIndex(of: 0x2C, from: start), comma < value { end = comma }
        out += "RESTANTE_"
        out += lines.extracting(name..<after)
        out += "="
        out += lines.extracting(start..<end)
        out.append(ASCII.lf)
        start = end + 1
      }
      at += 1
    }
  }

  private static func isName(_ octet: UInt8) -> Bool { octet >= 0x41 && octet <= 0x5A || octet == 0x5F }
}
