import Wire

/// One way through the aliases from a name to the accounts it reaches, each alias taken once, without recursion: a
/// file may nest them as deep as it likes.
struct AliasWalk {
  /// Accounts reached, in the order they were, each once.
  private(set) var maildrops: [Bytes] = []
  /// Whether a name was met whose account's line cannot be read.
  private(set) var hasMetDamage = false
  /// Aliases that lead back to themselves, and through which target.
  private(set) var loops: [(alias: Int, target: Aliases.Target)] = []
  /// Targets that nobody is called.
  private(set) var strangers: [(alias: Int, target: Aliases.Target)] = []

  private let aliases: Aliases
  private let book: AccountBook
  /// The domain that a target without one belongs to.
  private let domain: Bytes
  /// Aliases met, by their number: 1 while they are on `path`.
  private var isOpen: [UInt64: Int] = [:]
  private var path: [Step] = []

  private struct Step {
    let alias: Int
    /// The target to follow next.
    var next = 0
    /// Whether one of those before it came to an account.
    var hasReached = false
  }

  init(_ aliases: Aliases, _ book: AccountBook, domain: Bytes) {
    self.aliases = aliases
    self.book = book
    self.domain = domain
  }

  /// Follows `local`, or what stands before its first plus sign. False when nobody is called that.
  mutating func follow(_ local: Bytes, at domain: Bytes) -> Bool {
    guard begin(local, at: domain) || Self.base(of: local).map({ begin($0, at: domain) }) == true else { return false }
    finish()
    return true
  }

  /// Follows the alias of this very name. False when there is none.
  mutating func follow(alias name: Bytes) -> Bool {
    guard let index = aliases.index(of: name) else { return false }
    follow(index)
    return true
  }

  mutating func follow(_ index: Int) {
    guard isOpen[UInt64(index)] == nil else { return }
    push(index)
    finish()
  }

  /// What stands before a plus sign: `anna` of `anna+shop`.
  static func base(of local: Bytes) -> Bytes? {
    guard let plus = local.firstIndex(of: 0x2B), plus > 0 else { return nil }
    return Bytes(local[..<plus])
  }

  private mutating func take(_ account: Bytes) {
    if !maildrops.contains(account) { maildrops.append(account) }
    markReached()
  }

  private mutating func markReached() {
    if !path.isEmpty { path[path.count - 1].hasReached = true }
  }

  private mutating func push(_ index: Int) {
    isOpen[UInt64(index)] = 1
    path.append(Step(alias: index))
  }

  /// Takes the account, or steps into the alias, of this name. False when it is nobody's, or leads in a circle.
  private mutating func begin(_ local: Bytes, at domain: Bytes) -> Bool {
    if let index = aliases.index(of: local + [0x40] + domain) ?? aliases.index(of: local) {
      switch isOpen[UInt64(index)] {
      case nil:
        push(index)
        return true
      case 0?:
        markReached()
        return true
      // On the way already. An account of the same name is who is meant: `anna: anna, bert`.
      default: return account(local)
      }
    }
    return account(local)
  }

  private mutating func account(_ name: Bytes) -> Bool {
    if book[name] != nil {
      take(name)
      return true
    }
    guard book.damaged.contains(name) else { return false }
    hasMetDamage = true
    return true
  }

  private mutating func finish() {
    while let step = path.last {
      let alias = aliases.all[step.alias]
      guard step.next < alias.targets.count else {
        if !step.hasReached, AccountBook.isRole(alias.name), let first = book.first { take(first) }
        isOpen[UInt64(step.alias)] = 0
        if path.removeLast().hasReached { markReached() }
        continue
      }
      path[path.count - 1].next += 1
      follow(alias.targets[step.next], of: step.alias)
    }
  }

  private mutating func follow(_ target: Aliases.Target, of index: Int) {
    if target.isAccount {
      if !account(target.localPart) { strangers.append((index, target)) }
      return
    }
    let domain = target.domain.isEmpty ? self.domain : target.domain
    if begin(target.localPart, at: domain) { return }
    if let base = Self.base(of: target.localPart), begin(base, at: domain) { return }
    if let met = aliases.index(of: target.localPart + [0x40] + domain) ?? aliases.index(of: target.localPart),
      isOpen[UInt64(met)] == 1
    {
      loops.append((index, target))
    } else if AccountBook.isRole(target.localPart), let first = book.first {
      take(first)
    } else {
      strangers.append((index, target))
    }
  }
}
