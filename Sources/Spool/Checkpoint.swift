import System
import Wire

/// How far the indexes are known to be on disk: everything up to a place in the log.
struct Checkpoint: Equatable, Sendable {
  /// The segment, and the offset in it, up to which every record has been taken into the indexes.
  var segment: UInt32
  var offset: Int64
  /// The last sequence number given out up to there.
  var sequence: UInt64
  /// Files of the log with this number or a higher one were made since.
  var nextNumber: UInt32
  /// Each maildrop, and how many entries its index had.
  var maildrops: [(name: Bytes, count: Int)]

  static func == (a: Checkpoint, b: Checkpoint) -> Bool { a.text == b.text }

  /// The file's text.
  var text: Bytes {
    var text = Bytes("restante-checkpoint-1 ")
    text.append(decimal: UInt64(segment))
    text.append(ASCII.space)
    text.append(decimal: Int(offset))
    text.append(ASCII.space)
    text.append(decimal: sequence)
    text.append(ASCII.space)
    text.append(decimal: UInt64(nextNumber))
    text.append(ASCII.lf)
    for maildrop in maildrops {
      text += maildrop.name
      text.append(ASCII.space)
      text.append(decimal: maildrop.count)
      text.append(ASCII.lf)
    }
    var sum = CRC32C()
    sum.add(text)
    text.append(hexadecimal: UInt64(sum.value), width: 8)
    text.append(ASCII.lf)
    return text
  }

  init(segment: UInt32, offset: Int64, sequence: UInt64, nextNumber: UInt32, maildrops: [(name: Bytes, count: Int)]) {
    self.segment = segment
    self.offset = offset
    self.sequence = sequence
    self.nextNumber = nextNumber
    self.maildrops = maildrops
  }

  /// Reads the file's text; nil when it is not whole.
  init?(_ text: Bytes) {
    guard text.count > 9 else { return nil }
    let body = text.span.extracting(0..<(text.count - 9))
    var sum = CRC32C()
    sum.add(body)
    guard text.span.extracting((text.count - 9)..<(text.count - 1)).hexadecimal == UInt64(sum.value),
      let first = body.firstIndex(of: ASCII.lf)
    else { return nil }
    var fields = Fields(line: body.extracting(0..<first))
    guard fields.next().equals("restante-checkpoint-1"),
      let segment = fields.next().decimal.flatMap({ UInt32(exactly: $0) }),
      let offset = fields.next().decimal.flatMap({ Int64(exactly: $0) }), let sequence = fields.next().decimal,
      let nextNumber = fields.next().decimal.flatMap({ UInt32(exactly: $0) })
    else { return nil }
    self.segment = segment
    self.offset = offset
    self.sequence = sequence
    self.nextNumber = nextNumber
    maildrops = []
    var start = first + 1
    while start < body.count {
      guard let end = body.firstIndex(of: ASCII.lf, from: start) else { return nil }
      var fields = Fields(line: body.extracting(start..<end))
      let name = Bytes(fields.next())
      guard let count = fields.next().decimal.flatMap({ Int(exactly: $0) }) else { return nil }
      maildrops.append((name, count))
      start = end + 1
    }
  }

  /// The checkpoint on disk; nil where there is none, or none that can be used.
  static func load(_ place: SpoolFiles, _ files: Files) -> Checkpoint? {
    guard let text = try? files.contents(place.checkpoint, limit: 16 * 1024 * 1024) else { return nil }
    return Checkpoint(text)
  }
}
