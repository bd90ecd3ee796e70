import System
import Wire

/// Why the aliases were not changed.
public enum AliasesError: FileFailure, Equatable, Sendable {
  /// There is none of this name.
  case unknown
  /// What it should become is none, or leads nowhere: why, in words.
  case bad(Bytes)
  /// The kernel refused to read or write the file.
  case file(Errno)
}

/// The aliases(5) file, changed one alias at a time: what people wrote in the rest of it stays octet for octet.
public struct AliasesFile {
  private let file: LockedFile
  private let path: Path
  private let domains: [Bytes]

  /// - Parameter domains: those that are ours; the first is that of names without one.
  public init(_ files: Files, _ path: Path, domains: [Bytes]) {
    self.path = path
    self.domains = domains
    file = LockedFile(files, path, limit: Limits.aliasesFile, permissions: 0o644, fresh: 0o644)
  }

  private func read(_ text: Bytes) -> Aliases {
    Aliases(text.span, file: path, isLocal: { domains.contains($0) })
  }

  /// All aliases.
  public func load() throws(Errno) -> Aliases { read(try file.read() ?? []) }

  /// Gives an alias its targets, `anna, bert`, or makes it. Returns it as it is now in the file.
  public func set(_ name: Bytes, _ targets: Bytes, _ accounts: AccountList) throws(AliasesError) -> Aliases.Alias {
    var made: Aliases.Alias?
    try file.edit { (text: Bytes?) throws(AliasesError) -> Bytes in
      var line = name
      if name.contains(ASCII.space) && name.first != 0x22 { line = [0x22] + name + [0x22] }
      line += ": "
      line += targets
      // A line's end in it would begin another alias.
      let alone = read(line.contains(ASCII.lf) ? [] : line)
      guard alone.problems.isEmpty, let alias = alone.all.first else {
        throw .bad(alone.problems.first?.text ?? Bytes("this is no alias"))
      }
      made = alias
      let fresh = AliasesFile.replacing(alias.name, in: read(text ?? []), text ?? [], with: line)
      try look(at: alias.name, in: read(fresh), accounts)
      return fresh
    }
    guard let made else { throw .unknown }
    return made
  }

  public func remove(_ name: Bytes) throws(AliasesError) {
    try file.edit { (text: Bytes?) throws(AliasesError) -> Bytes in
      let aliases = read(text ?? [])
      guard let text, aliases.index(of: name) != nil else { throw .unknown }
      return AliasesFile.replacing(name, in: aliases, text, with: nil)
    }
  }

  /// Refuses an alias that reaches nobody in one of its parts, or itself.
  private func look(at name: Bytes, in aliases: Aliases, _ accounts: AccountList) throws(AliasesError) {
    var walk = AliasWalk(aliases, AccountBook(accounts, last: AccountBook()), domain: domains.first ?? [])
    guard let index = aliases.index(of: name) else { return }
    walk.follow(index)
    for (owner, target) in walk.strangers where owner == index {
      var why = Bytes()
      why.append(quoted: target.localPart.span)
      throw .bad(why + Bytes(": there is no account or alias of this name"))
    }
    if let (_, target) = walk.loops.first {
      var why = Bytes()
      why.append(quoted: target.localPart.span)
      throw .bad(why + Bytes(": this leads back to itself"))
    }
  }

  /// The text with the line of an alias, and those that go on from it, replaced.
  private static func replacing(_ name: Bytes, in aliases: Aliases, _ text: Bytes, with line: Bytes?) -> Bytes {
    var lines = text.split(separator: ASCII.lf, omittingEmptySubsequences: false).map { Bytes($0) }
    if lines.last?.isEmpty == true { lines.removeLast() }
    guard let index = aliases.index(of: name) else { return joined(lines + (line.map { [$0] } ?? [])) }
    let first = aliases.all[index].line - 1
    var kept = Array(lines[..<first])
    if let line { kept.append(line) }
    var at = first + 1
    while at < lines.count {
      // Comments and blank lines in the middle of a group stay.
      let content = lines[at]
      let start = content.span.firstNonBlank
      let isContent = start < content.count && content[start] != 0x23 && content[start] != ASCII.cr
      if isContent && start == 0 { break }
      if !isContent { kept.append(lines[at]) }
      at += 1
    }
    return joined(kept + lines[at...])
  }

  private static func joined(_ lines: [Bytes]) -> Bytes {
    var text = Bytes()
    for line in lines {
      text += line
      text.append(ASCII.lf)
    }
    return text
  }
}
