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
  private var tags: [Bytes: Bytes] = [:]
  /// The names in `tags` as they came, a ring.
  private var order: [Bytes] = []
  private var oldest = 0

  /// Throws when there is no randomness to be had.
  public init(limit: Int = Limits.cachedPasswords) throws(Errno) {
    key = try Crypto.random(32)
    self.limit = max(1, limit)
  }

  /// Whether this very password was right for this very verifier. False says nothing: ask the verifier then.
  public func knows(_ password: Bytes, of account: Account) -> Bool {
    guard let tag = tags[account.name], let other = try? self.tag(password, account) else { return false }
    return Crypto.equal(tag, other)
  }

  /// Notes that `account.verifier` accepted `password`.
  public mutating func remember(_ password: Bytes, of account: Account) {
    guard let tag = try? self.tag(password, account) else { return }
    if tags[account.name] == nil {
      if order.count < limit {
        order.append(account.name)
      } else {
        tags[order[oldest]] = nil
        order[oldest] = account.name
        oldest = (oldest + 1) % limit
      }
    }
    tags[account.name] = tag
  }

  /// Forgets all of them: each is looked at again when it comes.
  public mutating func forget() {
    tags = [:]
    order = []
    oldest = 0
  }

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
