import System
import Wire

/// Puts messages into a Maildir: each written in `tmp`, flushed, and then named in `new`, or in `cur` when it has flags.
final class MaildirWriter {
  private let directory: Path
  private let files: Files
  private let host: Bytes
  private let process: Int32
  private var delivered = 0

  /// Uses the Maildir `directory`, or makes it. Refuses a directory that holds something else.
  init(_ directory: Path, _ files: Files) throws(Failure) {
    self.directory = directory
    self.files = files
    // Slashes and colons have a meaning in the names: maildir(5).
    var host = Bytes()
    for octet in Process.hostName {
      switch octet {
      case 0x2F: host += "\\057"
      case 0x3A: host += "\\072"
      case 0x2C: host += "\\054"
      default: host.append(octet)
      }
    }
    self.host = host
    process = Process.identifier
    do throws(Errno) {
      try Identity.asCaller { () throws(Errno) in try MaildirWriter.prepare(directory, files) }
    } catch {
      if error == .exists {
        var text = Bytes()
        text.append(shown: directory.bytes.span, limit: 4096)
        text += " holds something else than a Maildir and was not touched; choose another name"
        throw Failure(.cannotCreate, text)
      }
      throw Failure("cannot make the Maildir", directory, error, otherwise: .cannotCreate)
    }
  }

  private static func prepare(_ directory: Path, _ files: Files) throws(Errno) {
    if files.exists(directory) {
      let names = try files.list(directory)
      if !names.isEmpty, !names.contains(Bytes("cur")) || !names.contains(Bytes("new")) { throw .exists }
    }
    try files.ensureDirectory(directory)
    for part in ["tmp", "new", "cur"] as [StaticString] { try files.ensureDirectory(directory.appending(part)) }
  }

  /// Begins a message that was received then. When it is written, `finish` it.
  ///
  /// - Parameter flags: as maildir(5) has them, in the order of the alphabet; with none the message is a new one.
  func begin(received: Int64, flags: StaticString) throws(Failure) -> Outlet {
    delivered += 1
    var name = Bytes()
    name.append(decimal: Int(received))
    name += ".M"
    name.append(decimal: Int(Clock.monotonic % 1_000_000))
    name += "P"
    name.append(decimal: Int(process))
    name += "Q"
    name.append(decimal: delivered)
    name += "."
    name += host
    let unfinished = directory.appending("tmp").appending(name)
    if flags.utf8CodeUnitCount == 0 {
      return try Outlet(directory.appending("new").appending(name), unfinished: unfinished, files)
    }
    name += ":2,"
    name += flags
    return try Outlet(directory.appending("cur").appending(name), unfinished: unfinished, files)
  }

  /// Returns when the names of all messages are on the disk.
  func finish() throws(Failure) {
    do throws(Errno) {
      try Identity.asCaller { () throws(Errno) in
        try files.flushDirectory(directory.appending("new"))
        try files.flushDirectory(directory.appending("cur"))
      }
    } catch {
      throw Outlet.failure(directory, error)
    }
  }
}
