import Server
import System
import Wire

/// Backups and resets: they work also where the configuration is wrong, which they may be there to mend.
enum StorageCommands {
  static func run(_ invocation: Invocation, _ output: Output) throws(Failure) -> ExitCode {
    switch invocation.command.verb {
    case .backupVerify: return try BackupCommand.verify(invocation, output)
    case .backupCreate:
      return try BackupCommand(site: Site(invocation, mends: true), invocation: invocation, output: output).create()
    case .backupRestore:
      let site = try Site(invocation, makes: true, mends: true)
      return try RestoreCommand(site: site, invocation: invocation, output: output).run()
    case .reset:
      return try ResetCommand(site: Site(invocation, mends: true), invocation: invocation, output: output).run()
    default:
      if try resume(invocation, waits: true) { output.line("what was interrupted is done now") }
      return .ok
    }
  }

  /// Finishes what a power cut has interrupted. Returns whether there was something.
  @discardableResult
  static func resume(_ invocation: Invocation, waits: Bool = false) throws(Failure) -> Bool {
    let state = Configuration.load(invocation.value(.config).map { Path($0) }).configuration.device.stateDirectory
    let files = Files()
    guard files.exists(state.appending("replacement")) || files.exists(state.appending("replacement.new"))
    else { return false }
    // As whom the files belong to.
    let site = try Site(invocation, mends: true)
    return try Replacement.resume(site.state, site.files, waits: waits)
  }
}
