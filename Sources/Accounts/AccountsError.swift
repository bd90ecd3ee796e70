import System
import Wire

/// Why the accounts were not changed.
public enum AccountsError: FileFailure, Equatable, Sendable {
  /// There is an account of this name.
  case exists
  /// There is none.
  case unknown
  /// `Account.isName` says no.
  case badName
  /// The kernel refused to read or write the file.
  case file(Errno)
}
