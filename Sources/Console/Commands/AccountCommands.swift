import Accounts
import Server
import Spool
import System
import Wire

/// `account add`, `passwd`, `quota`, `remove` and `list`. A running server reads the accounts anew by itself.
struct AccountCommands {
  let site: Site
  let invocation: Invocation
  let output: Output

  func add() throws(Failure) -> ExitCode {
    let name = try Site.name(invocation.operands[0])
    let quota = try invocation.value(.quota).map(AccountCommands.quota)
    // Looked at before anybody types a password, and again when it counts.
    if try site.loadAccounts().account(named: name) != nil { throw AccountCommands.exists(name) }
    var proposed: Bytes?
    if invocation.has(.propose) { proposed = try AccountSheet.password() }
    let verifier = try verifier(name, proposed)
    let account = Account(name: name, verifier: verifier, quota: quota ?? nil, created: Clock.now)
    try edit(name) { (list: inout AccountList) throws(AccountsError) in try list.add(account) }
    var text = Bytes("made the account ")
    text += name
    let waiting = try site.reader(name)?.entries.count { $0.state == .live } ?? 0
    if waiting > 0 {
      text += "; "
      text.append(decimal: waiting)
      text += " messages wait in its maildrop from before"
    }
    output.line(text)
    if let proposed { AccountSheet(site, output).tell(name, password: proposed) }
    return .ok
  }

  func changePassword() throws(Failure) -> ExitCode {
    let name = try existing()
    let verifier = try verifier(name)
    try edit(name) { (list: inout AccountList) throws(AccountsError) in try list.setVerifier(verifier, of: name) }
    output.line(Bytes("the new password of ") + name + Bytes(" counts from the next login on"))
    return .ok
  }

  func changeQuota() throws(Failure) -> ExitCode {
    let name = try existing()
    let quota = try AccountCommands.quota(invocation.operands[1])
    try edit(name) { (list: inout AccountList) throws(AccountsError) in try list.setQuota(quota, of: name) }
    guard let account = try site.loadAccounts().account(named: name) else { return .ok }
    var text = name
    text += " may keep "
    if let octets = site.quota(of: account) { text.append(size: octets) } else { text += "as much mail as fits" }
    output.line(text)
    return .ok
  }

  func remove() throws(Failure) -> ExitCode {
    let name = try existing()
    var deleted = 0
    // While there is an account the server knows whose mail it is, so the mail goes first.
    if invocation.has(.deleteMail), try site.reader(name) != nil {
      let office = try Office(site)
      defer { office.close() }
      let live = try site.reader(name)?.entries.filter { $0.state == .live }.map { $0.sequence } ?? []
      if !live.isEmpty { try office.delete(live, of: name) }
      deleted = live.count
    }
    try edit(name) { (list: inout AccountList) throws(AccountsError) in try list.remove(name) }
    var text = Bytes("removed the account ")
    text += name
    let kept = try site.reader(name)?.entries.count { $0.state == .live } ?? 0
    if deleted > 0 {
      text += " and deleted its mail, "
      text.append(decimal: deleted)
      text += deleted == 1 ? " message" : " messages"
      text += ".\nFor "
      Moment.append(duration: site.configuration.spool.keepDeleted, to: &text)
      text += ", while the disk has room: `restante account add "
      text += name
      text += "` and\n`restante mail restore "
      text += name
      text += " --all` bring both back"
    } else if kept > 0 {
      text += "; its mail is kept, "
      text.append(decimal: kept)
      text += kept == 1 ? " message" : " messages"
      text += ", and\nthere again when an account of this name is added"
    }
    output.line(text)
    return .ok
  }

  /// The operand, when it is an account or at least a damaged line of one.
  private func existing() throws(Failure) -> Bytes {
    let name = try Site.name(invocation.operands[0])
    let list = try site.loadAccounts()
    if list.account(named: name) == nil, !list.damagedNames.contains(name) {
      throw site.unknown(name, list.accounts.map { $0.name })
    }
    return name
  }

  private func edit(
    _ name: Bytes, _ change: (inout AccountList) throws(AccountsError) -> Void
  ) throws(Failure) {
    do throws(AccountsError) {
      try site.accounts.edit(change)
    } catch {
      switch error {
      case .exists: throw AccountCommands.exists(name)
      case .unknown: throw site.unknown(name, [])
      case .badName:
        _ = try Site.name(name)
        throw Failure(.data, "this name cannot be an account's")
      case .file(let errno):
        throw Failure("cannot write the accounts in", site.accounts.path, errno, otherwise: .cannotCreate)
      }
    }
  }

  private static func exists(_ name: Bytes) -> Failure {
    var text = Bytes("there is an account ")
    text.append(quoted: name.span)
    text += " already; `restante account passwd "
    text += name
    text += "` gives it a new password"
    return Failure(.cannotCreate, text)
  }

  /// `500M`, `none` (as `Int64.max`), `default` (as nil).
  private static func quota(_ text: Bytes) throws(Failure) -> Int64? {
    if text.equals("none") { return .max }
    if text.equals("default") { return nil }
    if let size = Quantity.size(text.span) { return size }
    var why = Bytes()
    why.append(quoted: text.span)
    why += " is no quota; it is a number of octets, such as 500M or 2G, or none, or default"
    throw Failure(.usage, why)
  }

  private func verifier(_ name: Bytes, _ proposed: Bytes? = nil) throws(Failure) -> Verifier {
    var password = Bytes()
    if let proposed {
      password += proposed
    } else {
      password = try PasswordPrompt.read(for: name, fromInput: invocation.has(.passwordStdin))
    }
    defer { Crypto.cleanse(&password) }
    do throws(PasswordProblem) {
      return try Verifier.make(password: password)
    } catch {
      throw Failure(.data, error.text + Bytes("; nothing was changed"))
    }
  }
}
