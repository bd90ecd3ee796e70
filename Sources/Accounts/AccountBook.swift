import Wire

/// The accounts as mail and logins need them: by name.
struct AccountBook {
  private(set) var accounts: [Account] = []
  /// Where each stands in `accounts`.
  private var places: [Bytes: Int] = [:]
  /// Who gets postmaster's mail where nobody else is named.
  var first: Bytes?
  /// Names of lines that cannot be read.
  var damaged: [Bytes] = []
  /// Whether a line, or the whole file, is there of which not even names can be read.
  var isIncomplete = false

  init() {}

  /// - Parameter last: what was known before: an account whose line was damaged since stays what it was.
  init(_ list: AccountList, last: AccountBook) {
    for account in list.accounts {
      if first == nil { first = account.name }
      add(account)
    }
    for name in list.damagedNames where self[name] == nil {
      if let kept = last[name] {
        add(kept)
        if first == nil { first = name }
      } else {
        damaged.append(name)
      }
    }
    isIncomplete = list.hasIllegibleLine
  }

  subscript(name: Bytes) -> Account? { places[name].map { accounts[$0] } }

  /// The later of two of one name is the one.
  private mutating func add(_ account: Account) {
    if let place = places[account.name] {
      accounts[place] = account
    } else {
      places[account.name] = accounts.count
      accounts.append(account)
    }
  }

  /// Names that always reach someone: RFC 5321 §4.5.1, RFC 2142 §4.
  static func isRole(_ name: Bytes) -> Bool { name.equals("postmaster") || name.equals("abuse") }
}
