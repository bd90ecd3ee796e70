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
    let isDevice = site.files.exists(ResetCommand.changes)
    for holding in Holdings(Holdings.file(invocation), site.configuration, state: site.state, site.files).all {
      // Who reaches whom belongs to the mail. What the configuration named elsewhere is not ours to remove.
      let stays = holding.name.equals("state/accounts") || holding.name.equals("etc/aliases")
      let isOthers = holding.name.equals("etc/certificate") || holding.name.equals("etc/key")
      if stays && !wipes || isOthers || isDevice && holding.isConfiguration { continue }
      replacement.remove(holding.path)
    }
    if wipes { replacement.remove(site.spool) }
    removeAll(in: site.state.adding(suffix: "-device"), but: "clock", replacement)
    guard isDevice else { return }
    // What was changed below /etc goes from where the changes are kept: then the factory's files come through.
    removeAll(in: ResetCommand.changes, but: "restante", replacement)
    removeAll(in: ResetCommand.changes.appending("restante"), but: wipes ? "" : "aliases", replacement)
    if wipes { removeAll(in: ResetCommand.journal, but: "", replacement) }
  }

  private func removeAll(in directory: Path, but kept: StaticString, _ replacement: Replacement) {
    for name in Identity.asCaller({ try? site.files.list(directory) }) ?? [] where !name.equals(kept) {
      replacement.remove(directory.appending(name))
    }
  }
}
