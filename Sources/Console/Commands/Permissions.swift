import Accounts
import Server
import System
import Wire

extension CheckCommand {
  /// Whether the files belong to whom they should, and nobody else can read mail or verifiers.
  func checkPermissions(_ site: Site) -> Bool {
    guard let state = try? site.files.status(site.state) else { return false }
    var isRight = true
    func look(_ path: Path, allowed: UInt32) {
      guard let status = try? site.files.status(path) else { return }
      var text = Bytes("  ")
      text.append(shown: path.bytes.span, limit: 4096)
      if status.owner != state.owner {
        text += " belongs to another user than its directory: the server cannot\n"
        text += "    use it. Put right: chown -R --reference="
        let directory = site.state.bytes
        text.append(shown: directory.span, limit: 4096)
        text += " "
        text.append(shown: path.bytes.span, limit: 4096)
        output.line(text)
        isRight = false
      } else if status.mode & ~allowed & 0o777 != 0 {
        text += " is open to others. Put right: chmod "
        text.append(octal: allowed)
        text += " "
        text.append(shown: path.bytes.span, limit: 4096)
        output.line(text)
        isRight = false
      }
    }
    // The directory guards what is in it: others may at most be let through it.
    look(site.state, allowed: 0o751)
    look(site.accounts.path, allowed: 0o640)
    look(Certificates.file(site.configuration), allowed: 0o600)
    for part in ["", "log", "index"] as [StaticString] {
      let directory = part.utf8CodeUnitCount == 0 ? site.spool : site.spool.appending(part)
      look(directory, allowed: 0o750)
      for name in (try? site.files.list(directory)) ?? [] {
        let path = directory.appending(name)
        guard let status = try? site.files.status(path), status.isRegular else { continue }
        look(path, allowed: 0o640)
      }
    }
    return isRight
  }
}

extension Array where Element == UInt8 {
  /// Appends permission bits as chmod(1) takes them.
  fileprivate mutating func append(octal bits: UInt32) {
    for shift in [6, 3, 0] as [UInt32] { append(0x30 + UInt8(truncatingIfNeeded: bits >> shift & 7)) }
  }
}
