import Accounts
import Server
import Spool
import System
import Wire

/// `check`: looks at everything, says what is wrong and what to do, and mends what can be mended when asked.
struct CheckCommand {
  let invocation: Invocation
  let output: Output

  func run() throws(Failure) -> ExitCode {
    // The configuration's problems are this command's answer, not what keeps it from answering.
    let loaded = Configuration.load(invocation.value(.config).map { Path($0) })
    guard loaded.problems.isEmpty else {
      for problem in loaded.problems { output.line(problem.description) }
      output.line("The server does not start with this configuration. Accounts and spool were not")
      output.line("looked at: where they are is part of it.")
      return .configuration
    }
    for file in loaded.files { heading("configuration", file) }
    if loaded.files.isEmpty { output.line("configuration: no file, so everything has its default") }
    let site = try Site(invocation)
    guard site.files.exists(site.state) else {
      heading("state directory", site.state)
      output.line("  does not exist yet; `restante account add NAME` makes it")
      return .ok
    }
    do throws(Errno) {
      _ = try site.files.list(site.state)
    } catch {
      throw Failure("cannot look into the state directory", site.state, error)
    }
    let isSound = checkAccounts(site)
    let isTrusted = checkCertificate(site)
    let isOwned = checkPermissions(site)
    let isWhole = try checkSpool(site)
    guard isSound && isTrusted && isOwned && isWhole else { return .data }
    output.line("all is well")
    return .ok
  }

  private func heading(_ what: StaticString, _ path: Path) {
    var line = Bytes(what)
    line += ": "
    line.append(shown: path.bytes.span, limit: 4096)
    output.line(line)
  }

  private func checkAccounts(_ site: Site) -> Bool {
    heading("accounts", site.accounts.path)
    let directory = Server.directory(site.configuration, site.files)
    directory.reload(now: Clock.now)
    let problems = directory.problems
    for problem in problems { output.line(Bytes("  ") + problem.description) }
    var line = Bytes("  ")
    line.append(decimal: directory.accounts.count)
    line += directory.accounts.count == 1 ? " account; aliases in " : " accounts; aliases in "
    let aliases = site.configuration.device.aliases
    line.append(shown: aliases.bytes.span, limit: 4096)
    if !site.files.exists(aliases) { line += " (no such file: there are none)" }
    output.line(line)
    return problems.isEmpty
  }

  private func checkCertificate(_ site: Site) -> Bool {
    do throws(Problem) {
      guard let found = try Certificates.find(site.configuration, site.files) else { return true }
      heading("certificate", found.file)
      var line = Bytes("  valid to ")
      line.append(certificateEnd: found.certificate.notAfter)
      output.line(line)
      return true
    } catch {
      output.line(Bytes("certificate: ") + error.description)
      return false
    }
  }

  // MARK: the spool

  private func checkSpool(_ site: Site) throws(Failure) -> Bool {
    heading("spool", site.spool)
    guard site.files.exists(site.spool) else {
      output.line("  does not exist yet; the server makes it")
      return true
    }
    let isRunning = try CheckCommand.isRunning(site)
    guard invocation.has(.repair) else {
      // What the sweeper gives back just then would look like damage.
      let client = try ControlClient.connect(site.state)
      try client?.hold()
      let check = SpoolCheck(site.spool, files: site.files, whileRunning: isRunning)
      try client?.hold()
      let isWhole = SpoolFindings(check.problems, output).tell(repaired: false)
      tell(check.summary, isRunning)
      if !isWhole { output.line("  `restante check --repair` mends what can be mended; stop the server first") }
      return isWhole
    }
    if isRunning {
      throw Failure(
        .tryAgain,
        "the server runs, so its spool cannot be mended now; stop it (`systemctl stop restante`) and try again")
    }
    return try repair(site)
  }

  private func repair(_ site: Site) throws(Failure) -> Bool {
    let check = SpoolCheck(site.spool, files: site.files, whileRunning: false)
    SpoolFindings(check.problems, output).tell(repaired: true)
    let mended: Int
    do throws(SpoolError) {
      mended = try check.repair()
    } catch {
      throw Failure(Bytes("cannot mend the spool"), error)
    }
    if mended > 0 {
      // Opening it makes the indexes from the log, and writes them.
      try DirectSpool(site).close()
    }
    let after = SpoolCheck(site.spool, files: site.files, whileRunning: false)
    var line = Bytes("  mended: ")
    line.append(decimal: mended)
    output.line(line)
    let isWhole = after.problems.isEmpty
    if !isWhole {
      output.line("  not mended:")
      SpoolFindings(after.problems, output).tell(repaired: true)
    }
    tell(after.summary, false)
    return isWhole
  }

  private func tell(_ summary: SpoolCheck.Summary, _ isRunning: Bool) {
    var line = Bytes("  read ")
    line.append(decimal: summary.messages)
    line += summary.messages == 1 ? " message, " : " messages, "
    line.append(rounded: summary.octets)
    line += ", in "
    line.append(decimal: summary.segments)
    line += summary.segments == 1 ? " segment" : " segments"
    if isRunning { line += "; the server runs, so its indexes were not looked at" }
    output.line(line)
  }

  /// Whether a server has the spool.
  private static func isRunning(_ site: Site) throws(Failure) -> Bool {
    if try ControlClient.connect(site.state) != nil { return true }
    do throws(Errno) {
      let directory = try site.files.open(site.spool, [.read, .directory])
      try site.files.lock(directory.number, wait: false)
      return false
    } catch {
      if error == .again { return true }
      throw Failure("cannot read the spool in", site.spool, error)
    }
  }
}
