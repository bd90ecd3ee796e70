import Server
import System
import Wire

/// The program's commands. `main` gives them what it was called with.
public enum Administration {
  /// Does what the command line asks for; returns how that ended.
  public static func run(_ arguments: [Bytes]) -> ExitCode {
    let output = Output(1)
    do throws(Failure) {
      let code = try perform(arguments, output)
      try output.finish()
      return code
    } catch {
      output.flush()
      Complaint.write(error.text)
      return error.code
    }
  }

  private static func perform(_ arguments: [Bytes], _ output: Output) throws(Failure) -> ExitCode {
    switch try Invocation.parse(arguments, CommandTable.all) {
    case .version:
      output.write(Help.version)
      return .ok
    case .help(let words):
      try help(words, output)
      return .ok
    case .run(let invocation):
      return try run(invocation, output)
    }
  }

  private static func help(_ words: [Bytes], _ output: Output) throws(Failure) {
    var text = Bytes()
    if words.isEmpty {
      Help.overview(CommandTable.all, into: &text)
    } else {
      let commands = Help.matching(words, CommandTable.all)
      if commands.isEmpty { _ = try Invocation.parse(words, CommandTable.all) }
      for (index, command) in commands.enumerated() {
        if index > 0 { text += "\n" }
        Help.page(command, into: &text)
      }
    }
    output.write(text)
  }

  private static func run(_ invocation: Invocation, _ output: Output) throws(Failure) -> ExitCode {
    try StickUse.around(invocation, output) { (invocation: Invocation) throws(Failure) in
      try carryOut(invocation, output)
    }
  }

  private static func carryOut(_ invocation: Invocation, _ output: Output) throws(Failure) -> ExitCode {
    switch invocation.command.verb {
    case .serve:
      try StorageCommands.resume(invocation)
      let code = serve(configurationPath: invocation.value(.config).map { Path($0) })
      return ExitCode(rawValue: code) ?? .software
    case .demo: return try Demo(endsAtOnce: invocation.has(.once), output).run()
    case .status: return try StatusCommand(site: Site(invocation), invocation: invocation, output: output).run()
    case .bans: return try BansCommand(site: Site(invocation), invocation: invocation, output: output).run()
    case .selfTest: return try SelfTestCommand(site: Site(invocation), invocation: invocation, output: output).run()
    case .network: return try NetworkCommand(invocation: invocation, output: output).run()
    case .connections, .refusals:
      return try ConnectionsCommand(site: Site(invocation), invocation: invocation, output: output).run()
    case .journal: return try JournalCommand(invocation: invocation, output: output).run()
    case .clock: return try ClockCommand(invocation: invocation, output: output).run()
    case .restart, .powerOff: return try PowerCommand(invocation: invocation, output: output).run()
    case .check: return try CheckCommand(invocation: invocation, output: output).run()
    case .update: return try UpdateCommands.run(invocation)
    case .console: return try ConsoleCommand(invocation: invocation).run()
    case .setup: return try SetupCommand(invocation: invocation, output: output).run()
    case .pin: return try SetupCommand(invocation: invocation, output: output).changePIN()
    case .help: return .ok
    case .accountAdd:
      let site = try Site(invocation, makes: true)
      return try AccountCommands(site: site, invocation: invocation, output: output).add()
    case .accountPassword: return try accounts(invocation, output).changePassword()
    case .accountQuota: return try accounts(invocation, output).changeQuota()
    case .accountRemove: return try accounts(invocation, output).remove()
    case .accountList: return try accounts(invocation, output).list()
    case .certificateShow, .certificateRenew, .certificateInstall:
      let site = try Site(invocation, makes: true)
      return try CertificateCommands(site: site, invocation: invocation, output: output).run()
    case .mailList: return try MailListing(site: Site(invocation), invocation: invocation, output: output).run()
    case .mailShow: return try MailShow(site: Site(invocation), invocation: invocation, output: output).run()
    case .mailDelete: return try MailChange(site: Site(invocation), invocation: invocation, output: output).delete()
    case .mailRestore: return try MailChange(site: Site(invocation), invocation: invocation, output: output).restore()
    case .mailExport: return try MailExport(site: Site(invocation), invocation: invocation, output: output).run()
    case .mailImport: return try MailImport.run(Site(invocation), invocation, output)
    case .mailMove: return try MailMove(site: Site(invocation), invocation: invocation, output: output).run()
    case .mailDiscard: return try MailChange(site: Site(invocation), invocation: invocation, output: output).discard()
    case .accountPropose, .accountSheet: return try AccountSheet.run(invocation, output)
    case .aliasList, .aliasSet, .aliasRemove:
      return try AliasCommands(site: Site(invocation), invocation: invocation, output: output).run()
    case .backupCreate, .backupVerify, .backupRestore, .backupResume, .reset:
      return try StorageCommands.run(invocation, output)
    case .stickList, .stickMount, .stickEject: return try StickCommand.run(invocation, output)
    }
  }

  private static func accounts(_ invocation: Invocation, _ output: Output) throws(Failure) -> AccountCommands {
    AccountCommands(site: try Site(invocation), invocation: invocation, output: output)
  }
}
