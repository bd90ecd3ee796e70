import Wire

/// What a record of the log is.
enum RecordKind: UInt8, Sendable {
  /// The first record of a segment. `extra` is the segment before, `octets` the offset at which that one ends.
  case segment = 0x53  // S
  /// A message; its content in wire format follows.
  case message = 0x4D  // M
  /// A message whose content is a file of its own: `extra` is its number. Nothing follows.
  case large = 0x4C  // L
  /// Messages of one maildrop deleted; their sequence numbers follow. With 1 as `extra` they cannot be restored.
  case deletion = 0x44  // D
  /// Deleted messages of one maildrop brought back; their sequence numbers follow.
  case restoration = 0x52  // R
  /// Octets of records that are no longer needed follow.
  case gap = 0x47  // G
}

/// The line that begins a record:
///
///     KIND SEQUENCE BATCH LENGTH OCTETS TIME FLAGS CRC EXTRA NAMES CRC-OF-THIS-LINE LF
///
/// Numbers are decimal, the sums hexadecimal. The sum of the line starts from a key only this spool knows, so that no
/// message can bring a line of its own that passes for a record.
struct RecordHeader: Equatable, Sendable {
  var kind: RecordKind
  /// Grows by one with each record; a message's is half of its UIDL.
  var sequence: UInt64
  /// The sequence number of the first record that was flushed together with this one.
  var batch: UInt64
  /// Octets that follow the line in the segment (of a large message: octets of its file).
  var length: UInt32
  /// A message's size as POP3 reports it (RFC 1939 §11).
  var octets: UInt32
  /// Seconds since 1970.
  var time: Int64
  /// The message may be read in UTF-8 mode only (RFC 6856 §5).
  var needsUTF8 = false
  /// CRC-32C of the octets that follow, or of a large message's file.
  var crc: UInt32
  var extra: UInt64 = 0
  /// The maildrops concerned.
  var names: [Bytes] = []

  /// Octets of the longest line: every recipient a maildrop of the longest name.
  static let maximumLength = Limits.recipients * (Limits.accountName + 1) + 256

  /// Octets in the segment from the beginning of the line to the next record, if the line has `lineLength`.
  func extent(lineLength: Int) -> Int64 {
    Int64(lineLength) + (kind == .large ? 0 : Int64(length))
  }

  /// Appends the line.
  func append(to bytes: inout Bytes, key: UInt32) {
    let start = bytes.count
    bytes.append(kind.rawValue)
    for number in [sequence, batch, UInt64(length), UInt64(octets)] {
      bytes.append(ASCII.space)
      bytes.append(decimal: number)
    }
    bytes.append(ASCII.space)
    bytes.append(decimal: UInt64(max(0, time)))
    bytes += needsUTF8 ? " u " : " - "
    bytes.append(hexadecimal: UInt64(crc), width: 8)
    bytes.append(ASCII.space)
    bytes.append(decimal: extra)
    bytes.append(ASCII.space)
    if names.isEmpty { bytes += "-" }
    for (index, name) in names.enumerated() {
      if index > 0 { bytes += "," }
      bytes += name
    }
    bytes.append(ASCII.space)
    var sum = CRC32C(seed: key)
    sum.add(bytes.span.extracting(start..<bytes.count))
    bytes.append(hexadecimal: UInt64(sum.value), width: 8)
    bytes.append(ASCII.lf)
  }

  /// Reads a line without its LF; nil unless it is one of this spool's.
  init?(line: Span<UInt8>, key: UInt32) {
    guard line.count > 20, let kind = RecordKind(rawValue: line[0]), line[1] == ASCII.space else { return nil }
    guard let given = line.extracting((line.count - 8)..<line.count).hexadecimal else { return nil }
    var sum = CRC32C(seed: key)
    sum.add(line.extracting(0..<(line.count - 8)))
    guard given == UInt64(sum.value) else { return nil }
    self.kind = kind
    var fields = Fields(line: line, at: 2)
    guard let sequence = fields.next().decimal, let batch = fields.next().decimal,
      let length = fields.next().decimal.flatMap({ UInt32(exactly: $0) }),
      let octets = fields.next().decimal.flatMap({ UInt32(exactly: $0) }),
      let time = fields.next().decimal.flatMap({ Int64(exactly: $0) })
    else { return nil }
    self.sequence = sequence
    self.batch = batch
    self.length = length
    self.octets = octets
    self.time = time
    needsUTF8 = fields.next().equals("u")
    guard let crc = fields.next().hexadecimal.flatMap({ UInt32(exactly: $0) }), let extra = fields.next().decimal
    else { return nil }
    self.crc = crc
    self.extra = extra
    let list = fields.next()
    if !list.equals("-") {
      var start = 0
      while start < list.count {
        let end = list.firstIndex(of: 0x2C, from: start) ?? list.count
        guard RecordHeader.isName(list.extracting(start..<end)) else { return nil }
        names.append(Bytes(list.extracting(start..<end)))
        start = end + 1
      }
    }
  }

  /// Whether a maildrop can be called that: its index is a file of this name, and of no other maildrop.
  static func isName(_ name: Span<UInt8>) -> Bool {
    guard name.count > 0, name.count <= Limits.accountName,
      ASCII.isLetter(name[0]) || ASCII.isDigit(name[0]) || name[0] == 0x5F
    else { return false }
    for index in name.indices where name[index] == 0 || name[index] == 0x2F { return false }
    return true
  }

  init(
    _ kind: RecordKind, sequence: UInt64, batch: UInt64, length: UInt32 = 0, octets: UInt32 = 0, time: Int64,
    crc: UInt32 = 0, extra: UInt64 = 0, names: [Bytes] = []
  ) {
    self.kind = kind
    self.sequence = sequence
    self.batch = batch
    self.length = length
    self.octets = octets
    self.time = time
    self.crc = crc
    self.extra = extra
    self.names = names
  }
}

/// The parts of a line between single spaces.
struct Fields: ~Escapable {
  private let line: Span<UInt8>
  private var at: Int

  @_lifetime(copy line)
  init(line: Span<UInt8>, at: Int = 0) {
    self.line = line
    self.at = at
  }

  /// The next part; empty past the last.
  @_lifetime(copy self)
  mutating func next() -> Span<UInt8> {
    let start = min(at, line.count)
    let end = line.firstIndex(of: ASCII.space, from: start) ?? line.count
    at = end + 1
    return line.extracting(start..<end)
  }
}
