import Wire

/// An input, taken apart from its front: first what decides how a target behaves, then what it is given.
struct Input {
  private(set) var rest: ArraySlice<UInt8>

  init(_ bytes: Bytes) { rest = bytes[...] }

  var isEmpty: Bool { rest.isEmpty }

  /// The next octet; 0 past the end.
  mutating func octet() -> UInt8 { rest.popFirst() ?? 0 }

  /// A number below `bound`, from one octet or two.
  mutating func number(below bound: Int) -> Int {
    if bound <= 256 { return Int(octet()) % max(1, bound) }
    return (Int(octet()) << 8 | Int(octet())) % bound
  }

  /// Eight octets as a number.
  mutating func word() -> UInt64 { (0..<8).reduce(0) { word, _ in word << 8 | UInt64(octet()) } }

  /// A number as formats have them: mostly small, sometimes at the ends of its range.
  mutating func odd() -> UInt64 {
    let choice = octet()
    switch choice {
    case 0...200: return UInt64(choice)
    case 201...220: return UInt64(octet()) << 8 | UInt64(octet())
    case 221...235: return UInt64(UInt32.max) &+ UInt64(octet()) &- 128
    case 236...245: return UInt64(Int64.max) &+ UInt64(octet()) &- 128
    case 246...250: return UInt64.max - UInt64(octet())
    default: return word()
    }
  }

  /// Up to `count` octets.
  mutating func octets(_ count: Int) -> Bytes {
    defer { rest = rest.dropFirst(count) }
    return Bytes(rest.prefix(count))
  }

  /// What comes before the next `separator`, which is taken too.
  mutating func part(before separator: UInt8) -> Bytes {
    let end = rest.firstIndex(of: separator) ?? rest.endIndex
    defer { rest = end == rest.endIndex ? [] : rest[(end + 1)...] }
    return Bytes(rest[..<end])
  }

  /// All that is left.
  var remaining: Bytes { Bytes(rest) }
}

/// Where to cut `count` octets: at positions that `seed` decides. SplitMix64.
struct Cuts {
  private var state: UInt64
  private let longest: Int

  init(seed: UInt64) {
    state = seed
    longest = [1, 2, 7, 40, 600][Int(seed % 5)]
  }

  /// The length of the next piece.
  mutating func next() -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return 1 + Int((mixed ^ (mixed >> 31)) % UInt64(longest))
  }

  /// Calls `body` with `bytes` piece by piece.
  mutating func each(_ bytes: Bytes, _ body: (ArraySlice<UInt8>) -> Void) {
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + next())
      body(bytes[start..<end])
      start = end
    }
  }
}

extension Sequence where Element == UInt8 {
  /// As a literal, for what is reported.
  var shown: String { Bytes(self).text.debugDescription }
}

extension Bytes {
  /// How often `part` stands here, overlapping too.
  func occurrences(of part: Bytes) -> Int {
    guard count >= part.count else { return 0 }
    return (0...(count - part.count)).count { self[$0..<$0 + part.count].elementsEqual(part) }
  }

  /// Whether this can stand in a terminal or a journal: UTF-8 without control characters.
  var isDisplayable: Bool { span.isUTF8 && !contains { $0 < 0x20 || $0 == 0x7F } }
}
