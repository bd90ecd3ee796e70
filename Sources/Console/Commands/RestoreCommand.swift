import Accounts
import Server
import Spool
import System
import Wire

/// `backup restore`: a backup takes the place of what is here, all of it or nothing.
struct RestoreCommand {
  let site: Site
  let invocation: Invocation
  let output: Output

  func run() throws(Failure) -> ExitCode {
    let path = try BackupCommand.source(Path(invocation.operands[0]), site.files)
    let archive = try BackupCommand.look(path, site.files, output)
    if !invocation.has(.force) { try refuseIfUsed() }
    try lookForRoom(archive.reader.octets)
    output.line("it is whole; the server stands still while it is put in place")
    output.flush()
    let standstill = try Standstill(site)
    do throws(Failure) {
      let messages = try replace(archive.reader)
      standstill.end()
      var text = Bytes("restored: ")
      text.append(decimal: messages)
      text += messages == 1 ? " message waits" : " messages wait"
      text += ", with the number and the unique id each had"
      output.line(text)
      if archive.reader.members.contains(where: { $0.name.hasPrefix("etc/10-restante-") }) {
        output.line("the network's settings of then come into force with the next start")
      }
      return .ok
    } catch {
      standstill.end()
      throw error
    }
  }

  // MARK: before

  private func refuseIfUsed() throws(Failure) {
    var messages = 0
    for name in MaildropReader.names(site.spool, files: site.files) {
      messages += try site.reader(name)?.entries.count { $0.state == .live || $0.state == .deleted } ?? 0
    }
    let accounts = try site.loadAccounts().accounts.count
    if messages == 0 && accounts == 0 { return }
    var text = Bytes("there are ")
    text.append(decimal: accounts)
    text += " accounts and "
    text.append(decimal: messages)
    text += " messages here, which the backup would replace; nothing was changed. With --force they give way to it"
    throw Failure(.cannotCreate, text)
  }

  private func lookForRoom(_ octets: Int64) throws(Failure) {
    guard let space = try? site.files.space(site.state), space.available < octets + octets / 16 else { return }
    var text = Bytes("the backup needs ")
    text.append(rounded: octets)
    text += " beside what is here, and "
    text.append(rounded: space.available)
    text += " are free; nothing was changed. `restante reset --wipe-mail` makes room, where nothing here is needed"
    throw Failure(.cannotCreate, text)
  }

  // MARK: putting it in place

  /// Returns how many messages are to be read afterwards.
  private func replace(_ reader: ArchiveReader) throws(Failure) -> Int {
    let replacement = try Replacement(site.state, site.files)
    let fresh = try replacement.begin()
    do throws(Failure) {
      let progress = Progress(reader.octets, "  restored: ", output)
      for member in reader.members where RestoreCommand.isOurs(member.name) {
        try reader.extract(member, to: fresh.appending(member.name), progress)
      }
      let configuration = try readConfiguration(fresh)
      let messages = try readSpool(fresh.appending("spool"))
      plan(configuration, fresh, replacement)
      do throws(Errno) {
        let directory = try site.files.open(fresh, [.read, .directory])
        try Mounts.flush(directory.number)
      } catch {
        throw Failure("cannot write", fresh, error)
      }
      try replacement.commit()
      try replacement.carryOut()
      // What the first boot asks is answered by it.
      let memory = site.state.adding(suffix: "-device")
      Identity.asCaller {
        if site.files.exists(memory) { try? site.files.replace(memory.appending("first-boot-done"), with: []) }
      }
      return messages
    } catch {
      replacement.forget()
      throw error
    }
  }

  /// Whether a member is what it may be: none goes elsewhere than into the new directory.
  private static func isOurs(_ name: Bytes) -> Bool {
    for directory in ["etc/restante.conf.d/", "etc/", "state/", "spool/log/", "spool/"] as [StaticString]
    where name.hasPrefix(directory) {
      let rest = name.dropFirst(directory.utf8CodeUnitCount)
      return rest.first != ASCII.dot && !rest.isEmpty && !rest.contains(0x2F)
    }
    return false
  }

  private func readConfiguration(_ fresh: Path) throws(Failure) -> Configuration {
    let file = fresh.appending("etc/restante.conf")
    let loaded = Configuration.load(site.files.exists(file) ? file : nil, files: site.files)
    guard loaded.problems.isEmpty else {
      throw Site.failure(loaded.problems, "the backup's configuration is none that this version takes:")
    }
    let state = loaded.configuration.device.stateDirectory
    if state != site.state {
      var text = Bytes("the backup's configuration keeps mail in ")
      text += state.bytes
      text += ", this device in "
      text += site.state.bytes
      text += "; nothing was changed. Set StateDirectory= here to the backup's first"
      throw Failure(.configuration, text)
    }
    return loaded.configuration
  }

  /// Has the spool's indexes made, which shows that it can be opened; returns how many messages are to be read.
  private func readSpool(_ directory: Path) throws(Failure) -> Int {
    do throws(SpoolError) {
      let spool = try Spool(directory, files: site.files, now: Clock.now) { _ in }
      let messages = spool.names.reduce(0) { $0 + spool.usage($1).messages }
      spool.close()
      return messages
    } catch {
      throw Failure(Bytes("cannot open the spool of the backup"), error)
    }
  }

  /// What goes where. The configuration that is there goes after the new one has come: it says where all this is. The
  /// spool comes last: a server that waits for it finds all else in its place.
  private func plan(_ configuration: Configuration, _ fresh: Path, _ replacement: Replacement) {
    let file = Holdings.file(invocation)
    let dropIns: StaticString = "etc/restante.conf.d/"
    for name in (try? site.files.list(fresh.appending(dropIns))) ?? [] {
      replacement.install(Bytes(dropIns) + name, at: file.adding(suffix: ".d").appending(name))
    }
    // They come into force with the next start; whoever is connected stays so until then.
    for name in Holdings.networkFiles(in: fresh.appending("etc"), site.files) {
      replacement.install(Bytes("etc/") + name, at: NetworkTrial.directory.appending(name))
    }
    for new in Holdings(file, configuration, state: site.state, site.files).all
    where !new.name.hasPrefix(dropIns) && new.path.directory != NetworkTrial.directory
      && site.files.exists(fresh.appending(new.name))
    {
      replacement.install(new.name, at: new.path)
    }
    for old in Holdings(file, site.configuration, state: site.state, site.files).all
    where !site.files.exists(fresh.appending(old.name)) {
      replacement.remove(old.path)
    }
    replacement.install(Bytes("spool"), at: site.spool)
  }
}
