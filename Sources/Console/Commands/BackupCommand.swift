import Server
import Spool
import System
import Wire

/// `backup create` and `backup verify`.
struct BackupCommand {
  let site: Site
  let invocation: Invocation
  let output: Output

  // MARK: create

  func create() throws(Failure) -> ExitCode {
    let path = target()
    let log = try copy()
    var texts: [(name: Bytes, text: Bytes)] = []
    for holding in Holdings(Holdings.file(invocation), site.configuration, state: site.state, site.files).all {
      if let text = try read(holding) { texts.append((holding.name, text)) }
    }
    let parts = log.copy?.parts ?? []
    let total = parts.reduce(0) { $0 + $1.size }
    let unfinished = path.adding(suffix: ".unfinished")
    // What a power cut or a pulled stick left of one.
    Identity.asCaller { try? site.files.remove(unfinished) }
    let outlet = try Outlet(path, unfinished: unfinished, replaces: invocation.has(.force), site.files)
    output.line("the backup will hold the mail, and what opens the maildrops: keep it where you keep keys")
    output.flush()
    let writer = try ArchiveWriter(outlet, time: Clock.now, Progress(total, "  written: ", output))
    try writer.add(Bytes("README"), about(log.copy))
    for (name, text) in texts { try writer.add(name, text) }
    if let copy = log.copy {
      for part in copy.parts {
        try writer.add(Bytes("spool/") + part.name, part.size) {
          (hand: (Span<UInt8>) throws(Failure) -> Void) throws(Failure) in try copy.read(part, hand)
        }
        // Who says nothing for long would be taken for gone.
        try log.client?.hold()
      }
    }
    try writer.finish()
    output.line("written; reading it back")
    output.flush()
    let reader = try ArchiveReader(try outlet.settle(), path, site.files)
    guard reader.sums == writer.sums else {
      throw Failure(.io, "what was read back is not what was written; the disk cannot be trusted, take another one")
    }
    try reader.verify(Progress(reader.octets, "  compared: ", output))
    try outlet.finish()
    do throws(Errno) {
      try Identity.asCaller { () throws(Errno) in try site.files.flushDirectory(path.directory) }
    } catch {
      throw Outlet.failure(path, error)
    }
    return done(path, log.copy)
  }

  private func done(_ path: Path, _ copy: SpoolCopy?) -> ExitCode {
    var text = Bytes("the backup is whole and on the disk: ")
    text.append(shown: path.bytes.span, limit: 4096)
    text += ", "
    text.append(decimal: copy?.messages ?? 0)
    text += " messages"
    output.line(text)
    guard let damages = copy?.damages, damages > 0 else { return .ok }
    text = Bytes("but ")
    text.append(decimal: damages)
    text += damages == 1 ? " place" : " places"
    text += " of the spool could not be read, and what was there is missing from the backup, too;\n"
    text += "`restante check` says which"
    Complaint.write(text)
    return .data
  }

  /// The file that is meant; a new one with today's date in a directory.
  private func target() -> Path {
    let path = Path(invocation.operands[0])
    let isDirectory = Identity.asCaller { (try? site.files.status(path))?.isDirectory ?? false }
    guard isDirectory else { return path }
    var name = Bytes("restante-")
    name += site.configuration.device.hostName.prefix(40)
    name.append(0x2D)
    var moment = Bytes()
    Moment.append(Clock.now, to: &moment)
    name += moment.filter { ASCII.isDigit($0) }
    name += ".tar"
    return path.appending(name)
  }

  /// The log, kept as it is: by the server as long as its client is there, or by us when none runs.
  private func copy() throws(Failure) -> (copy: SpoolCopy?, client: ControlClient?) {
    var client = try ControlClient.connect(site.state)
    var position: SpoolCopy.Position?
    if let server = client { position = try server.hold() }
    if position == nil { client = nil }
    do throws(SpoolError) {
      return (try SpoolCopy(site.spool, files: site.files, position: position), client)
    } catch {
      if error == .gone, client == nil { return (nil, nil) }
      throw Failure(Bytes("cannot read the spool"), error)
    }
  }

  private func read(_ holding: Holdings.Holding) throws(Failure) -> Bytes? {
    do throws(Errno) {
      return try Identity.asCaller { () throws(Errno) in
        try site.files.contents(holding.path, limit: Limits.accountsFile)
      }
    } catch {
      if error == .notFound { return nil }
      throw Failure("cannot read", holding.path, error)
    }
  }

  private func about(_ copy: SpoolCopy?) -> Bytes {
    var text = Bytes("A backup of ")
    text += site.configuration.device.hostName
    text += ", made "
    Moment.append(Clock.now, to: &text)
    text += " by "
    text += Help.version
    text.append(decimal: copy?.messages ?? 0)
    text += """
       messages, deleted ones that can be restored included. `restante backup restore`
      brings them back with the numbers they have; `sha256sum -c SHA256SUMS` in this
      directory looks whether all is as it was written.

      It holds the mail, the passwords' verifiers and the key of the certificate.

      """
    return text
  }

  // MARK: verify

  static func verify(_ invocation: Invocation, _ output: Output) throws(Failure) -> ExitCode {
    let path = try source(Path(invocation.operands[0]), Files())
    _ = try look(path, Files(), output)
    output.line("it is whole: all is as it was written")
    return .ok
  }

  /// The backup that is meant: the latest one in a directory.
  static func source(_ path: Path, _ files: Files) throws(Failure) -> Path {
    try Identity.asCaller { () throws(Failure) in
      guard (try? files.status(path))?.isDirectory == true else { return path }
      var best: (path: Path, status: FileStatus)?
      for name in (try? files.list(path)) ?? [] where name.count > 4 && name.suffix(4).elementsEqual(Bytes(".tar")) {
        let path = path.appending(name)
        guard let status = try? files.status(path), status.isRegular else { continue }
        if let best,
          (best.status.modified, best.status.modifiedNanoseconds) >= (status.modified, status.modifiedNanoseconds)
        {
          continue
        }
        best = (path, status)
      }
      guard let best else { throw Failure(.noInput, "there is no backup (*.tar) there") }
      return best.path
    }
  }

  /// Opens a backup, says what it is, and compares all of it with its sums.
  static func look(_ path: Path, _ files: Files, _ output: Output) throws(Failure) -> OpenArchive {
    let archive = try OpenArchive(path, files)
    var text = Bytes()
    text.append(shown: path.bytes.span, limit: 4096)
    text += ", "
    text.append(rounded: archive.reader.octets)
    output.line(text)
    if let about = try archive.reader.text("README"), let end = about.firstIndex(of: ASCII.lf) {
      text = Bytes()
      let first = Bytes(about[..<end])
      text.append(shown: first.span, limit: 200)
      output.line(text)
    }
    output.flush()
    try archive.reader.verify(Progress(archive.reader.octets, "  compared: ", output))
    return archive
  }
}

/// An archive that is open for reading.
final class OpenArchive {
  let reader: ArchiveReader
  private let file: Descriptor

  init(_ path: Path, _ files: Files) throws(Failure) {
    do throws(Errno) {
      file = try Identity.asCaller { () throws(Errno) in try files.open(path, .read) }
    } catch {
      throw Failure("cannot read", path, error, otherwise: .noInput)
    }
    reader = try ArchiveReader(file.number, path, files)
  }
}
