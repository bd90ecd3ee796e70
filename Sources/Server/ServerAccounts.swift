import Accounts
import Spool
import System
import Wire

// Who has mail here, and how much room.
extension Server {
  /// Whose maildrops mail for `mailbox` goes into, which came by `connection`.
  func resolve(_ mailbox: Mailbox, _ connection: Connection) -> Resolution {
    if let account = selfTest(mailbox.localPart, connection) { return .maildrops([account.name]) }
    // Only an address literal needs to know which of our addresses was called.
    let own = mailbox.text.last == 0x5D ? try? Sockets.localAddress(connection.socket.number) : nil
    let resolution = directory.resolve(mailbox, own: own, now: now)
    tellProblems()
    return resolution
  }

  func login(_ name: Bytes, _ connection: Connection) -> Directory.Login {
    if let account = selfTest(name, connection) { return .account(account) }
    let login = directory.login(name, now: now)
    tellProblems()
    return login
  }

  /// The account of exactly this name, as of now.
  func account(named name: Bytes) -> Account? {
    if let account = directory.account(named: name) { return account }
    directory.reload(now: now)
    tellProblems()
    return directory.account(named: name)
  }

  func tellProblems() {
    for problem in directory.newProblems() { record(.problem(problem)) }
  }

  /// Whether the maildrop may take `octets` more.
  func hasRoom(in name: Bytes, for octets: Int) -> Bool {
    guard let quota = directory.account(named: name)?.quota ?? configuration.spool.quota, quota < .max else {
      return true
    }
    let (sum, over) = spool.usage(name).octets.addingReportingOverflow(Int64(octets))
    return !over && sum <= quota && spool.usage(name).octets < quota
  }

  /// Whether LoginDelay= lets this login pass; it counts as one then. RFC 2449 §6.5.
  func mayLogIn(_ name: Bytes) -> Bool {
    let delay = configuration.pop3.loginDelay
    if delay > 0 {
      if let last = logins[name], seconds - last < delay { return false }
      logins[name] = seconds
    }
    loggedIn += 1
    return true
  }
}
