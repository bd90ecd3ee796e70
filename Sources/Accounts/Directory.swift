import System
import Wire

/// Who has mail here: the accounts file and the aliases file, read again when they change.
///
/// A file that becomes unreadable, or a line of it, takes nothing away: what was last read goes on to hold, and the
/// problem is told once. Names that a damaged line may have held get `temporarily`, never `unknown`. For one thread.
public final class Directory {
  /// The domains that are ours, in lower case; the first is that of names without one.
  public let domains: [Bytes]
  /// Ours as well, for postmaster and abuse alone.
  public let hostName: Bytes

  private let files: Files
  private var accountsWatch: FileWatch
  private var aliasesWatch: FileWatch
  private var book = AccountBook()
  private var aliases = Aliases()
  /// Whether the aliases file could not be read and never had been.
  private var lacksAliases = false
  /// When the aliases file was first seen empty or gone; an editor may be writing it just then.
  private var goneSince: Int64?
  private var lastLook: Int64?

  private var accountsProblems: [Problem] = []
  private var aliasesProblems: [Problem] = []
  private var targetProblems: [Problem] = []
  private var told: [Problem] = []

  /// Reads nothing yet.
  ///
  /// - Parameters:
  ///   - aliases: may name a file that does not exist.
  ///   - last: whose accounts go on to hold where the files cannot be read, when one takes another's place because the
  ///     domains have changed.
  public init(
    _ files: Files, accounts: Path, aliases: Path, domains: [Bytes], hostName: Bytes, last: Directory? = nil
  ) {
    self.files = files
    if let last, last.accountsWatch.path == accounts { (book, told) = (last.book, last.told) }
    self.domains = domains
    self.hostName = hostName
    accountsWatch = FileWatch(accounts, limit: Limits.accountsFile)
    aliasesWatch = FileWatch(aliases, limit: Limits.aliasesFile)
  }

  // MARK: reading

  /// Looks whether the files have changed, at most once in each second of `now` (seconds since 1970), and reads what
  /// has. `resolve` and `login` do it by themselves.
  public func reloadIfChanged(now: Int64) {
    if lastLook != now { reload(now: now) }
  }

  /// The same at once. Returns whether anything was read.
  @discardableResult
  public func reload(now: Int64) -> Bool {
    lastLook = now
    let hasAccounts = lookAtAccounts(now)
    let hasAliases = lookAtAliases(now)
    if hasAccounts || hasAliases { checkTargets() }
    return hasAccounts || hasAliases
  }

  /// What is wrong with the files and was not when this was last asked: for the journal.
  public func newProblems() -> [Problem] {
    let all = problems
    if all == told { return [] }
    let fresh = all.filter { !told.contains($0) }
    told = all
    return fresh
  }

  /// All that is wrong with the files now.
  public var problems: [Problem] { accountsProblems + aliasesProblems + targetProblems }

  private func lookAtAccounts(_ now: Int64) -> Bool {
    switch accountsWatch.look(files, now: now) {
    case .unchanged: return false
    case .failed(let error):
      var why = Bytes("cannot be read: ") + error.text
      why += book.accounts.isEmpty ? "; mail is put off until it can" : "; the accounts last read go on to be served"
      accountsProblems = [Problem(accountsWatch.path, why)]
      if book.accounts.isEmpty { book.isIncomplete = true }
    case .changed(let text):
      // We never write an empty file, and never take it away.
      guard let text, !text.isEmpty || book.accounts.isEmpty else {
        if book.accounts.isEmpty {
          book.isIncomplete = false
          accountsProblems = []
          return true
        }
        accountsProblems = [
          Problem(accountsWatch.path, Bytes("is gone or empty; the accounts last read go on to be served"))
        ]
        return false
      }
      let list = AccountList(text.span, file: accountsWatch.path)
      book = AccountBook(list, last: book)
      accountsProblems = list.problems
    }
    return true
  }

  private func lookAtAliases(_ now: Int64) -> Bool {
    switch aliasesWatch.look(files, now: now) {
    case .unchanged: return false
    case .failed(let error):
      var why = Bytes("cannot be read: ") + error.text
      why += aliases.all.isEmpty ? "; mail for unknown names is put off" : "; the aliases last read go on to be served"
      aliasesProblems = [Problem(aliasesWatch.path, why)]
      lacksAliases = aliases.all.isEmpty
    case .changed(let text):
      let text = text ?? []
      if text.isEmpty, !aliases.all.isEmpty, goneSince == nil || goneSince == now {
        goneSince = now
        aliasesWatch.forget()
        return false
      }
      goneSince = nil
      lacksAliases = false
      aliases = Aliases(text.span, file: aliasesWatch.path, isLocal: { domains.contains($0) })
      aliasesProblems = aliases.problems
    }
    return true
  }

