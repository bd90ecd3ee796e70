import Server
import System
import Wire

/// `reset`: as it left the factory, with the mail or without.
struct ResetCommand {
  let site: Site
  let invocation: Invocation
  let output: Output

  /// Where the appliance, and nothing else, keeps what was changed below /etc.
  private static let changes = Path("/var/etc/upper")
  private static let journal = Path("/var/log/journal")

  func run() throws(Failure) -> ExitCode {
    let wipes = invocation.has(.wipeMail)
    guard invocation.has(.yes) else {
      throw Failure(
        .usage,
        wipes
          ? "this forgets the configuration, the accounts and ALL MAIL; nothing but a backup brings them back. Say --yes"
          : "this forgets configuration, network, PIN and certificate; accounts and mail stay. Say --yes")
    }
    let standstill = try Standstill(site)
    do throws(Failure) {
      let replacement = try Replacement(site.state, site.files)
      _ = try replacement.begin()
      plan(wipes, replacement)
      try replacement.commit()
      try replacement.carryOut()
    } catch {
      standstill.end()
      throw error
    }
    output.line(wipes ? "reset: everything is forgotten" : "reset: the configuration is forgotten, the mail is there")
    output.flush()
    guard site.files.exists(ResetCommand.changes) else {
      standstill.end()
      return .ok
    }
    output.line("the device starts again and asks what it asked at first")
    output.flush()
    try Standstill.systemctl("--no-block", "reboot")
    return .ok
  }

  private func plan(_ wipes: Bool, _ replacement: Replacement) {
    // Of the certificate also the one before. What this is done with stays until all else is gone.
    for name in (try? site.files.list(site.state)) ?? []
    where name.hasPrefix("certificate.pem") || wipes && !name.hasPrefix("replacement") {
      replacement.remove(site.state.appending(name))
    }
    removeAll(in: site.state.adding(suffix: "-device"), but: "clock", replacement)
    // The configuration comes last: it says where all this is.
    if site.files.exists(ResetCommand.changes) {
      // What was changed below /etc goes from where the changes are kept: then the factory's files come through.
      if wipes { removeAll(in: ResetCommand.journal, but: "", replacement) }
      removeAll(in: ResetCommand.changes, but: "restante", replacement)
      return removeAll(in: ResetCommand.changes.appending("restante"), but: wipes ? "" : "aliases", replacement)
    }
    for holding in Holdings(Holdings.file(invocation), site.configuration, state: site.state, site.files).all
    where holding.isConfiguration {
      // Who reaches whom belongs to the mail. What the configuration named elsewhere is not ours to remove.
      let stays = holding.name.equals("etc/aliases") && !wipes
      if stays || holding.name.equals("etc/certificate") || holding.name.equals("etc/key") { continue }
      replacement.remove(holding.path)
    }
  }

  private func removeAll(in directory: Path, but kept: StaticString, _ replacement: Replacement) {
    for name in Identity.asCaller({ try? site.files.list(directory) }) ?? [] where !name.equals(kept) {
      replacement.remove(directory.appending(name))
    }
  }
}
