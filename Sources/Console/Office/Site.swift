import Accounts
import Server
import Spool
import System
import Wire

/// What a command works on: the configuration, the state directory, the accounts.
final class Site {
  let configuration: Configuration
  let files: Files
  let state: Path
  let spool: Path
  let accounts: AccountsFile

  /// Reads the configuration, and as root becomes the user whom the state directory belongs to, so that no file in it
  /// ever belongs to root.
  ///
  /// - Parameters:
  ///   - makes: whether a missing state directory is made.
  ///   - mends: whether a wrong configuration, which then counts as far as it can be read, is about to be replaced.
  init(
    _ invocation: Invocation, makes: Bool = false, mends: Bool = false, files: Files = Files()
  ) throws(Failure) {
    let loaded = Configuration.load(invocation.value(.config).map { Path($0) }, files: files)
    guard mends || loaded.problems.isEmpty else { throw Site.failure(loaded.problems) }
    configuration = loaded.configuration
    self.files = files
    state = configuration.device.stateDirectory
    spool = state.appending("spool")
    accounts = AccountsFile(files, state.appending("accounts"))
    if makes { try Site.make(state, files) }
    do throws(Errno) {
      try Site.become(state)
    } catch {
      throw Failure("cannot act as the owner of", state, error)
    }
  }

  static func failure(
    _ problems: [Problem], _ what: StaticString = "the configuration is wrong, so nothing was done:"
  ) -> Failure {
    var text = Bytes(what)
    for problem in problems {
      text += "\n"
      text += problem.description
    }
    return Failure(.configuration, text)
  }

  private static func make(_ state: Path, _ files: Files) throws(Failure) {
    if files.exists(state) { return }
    do throws(Errno) {
      try files.ensureDirectory(state)
      // The user that the service runs as, where the package has made one.
      if Process.user == 0, let user = Identity(named: "restante") { try user.own(state) }
    } catch {
      throw Failure("cannot make the state directory", state, error, otherwise: .cannotCreate)
    }
  }

  private static func become(_ state: Path) throws(Errno) {
    guard Process.user == 0 else { return }
    let owner: Identity
    do throws(Errno) {
      owner = try Identity(ownerOf: state)
    } catch {
      if error == .notFound { return }
      throw error
    }
    if owner.user != 0 { try owner.become() }
  }

  // MARK: accounts

  func loadAccounts() throws(Failure) -> AccountList {
    do throws(Errno) {
      return try accounts.load()
    } catch {
      throw Failure("cannot read the accounts in", accounts.path, error)
    }
  }

  /// The account's quota in octets; nil for no limit.
  func quota(of account: Account) -> Int64? {
    guard let own = account.quota else { return configuration.spool.quota }
    return own == .max ? nil : own
  }

  /// `text` as the name of an account or maildrop: lower case.
  static func name(_ text: Bytes) throws(Failure) -> Bytes {
    let name = text.lowercased
    if Account.isName(name.span) { return name }
    var why = Bytes()
    why.append(quoted: text.span)
    why += " cannot be an account's name: "
    why += Account.nameRule
    throw Failure(.data, why)
  }

  /// The maildrop that is meant by `text`: an account's, or that of one which was removed while mail was in it.
  func maildrop(_ text: Bytes) throws(Failure) -> Bytes {
    let name = try Site.name(text)
    let list = try loadAccounts()
    if list.account(named: name) != nil || list.damagedNames.contains(name) { return name }
    let others = MaildropReader.names(spool, files: files)
    if others.contains(name) { return name }
    throw unknown(name, list.accounts.map { $0.name } + others)
  }

  func unknown(_ name: Bytes, _ names: [Bytes]) -> Failure {
    var why = Bytes("there is no account ")
    why.append(quoted: name.span)
    if let near = NearMiss.best(for: name, among: names) {
      why += "; did you mean "
      why.append(quoted: near.span)
      why += "?"
    } else {
      why += "; `restante account list` shows them all"
    }
    return Failure(.noUser, why)
  }

  // MARK: mail

  /// A maildrop's files; nil when no mail ever came for it.
  func reader(_ name: Bytes) throws(Failure) -> MaildropReader? {
    guard MaildropReader.names(spool, files: files).contains(name) else {
      // An index that may not be seen is not one that is not there.
      do throws(Errno) {
        if files.exists(spool) { _ = try files.list(spool.appending("index")) }
      } catch {
        if error != .notFound { throw Failure("cannot read the spool in", spool, error) }
      }
      return nil
    }
    do throws(SpoolError) {
      return try MaildropReader(spool, name, files: files)
    } catch {
      if error == .gone { return nil }
      var doing = Bytes("cannot read the maildrop of ")
      doing += name
      throw Failure(doing, error)
    }
  }
}

extension Failure {
  /// What the spool could not do, and what follows from why.
  init(_ doing: Bytes, _ error: SpoolError) {
    var text = doing
    text += ": "
    switch error {
    case .full:
      text += "the disk is full; delete mail or make room, then try again"
      self.init(.tryAgain, text)
    case .failed(let errno):
      text += errno.text
      if errno == .denied || errno == .notPermitted {
        text += "; run this as root or as the user that the server runs as"
        self.init(.permission, text)
      } else {
        text += "; `restante check` looks at all of it"
        self.init(.io, text)
      }
    case .gone:
      text += "it is not there any more"
      self.init(.data, text)
    case .held:
      text += "the server is just starting or stopping; try again in a moment"
      self.init(.tryAgain, text)
    case .damaged:
      text += "its files are damaged; `restante check` says where, `restante check --repair` mends it"
      self.init(.data, text)
    }
  }
}
