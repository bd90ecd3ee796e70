import Accounts
import System
import Testing
import Wire

/// A directory of its own for one test, gone with it.
final class Office {
  let files = Files()
  let place: Path
  var accounts: Path { place.appending("accounts") }
  var aliases: Path { place.appending("aliases") }

  init() throws { place = try Process.temporaryDirectory(in: Path("/tmp"), prefix: "restante-accounts-") }

  deinit {
    for name in (try? files.list(place)) ?? [] {
      try? files.remove(place.appending(name))
      try? files.removeDirectory(place.appending(name))
    }
    try? files.removeDirectory(place)
  }

  func write(_ text: String, to path: Path) throws {
    try files.replace(path, with: Bytes(text.utf8))
  }

  func read(_ path: Path) throws -> String { try files.contents(path, limit: 1 << 20).text }

  func directory(domains: [String] = ["office.example"], files: Files? = nil) -> Directory {
    Directory(
      files ?? self.files, accounts: accounts, aliases: aliases, domains: domains.map { Bytes($0.utf8) },
      hostName: Bytes("mail.office.example"))
  }
}

/// A verifier of no known password; made without hashing.
func someVerifier(_ seed: UInt8 = 7) -> Verifier {
  var text = Bytes("SCRAM-SHA-256$4096:")
  Base64.encode(Bytes(repeating: seed, count: 16).span, to: &text)
  text += "$"
  Base64.encode(Bytes(repeating: seed &+ 1, count: 32).span, to: &text)
  text += ":"
  Base64.encode(Bytes(repeating: seed &+ 2, count: 32).span, to: &text)
  return Verifier(text.span)!
}

/// The line of an account as the file has it.
func line(_ name: String, _ more: String = "") -> String {
  var text = Bytes(name.utf8)
  text += " "
  someVerifier().append(to: &text)
  return text.text + more
}

func mailbox(_ text: String) -> Mailbox { Mailbox(Bytes(text.utf8).span)! }

extension Resolution {
  /// The names of the maildrops in words, or what it is instead.
  var words: String {
    switch self {
    case .maildrops(let names): names.map(\.text).joined(separator: " ")
    case .unknown: "unknown"
    case .notLocal: "not local"
    case .temporarily: "temporarily"
    }
  }
}

// The macros of Testing take no spans.
func unbase64(_ text: String) -> Bytes? { Base64.decode(Bytes(text.utf8).span) }
func read(_ text: Bytes) -> Verifier? { Verifier(text.span) }
