import System
import Wire

/// The aliases(5) file: names that are not accounts, and whom they reach.
///
///     # comment
///     sales: anna, bert          a group
///     info@office.example: anna  a name of one domain only
///     "front desk": bert,        quoted names; lines that begin with white space go on
///       anna+desk
///     bert: \bert, carla         bert keeps a copy
///     @shop.example: carla       catch-all of one domain
///     *: anna                    catch-all
///
/// Targets are accounts and other aliases. Programs, files, lists in files and addresses elsewhere are problems, named
/// with their lines: nothing is run and nothing is relayed.
public struct Aliases: Sendable {
  /// One of them.
  public struct Alias: Sendable, Equatable {
    /// Lower case, without quotes: `sales`, `info@office.example`, `@shop.example` or `*`.
    public let name: Bytes
    /// Where it begins.
    public let line: Int
    public let targets: [Target]
  }

  /// Whom an alias reaches.
  public struct Target: Sendable, Equatable {
    /// Lower case, without quotes.
    public let localPart: Bytes
    /// Lower case; empty when none is given.
    public let domain: Bytes
    /// Written with a backslash: the account of this name, whatever alias has it as well.
    public let isAccount: Bool
  }

  /// In the file's order.
  public private(set) var all: [Alias] = []
  /// Lines, or parts of them, that cannot be read; at most `Limits.problems`.
  public private(set) var problems: [Problem] = []
  /// Whether there is a line of which not even the name can be read.
  public private(set) var hasIllegibleLine = false
  private var places: [Bytes: Int] = [:]

  /// None.
  public init() {}

  /// Reads the file's text; `file` is its name for problems. Domains that are not `isLocal` are problems.
  public init(_ text: Span<UInt8>, file: Path, isLocal: (Bytes) -> Bool) {
    var logical = Bytes()
    var begin = 0
    var number = 0
    var start = 0
    while start < text.count {
      let end = text.firstIndex(of: ASCII.lf, from: start) ?? text.count
      var line = text.extracting(start..<end)
      start = end + 1
      number += 1
      if line.count > 0, line[line.count - 1] == ASCII.cr { line = line.extracting(droppingLast: 1) }
      let content = line.firstNonBlank
      // Blank lines and comments end nothing: a group may have them in its middle.
      guard content < line.count, line[content] != 0x23 else { continue }
      if content > 0, begin > 0 {
        logical.append(ASCII.space)
        logical += line
        continue
      }
      if begin > 0 { add(logical, begin, file, isLocal) }
      logical = Bytes(line)
      begin = number
    }
    if begin > 0 { add(logical, begin, file, isLocal) }
  }

  /// The alias of this very name.
  public func index(of name: Bytes) -> Int? { places[name] }

  private mutating func note(_ why: Bytes, _ file: Path, _ line: Int) {
    if problems.count == Limits.problems - 1 {
      problems.append(Problem(file, line: line, why + Bytes(" (what may follow is not listed)")))
    } else if problems.count < Limits.problems {
      problems.append(Problem(file, line: line, why))
    }
  }

  private mutating func add(_ text: Bytes, _ line: Int, _ file: Path, _ isLocal: (Bytes) -> Bool) {
    var reader = AliasReader(text.span)
    let name: Bytes
    switch reader.name(isLocal) {
    case .success(let read): name = read
    case .failure(let failure):
      hasIllegibleLine = true
      return note(failure.text, file, line)
    }
    if let first = places[name] {
      var why = Bytes("a second \"")
      why.append(shown: name.span)
      why += "\"; the one that counts is line "
      why.append(decimal: all[first].line)
      return note(why, file, line)
    }
    var targets: [Target] = []
    while let target = reader.target(isLocal) {
      switch target {
      case .success(let read): targets.append(read)
      case .failure(let failure):
        var why = Bytes()
        why.append(shown: name.span)
        note(why + Bytes(": ") + failure.text, file, line)
      }
    }
    // One that reaches nobody stays: mail to it waits at the sender until somebody has mended the line.
    places[name] = all.count
    all.append(Alias(name: name, line: line, targets: targets))
  }
}
