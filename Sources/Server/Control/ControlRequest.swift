import Wire

/// What an administration command asks a running server for.
public enum ControlRequest: Equatable, Sendable {
  case status
  case restore(name: Bytes, sequences: [UInt64])
  case delete(name: Bytes, sequences: [UInt64])
  /// The same, so that it cannot be restored.
  case discard(name: Bytes, sequences: [UInt64])
  /// `octets` of content in wire format follow.
  case deliver(octets: Int, time: Int64, names: [Bytes])
  case reload
  /// Keeps the log as it is while somebody copies it, until the connection ends.
  case hold
  /// Ends the ban of an address, in text.
  case unban(Bytes)
  /// Who is connected, and who was refused lately.
  case connections, refusals
  /// A password for the maildrop of the self-test, which counts for a while.
  case selfTest

  /// Why a line is no request, in words.
  enum Failure: Error {
    case unknown, arguments, sequences, tooMany
  }

  /// Reads a request line without its end.
  init(_ line: Span<UInt8>) throws(Failure) {
    var words: [Range<Int>] = []
    var at = 0
    while at < line.count, words.count < 5 {
      let end = line.firstIndex(of: ASCII.space, from: at) ?? line.count
      if end > at { words.append(at..<end) }
      at = end + 1
    }
    guard let first = words.first else { throw .unknown }
    let verb = line.extracting(first)
    if words.count == 1, let request = Self.bare(verb) {
      self = request
    } else if verb.equalsIgnoringCase("unban"), words.count == 2 {
      self = .unban(Bytes(line.extracting(words[1])))
    } else if verb.equalsIgnoringCase("restore"), words.count == 3 {
      self = .restore(name: Bytes(line.extracting(words[1])), sequences: try Self.sequences(line.extracting(words[2])))
    } else if verb.equalsIgnoringCase("delete"), words.count == 3 {
      self = .delete(name: Bytes(line.extracting(words[1])), sequences: try Self.sequences(line.extracting(words[2])))
    } else if verb.equalsIgnoringCase("discard"), words.count == 3 {
      self = .discard(name: Bytes(line.extracting(words[1])), sequences: try Self.sequences(line.extracting(words[2])))
    } else if verb.equalsIgnoringCase("deliver"), words.count == 4 {
      guard let octets = line.extracting(words[1]).decimal, octets <= UInt64(Int32.max),
        let time = line.extracting(words[2]).decimal, time <= UInt64(Int64.max)
      else { throw .arguments }
      self = .deliver(octets: Int(octets), time: Int64(time), names: try Self.names(line.extracting(words[3])))
    } else {
      throw Self.isVerb(verb) ? .arguments : .unknown
    }
  }

  /// The requests that take no arguments.
  private static func bare(_ word: Span<UInt8>) -> ControlRequest? {
    if word.equalsIgnoringCase("status") { return .status }
    if word.equalsIgnoringCase("reload") { return .reload }
    if word.equalsIgnoringCase("hold") { return .hold }
    if word.equalsIgnoringCase("connections") { return .connections }
    if word.equalsIgnoringCase("refusals") { return .refusals }
    return word.equalsIgnoringCase("selftest") ? .selfTest : nil
  }

  private static func isVerb(_ word: Span<UInt8>) -> Bool {
    bare(word) != nil || word.equalsIgnoringCase("restore") || word.equalsIgnoringCase("delete")
      || word.equalsIgnoringCase("deliver") || word.equalsIgnoringCase("unban") || word.equalsIgnoringCase("discard")
  }

  /// `anna,bert`
  private static func names(_ text: Span<UInt8>) throws(Failure) -> [Bytes] {
    var names = MaildropSet()
    try split(text) { (word: Span<UInt8>) throws(Failure) in
      guard word.count > 0 else { throw .arguments }
      names.insert(Bytes(word))
    }
    guard names.names.count <= Limits.maildrops else { throw .tooMany }
    return names.names
  }

  /// `5,7-9`
  private static func sequences(_ text: Span<UInt8>) throws(Failure) -> [UInt64] {
    var all: [UInt64] = []
    try split(text) { (word: Span<UInt8>) throws(Failure) in
      let dash = word.firstIndex(of: 0x2D)
      guard let low = word.extracting(0..<(dash ?? word.count)).decimal else { throw .sequences }
      var high = low
      if let dash {
        guard let number = word.extracting((dash + 1)...).decimal, number >= low else { throw .sequences }
        high = number
      }
      guard high - low < UInt64(Limits.controlMessages - all.count) else { throw .tooMany }
      for offset in 0...(high - low) { all.append(low + offset) }
    }
    return all
  }

  private static func split(
    _ text: Span<UInt8>, _ body: (Span<UInt8>) throws(Failure) -> Void
  ) throws(Failure) {
    var at = 0
    while at <= text.count {
      let end = text.firstIndex(of: 0x2C, from: at) ?? text.count
      try body(text.extracting(at..<end))
      at = end + 1
    }
  }
}
