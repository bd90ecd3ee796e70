import System
import Wire

/// The accounts file's lines: `NAME VERIFIER [created=TIME] [quota=SIZE]`, comments, and what cannot be read.
///
/// A line that was not changed is written back octet for octet, one that cannot be read as well: nothing is lost by
/// adding an account to a damaged file.
public struct AccountList: Sendable {
  private enum Line: Sendable {
    case account(Account, text: Bytes)
    /// Not an account's; `name` is whose line it seems to be.
    case damaged(name: Bytes?, text: Bytes)
    case comment(Bytes)
  }

  private var lines: [Line] = []
  /// Lines that cannot be read, named; at most `Limits.problems`.
  public private(set) var problems: [Problem] = []

  /// An empty list that begins with the words which explain it.
  public init() {
    let header: StaticString = """
      # The accounts of this mail drop, one line each:
      #
      #   NAME SCRAM-SHA-256$ROUNDS:SALT$STOREDKEY:SERVERKEY [created=TIME] [quota=SIZE]
      #
      # The second field is the password's verifier (RFC 5803); the password cannot be read from it. Without quota=
      # the configuration's holds; quota=none is no limit. "restante account" changes this file while the server runs,
      # and leaves lines that it cannot read as they are.
      """
    for line in Bytes(header).split(separator: ASCII.lf) { lines.append(.comment(Bytes(line))) }
  }

  /// Reads the file's text; `file` is its name for problems.
  public init(_ text: Span<UInt8>, file: Path) {
    var known: [Bytes: Int] = [:]
    var start = 0
    var number = 0
    while start < text.count {
      let end = text.firstIndex(of: ASCII.lf, from: start) ?? text.count
      let line = text.extracting(start..<end)
      start = end + 1
      number += 1
      var why = Bytes()
      switch Self.read(line, why: &why) {
      case .account(let account, let text):
        if let first = known[account.name] {
          why = Bytes("a second line for \"") + account.name + Bytes("\"; the one that counts is line ")
          why.append(decimal: first)
          lines.append(.damaged(name: account.name, text: text))
        } else {
          known[account.name] = number
          lines.append(.account(account, text: text))
        }
      case let other: lines.append(other)
      }
      if !why.isEmpty { note(why, file, number) }
    }
  }

  private mutating func note(_ why: Bytes, _ file: Path, _ line: Int) {
    if problems.count == Limits.problems - 1 {
      problems.append(Problem(file, line: line, why + Bytes(" (what may follow is not listed)")))
    } else if problems.count < Limits.problems {
      problems.append(Problem(file, line: line, why))
    }
  }

  // MARK: reading

  private static func read(_ line: Span<UInt8>, why: inout Bytes) -> Line {
    let text = Bytes(line)
    let fields = text.split { $0 == ASCII.space || $0 == ASCII.tab || $0 == ASCII.cr }.map { Bytes($0) }
    guard let first = fields.first, first[0] != 0x23 else { return .comment(text) }
    let name = first.lowercased
    guard Account.isName(name.span) else {
      why = Bytes("no account's name: ")
      why.append(quoted: first.span)
      why += "; "
      why += Account.nameRule
      return .damaged(name: nil, text: text)
    }
    func damaged(_ reason: Bytes) -> Line {
      why = Bytes("\"") + name + Bytes("\": ") + reason
      return .damaged(name: name, text: text)
    }
    if name != first { return damaged(Bytes("an account's name is written in lower case")) }
    guard fields.count > 1 else { return damaged(Bytes("no verifier follows the name")) }
    let second = fields[1]
    guard let verifier = Verifier(second.span) else {
      return damaged(
        Bytes("not a verifier; set a new password with \"restante account passwd ") + name + Bytes("\""))
    }
    var created: Int64?
    var quota: Int64?
    for field in fields[2...] {
      let value = field.firstIndex(of: 0x3D).map { Bytes(field[($0 + 1)...]) } ?? []
      if field.hasPrefix("created="), created == nil, let time = Timestamp.parse(value.span) {
        created = time
      } else if field.hasPrefix("quota="), quota == nil, let size = Self.quota(value.span) {
        quota = size
      } else {
        var reason = Bytes("what may follow the verifier is created=2026-01-31T12:00:00Z and quota=1G, once each, not ")
        reason.append(quoted: field.span)
        return damaged(reason)
      }
    }
    return .account(Account(name: name, verifier: verifier, quota: quota, created: created ?? 0), text: text)
  }