  /// Names what the aliases lead to that is nobody, or themselves.
  private func checkTargets() {
    targetProblems = []
    var walk = AliasWalk(aliases, book, domain: domains.first ?? hostName)
    for index in aliases.all.indices { walk.follow(index) }
    for (index, target) in walk.strangers {
      add(index, target, ": there is no account or alias of this name")
    }
    for (index, target) in walk.loops {
      add(index, target, ": this leads back to itself; it is left out")
    }
  }

  private func add(_ index: Int, _ target: Aliases.Target, _ words: StaticString) {
    guard targetProblems.count < Limits.problems else { return }
    let alias = aliases.all[index]
    var why = Bytes()
    why.append(shown: alias.name.span)
    why += ": "
    why.append(quoted: target.localPart.span)
    why += words
    targetProblems.append(Problem(aliasesWatch.path, line: alias.line, why))
  }

  // MARK: mail

  /// Whose maildrops mail for `mailbox` goes into.
  ///
  /// - Parameters:
  ///   - own: our end of the connection, whose address literal is ours (RFC 5321 §4.1.3).
  ///   - now: seconds since 1970.
  public func resolve(_ mailbox: Mailbox, own: SocketAddress? = nil, now: Int64) -> Resolution {
    reloadIfChanged(now: now)
    let resolution = look(up: mailbox, own)
    switch resolution {
    case .maildrops, .notLocal: return resolution
    // Somebody may have been added within this second.
    case .unknown, .temporarily: return reload(now: now) ? look(up: mailbox, own) : resolution
    }
  }

  private func look(up mailbox: Mailbox, _ own: SocketAddress?) -> Resolution {
    let local = mailbox.localPart.lowercased
    let isRole = AccountBook.isRole(AliasWalk.base(of: local) ?? local)
    let domain = mailbox.domain
    var home = domain
    var hasCatchAll = true
    if !domains.contains(domain) {
      guard domain.isEmpty || isLiteral(domain, of: own) || (isRole && domain == hostName) else { return .notLocal }
      home = domains.first ?? hostName
      hasCatchAll = false
    }
    var walk = AliasWalk(aliases, book, domain: home)
    var isKnown = walk.follow(local, at: home)
    if !isKnown, !isRole, hasCatchAll {
      isKnown = walk.follow(alias: [0x40] + home) || walk.follow(alias: [0x2A])
    }
    if walk.hasMetDamage || (book.isIncomplete && !walk.strangers.isEmpty) { return .temporarily }
    if !walk.maildrops.isEmpty { return .maildrops(walk.maildrops) }
    if isRole, let first = book.first { return .maildrops([first]) }
    // Nobody, but perhaps through our own fault.
    return isKnown || isRole || book.isIncomplete || aliases.hasIllegibleLine || lacksAliases ? .temporarily : .unknown
  }

  /// Whether `domain` is the address literal of `own`.
  private func isLiteral(_ domain: Bytes, of own: SocketAddress?) -> Bool {
    guard let own, domain.count > 2, domain[0] == 0x5B else { return false }
    var inside = Bytes(domain[1..<(domain.count - 1)])
    if inside.hasPrefix("ipv6:") { inside.removeFirst(5) }
    guard let address = SocketAddress(inside, port: 0) else { return false }
    return address.family == own.family && address.octets == own.octets
  }

  // MARK: accounts

  /// Who somebody says to be.
  public enum Login: Equatable, Sendable {
    case account(Account)
    /// Nobody is called that: spend a decoy's time and refuse.
    case unknown
    /// The line or the file that would say cannot be read.
    case temporarily
  }

  /// The account behind a login name, in either case, with one of our domains or without. The file is looked at
  /// first, so a new password and a removed account count at once.
  public func login(_ name: Bytes, now: Int64) -> Login {
    if lookAtAccounts(now) { checkTargets() }
    var name = name.lowercased
    if let at = name.lastIndex(of: 0x40) {
      let domain = Bytes(name[(at + 1)...])
      guard domains.contains(domain) || domain == hostName else { return .unknown }
      name.removeLast(name.count - at)
    }
    if let account = book[name] { return .account(account) }
    return book.damaged.contains(name) || (book.isIncomplete && book.accounts.isEmpty) ? .temporarily : .unknown
  }

  /// The account of exactly this name, as last read.
  public func account(named name: Bytes) -> Account? { book[name] }

  /// All accounts as last read, in no order.
  public var accounts: [Account] { book.accounts }
}
