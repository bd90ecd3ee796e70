import Wire

/// What a maildrop's index knows of one message.
public struct Entry: Equatable, Sendable {
  /// What has become of the message in this maildrop.
  public enum State: UInt8, Sendable {
    /// To be read.
    case live = 0
    /// Deleted, and can be restored.
    case deleted = 1
    /// Can no longer be restored; its octets are about to be given back.
    case purged = 2
    /// Its octets have been given back.
    case reclaimed = 3
  }

  /// The record's sequence number: half of the UIDL.
  public var sequence: UInt64
  /// Where the record's line stands.
  var offset: UInt32
  var segment: UInt32
  /// Octets of the stored content.
  public var length: UInt32
  /// The size POP3 reports.
  public var octets: UInt32
  /// Seconds since 1970 when it was received, and when it was deleted.
  public var time: UInt32
  public var deletedAt: UInt32 = 0
  public var state = State.live
  public var needsUTF8 = false
  /// Octets of the record's line; 0 for a large message, whose content is the file numbered `segment`.
  var lineLength: UInt16

  var isLarge: Bool { lineLength == 0 }

  /// Octets of an entry in the file.
  static let size = 40

  init(
    sequence: UInt64, offset: UInt32, segment: UInt32, length: UInt32, octets: UInt32, time: UInt32,
    needsUTF8: Bool, lineLength: UInt16
  ) {
    self.sequence = sequence
    self.offset = offset
    self.segment = segment
    self.length = length
    self.octets = octets
    self.time = time
    self.needsUTF8 = needsUTF8
    self.lineLength = lineLength
  }

  /// Reads an entry at `at`; nil when its sum does not match.
  init?(_ bytes: Bytes, at: Int) {
    guard at + Entry.size <= bytes.count else { return nil }
    var sum = CRC32C()
    sum.add(bytes.span.extracting(at..<(at + 36)))
    guard sum.value == Entry.word(bytes, at + 36) else { return nil }
    guard let state = State(rawValue: bytes[at + 32]) else { return nil }
    sequence = Entry.sequence(bytes, at)
    offset = Entry.word(bytes, at + 8)
    segment = Entry.word(bytes, at + 12)
    length = Entry.word(bytes, at + 16)
    octets = Entry.word(bytes, at + 20)
    time = Entry.word(bytes, at + 24)
    deletedAt = Entry.word(bytes, at + 28)
    self.state = state
    needsUTF8 = bytes[at + 33] == 1
    lineLength = UInt16(bytes[at + 34]) | UInt16(bytes[at + 35]) << 8
  }

  func append(to bytes: inout Bytes) {
    let start = bytes.count
    Entry.append(UInt32(truncatingIfNeeded: sequence), to: &bytes)
    Entry.append(UInt32(truncatingIfNeeded: sequence >> 32), to: &bytes)
    for word in [offset, segment, length, octets, time, deletedAt] { Entry.append(word, to: &bytes) }
    bytes.append(state.rawValue)
    bytes.append(needsUTF8 ? 1 : 0)
    bytes.append(UInt8(truncatingIfNeeded: lineLength))
    bytes.append(UInt8(truncatingIfNeeded: lineLength >> 8))
    var sum = CRC32C()
    sum.add(bytes.span.extracting(start..<(start + 36)))
    Entry.append(sum.value, to: &bytes)
  }

  /// The two fields a listing needs, without the cost of the rest.
  static func sequence(_ bytes: Bytes, _ at: Int) -> UInt64 {
    UInt64(word(bytes, at)) | UInt64(word(bytes, at + 4)) << 32
  }

  static func octets(_ bytes: Bytes, _ at: Int) -> UInt32 { word(bytes, at + 20) }

  private static func word(_ bytes: Bytes, _ at: Int) -> UInt32 {
    // Bounds-checked; only the reinterpretation of four octets is not.
    unsafe UInt32(littleEndian: bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: at, as: UInt32.self))
  }

  private static func append(_ word: UInt32, to bytes: inout Bytes) {
    bytes.append(UInt8(truncatingIfNeeded: word))
    bytes.append(UInt8(truncatingIfNeeded: word >> 8))
    bytes.append(UInt8(truncatingIfNeeded: word >> 16))
    bytes.append(UInt8(truncatingIfNeeded: word >> 24))
  }
}