  private static func quota(_ text: Span<UInt8>) -> Int64? {
    text.equals("none") ? .max : Quantity.size(text)
  }

  /// The accounts, in the file's order.
  public var accounts: [Account] {
    lines.compactMap { if case .account(let account, _) = $0 { account } else { nil } }
  }

  /// Whose lines cannot be read, as far as that can be told.
  public var damagedNames: [Bytes] {
    lines.compactMap { if case .damaged(let name, _) = $0 { name } else { nil } }
  }

  /// Whether there is a line of which not even the name can be read.
  public var hasIllegibleLine: Bool {
    lines.contains { if case .damaged(nil, _) = $0 { true } else { false } }
  }

  public func account(named name: Bytes) -> Account? {
    index(of: name).flatMap { if case .account(let account, _) = lines[$0] { account } else { nil } }
  }

  private func index(of name: Bytes) -> Int? {
    lines.firstIndex { if case .account(let account, _) = $0 { account.name == name } else { false } }
  }

  // MARK: changing

  public mutating func add(_ account: Account) throws(AccountsError) {
    guard Account.isName(account.name.span) else { throw .badName }
    guard index(of: account.name) == nil else { throw .exists }
    retire(account.name, "replaced: ")
    lines.append(Self.line(account))
  }

  /// Gives the account a new verifier, its quota and creation time stay. A line of this name that cannot be read
  /// becomes a comment, and the account a line that can.
  public mutating func setVerifier(_ verifier: Verifier, of name: Bytes) throws(AccountsError) {
    if let index = index(of: name), case .account(var account, _) = lines[index] {
      account.verifier = verifier
      lines[index] = Self.line(account)
    } else if damagedNames.contains(name) {
      try add(Account(name: name, verifier: verifier, created: 0))
    } else {
      throw .unknown
    }
  }

  /// - Parameter quota: as in `Account`.
  public mutating func setQuota(_ quota: Int64?, of name: Bytes) throws(AccountsError) {
    guard let index = index(of: name), case .account(var account, _) = lines[index] else { throw .unknown }
    account.quota = quota
    lines[index] = Self.line(account)
  }

  /// Takes the account away. Lines of this name that could not be read become comments, so that no second line comes
  /// to life in its stead.
  public mutating func remove(_ name: Bytes) throws(AccountsError) {
    guard index(of: name) != nil || damagedNames.contains(name) else { throw .unknown }
    if let index = index(of: name) { lines.remove(at: index) }
    retire(name, "removed: ")
  }

  private mutating func retire(_ name: Bytes, _ word: StaticString) {
    for index in lines.indices {
      if case .damaged(let owner, let text) = lines[index], owner == name {
        lines[index] = .comment(Bytes("# ") + Bytes(word) + text)
      }
    }
  }

  // MARK: writing

  private static func line(_ account: Account) -> Line {
    var text = account.name
    text += " "
    account.verifier.append(to: &text)
    if account.created > 0 {
      text += " created="
      Timestamp.append(account.created, to: &text)
    }
    if let quota = account.quota {
      text += " quota="
      if quota == .max { text += "none" } else { text.append(size: quota) }
    }
    return .account(account, text: text)
  }

  /// The file's text.
  public var text: Bytes {
    var all = Bytes()
    for line in lines {
      switch line {
      case .account(_, let text), .damaged(_, let text), .comment(let text): all += text.span
      }
      all.append(ASCII.lf)
    }
    return all
  }
}
