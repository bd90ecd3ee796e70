import System
import Wire

/// Passwords that were right a while ago, so that a mail program that polls each minute does not cost a PBKDF2 each
/// time.
///
/// Kept is an HMAC under a key that lives and dies with this process, over the account's verifier and the password:
/// another verifier makes it worthless. Bounded: the oldest goes first.
public struct PasswordCache {
  private let key: Bytes
  private let limit: Int
  /// A ring: few, and compared faster than an HMAC is made.
  private var kept: [(name: Bytes, tag: Bytes)] = []
  private var oldest = 0

  /// Throws when there is no randomness to be had.
  public init(limit: Int = Limits.cachedPasswords) throws(Errno) {
    key = try Crypto.random(32)
    self.limit = max(1, limit)
  }

  /// Whether this very password was right for this very verifier. False says nothing: ask the verifier then.
  public func knows(_ password: Bytes, of account: Account) -> Bool {
    guard let place = place(account.name), let other = try? self.tag(password, account) else { return false }
    return Crypto.equal(kept[place].tag, other)
  }

  /// Notes that `account.verifier` accepted `password`.
  public mutating func remember(_ password: Bytes, of account: Account) {
    guard let tag = try? self.tag(password, account) else { return }
    if let place = place(account.name) {
      kept[place].tag = tag
    } else if kept.count < limit {
      kept.append((account.name, tag))
    } else {
      kept[oldest] = (account.name, tag)
      oldest = (oldest + 1) % limit
    }
  }

  /// Forgets all of them: each is looked at again when it comes.
  public mutating func forget() {
    kept = []
    oldest = 0
  }

  private func place(_ name: Bytes) -> Int? { kept.firstIndex { $0.name == name } }

  private func tag(_ password: Bytes, _ account: Account) throws(Errno) -> Bytes {
    // Lengths are fixed but for the last part's, and the name's is told.
    var data = Bytes()
    data.append(decimal: account.name.count)
    data += ":"
    data += account.name
    data += account.verifier.storedKey
    data += password
    defer { Crypto.cleanse(&data) }
    return try Crypto.hmac(key: key, data)
  }
}
