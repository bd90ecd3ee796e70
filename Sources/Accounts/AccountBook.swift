import Wire

/// The accounts as mail and logins need them: by name.
struct AccountBook {
  var accounts: [Bytes: Account] = [:]
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
      accounts[account.name] = account
    }
    for name in list.damagedNames where accounts[name] == nil {
      if let kept = last.accounts[name] {
        accounts[name] = kept
        if first == nil { first = name }
      } else {
        damaged.append(name)
      }
    }
    isIncomplete = list.hasIllegibleLine
  }

  /// Names that always reach someone: RFC 5321 §4.5.1, RFC 2142 §4.
  static func isRole(_ name: Bytes) -> Bool { name.equals("postmaster") || name.equals("abuse") }
}
