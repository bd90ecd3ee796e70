import Accounts
import System
import Wire

/// The account with which the device tries itself.
///
/// It is in no file and no list, has a maildrop that no account can have, and exists for two minutes after a command
/// asked for it over the control socket, with a password that is made then. Only connections from this device to itself
/// meet it.
struct SelfTestLogin {
  let account: Account
  let password: Bytes
  /// In ``Server/seconds``.
  var until: Int64

  static let seconds: Int64 = 120
  var words: Bytes { account.name + [ASCII.space] + password }
}

extension Server {
  /// Makes the account, or has it stay: two tests at a time share it. Returns its name, a space, and the password.
  func beginSelfTest() throws(Errno) -> Bytes {
    if var login = selfTest, login.until > seconds {
      login.until = seconds + SelfTestLogin.seconds
      selfTest = login
      return login.words
    }
    var password = Bytes()
    for octet in try Crypto.random(16) { password.append(hexadecimal: UInt64(octet), width: 2) }
    let verifier = try Verifier(password: password, salt: Crypto.random(16), iterations: Limits.passwordIterations)
    let account = Account(name: Bytes("_self-test"), verifier: verifier, created: now)
    let login = SelfTestLogin(account: account, password: password, until: seconds + SelfTestLogin.seconds)
    selfTest = login
    return login.words
  }

  /// The account of the self-test, if that is who is meant by `name`, and may be.
  func selfTest(_ name: Bytes, _ connection: Connection) -> Account? {
    guard let login = selfTest, login.until > seconds, name == login.account.name,
      let own = try? Sockets.localAddress(connection.socket.number), own.octets == connection.peer.octets
    else { return nil }
    return login.account
  }
}
