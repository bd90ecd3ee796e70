import System
import Wire

/// The file `accounts` in the state directory.
public struct AccountsFile {
  public let path: Path
  private let file: LockedFile

  public init(_ files: Files, _ path: Path) {
    self.path = path
    file = LockedFile(files, path, limit: Limits.accountsFile, permissions: 0o640)
  }

  /// All lines; those that cannot be read are in its `problems`. A missing file has no accounts.
  public func load() throws(Errno) -> AccountList {
    guard let text = try file.read() else { return AccountList() }
    return AccountList(text.span, file: path)
  }

  /// Changes the accounts: `change` gets them as they are on the disk, and what it makes of them is on the disk when
  /// this returns. When it throws, nothing is written.
  public func edit(_ change: (inout AccountList) throws(AccountsError) -> Void) throws(AccountsError) {
    try file.edit { (text: Bytes?) throws(AccountsError) -> Bytes in
      var list = text.map { AccountList($0.span, file: path) } ?? AccountList()
      try change(&list)
      return list.text
    }
  }
}
