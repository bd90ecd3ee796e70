import System
import Wire

/// Why a password was not taken.
public enum PasswordProblem: Error, Equatable, Sendable {
  case empty
  /// More than `Limits.password` octets.
  case tooLong
  /// A control character in it, which no login form can send.
  case controlCharacter
  /// Not UTF-8: a mail program would send other octets for the same characters.
  case notUTF8
  /// OpenSSL failed.
  case failed(Errno)

  /// Whether `password` can be a password at all.
  ///
  /// RFC 5802 §2.2 would have it normalized (SASLprep); the octets are taken as they are, which is the same for all that
  /// keyboards produce.
  public static func check(_ password: Bytes) throws(PasswordProblem) {
    if password.isEmpty { throw .empty }
    if password.count > Limits.password { throw .tooLong }
    for octet in password where octet < 0x20 || octet == 0x7F { throw .controlCharacter }
    if !password.isUTF8 { throw .notUTF8 }
  }

  /// In words, for the one who chose it.
  public var text: Bytes {
    switch self {
    case .empty: return Bytes("the password is empty")
    case .tooLong:
      var text = Bytes("the password is longer than ")
      text.append(decimal: Limits.password)
      text += " octets"
      return text
    case .controlCharacter: return Bytes("the password has a control character in it, such as a tab")
    case .notUTF8: return Bytes("the password is not UTF-8 text")
    case .failed(let error): return Bytes("the password could not be hashed: ") + error.text
    }
  }
}
