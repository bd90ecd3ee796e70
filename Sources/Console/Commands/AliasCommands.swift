import Accounts
import Server
import System
import Wire

/// `alias list`, `set` and `remove`.
struct AliasCommands {
  let site: Site
  let invocation: Invocation
  let output: Output

  private var file: AliasesFile {
    AliasesFile(site.files, site.configuration.device.aliases, domains: site.configuration.device.domains)
  }

  func run() throws(Failure) -> ExitCode {
    let words = invocation.operands
    switch invocation.command.verb {
    case .aliasSet: return try set(words)
    case .aliasRemove:
      try edit { (file: AliasesFile) throws(AliasesError) in try file.remove(words[0].lowercased) }
      output.line(Bytes("removed the alias ") + words[0])
      return .ok
    default: return try list(words.first?.lowercased)
    }
  }

  private func set(_ words: [Bytes]) throws(Failure) -> ExitCode {
    // `anna bert`, `anna, bert` and `anna,bert` are the same.
    var targets = Bytes()
    for word in words.dropFirst() {
      var word = word
      while word.last == 0x2C { word.removeLast() }
      if word.isEmpty { continue }
      if !targets.isEmpty { targets += ", " }
      targets += word
    }
    let accounts = try site.loadAccounts()
    try edit { (file: AliasesFile) throws(AliasesError) in
      tell(try file.set(words[0], targets, accounts))
    }
    return .ok
  }

  private func edit(_ change: (AliasesFile) throws(AliasesError) -> Void) throws(Failure) {
    do throws(AliasesError) {
      try Identity.asCaller { () throws(AliasesError) in try change(file) }
    } catch {
      switch error {
      case .unknown:
        var text = Bytes("there is no alias ")
        let name = invocation.operands[0]
        text.append(quoted: name.span)
        throw Failure(.data, text + Bytes("; `restante alias list` shows them all"))
      case .bad(let why): throw Failure(.data, why + Bytes("; nothing was changed"))
      case .file(let errno):
        throw Failure("cannot write", site.configuration.device.aliases, errno, otherwise: .cannotCreate)
      }
    }
  }

  private func list(_ name: Bytes?) throws(Failure) -> ExitCode {
    let aliases: Aliases
    do throws(Errno) {
      aliases = try Identity.asCaller { () throws(Errno) in try file.load() }
    } catch {
      throw Failure("cannot read", site.configuration.device.aliases, error)
    }
    for problem in aliases.problems { Complaint.write(problem.description) }
    for alias in aliases.all where name == nil || alias.name == name { tell(alias) }
    if aliases.all.isEmpty { output.line("there is no alias yet; `restante alias set NAME TARGET...` makes one") }
    return aliases.problems.isEmpty ? .ok : .data
  }

  private func tell(_ alias: Aliases.Alias) {
    var text = Bytes()
    text.append(shown: alias.name.span, limit: 400)
    for (index, target) in alias.targets.enumerated() {
      text += index == 0 ? ": " : ", "
      if target.isAccount { text.append(0x5C) }
      text.append(shown: target.localPart.span, limit: 400)
      if !target.domain.isEmpty { text += "@" }
      text += target.domain
    }
    output.line(text)
  }
}
