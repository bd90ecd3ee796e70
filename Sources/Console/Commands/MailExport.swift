import Spool
import System
import Wire

/// `mail export`.
struct MailExport {
  let site: Site
  let invocation: Invocation
  let output: Output

  func run() throws(Failure) -> ExitCode {
    let target = try MailboxTarget(invocation)
    let words = [Bytes](invocation.operands.dropFirst())
    let wanted = try Sequences(words)
    let name = try site.maildrop(invocation.operands[0])
    guard let reader = try site.reader(name) else {
      if !words.isEmpty { throw Failure(.data, Bytes("the maildrop of ") + name + Bytes(" has no messages")) }
      try export([], nil, name, target)
      return .ok
    }
    var code = ExitCode.ok
    for range in wanted.missing(from: reader.entries.map { $0.sequence }) {
      code = .data
      Complaint.write(MailShow.missing(range.lowerBound, name).text)
    }
    let selection = Selection(invocation)
    let chosen = reader.entries.filter { entry in
      if words.isEmpty { return selection.contains(entry) }
      // What was named by its number is meant, deleted or not.
      return wanted.contains(entry.sequence) && Selection.both.contains(entry)
    }
    if try export(chosen, reader, name, target) { return code }
    return .data
  }

  /// Returns whether all could be read.
  @discardableResult
  private func export(
    _ entries: [Entry], _ reader: MaildropReader?, _ name: Bytes, _ target: MailboxTarget
  ) throws(Failure) -> Bool {
    var exported = 0
    switch target {
    case .mbox(let path) where path.bytes.equals("-"):
      for entry in entries where try mbox(entry, reader, name, nil) { exported += 1 }
      return exported == entries.count
    case .mbox(let path):
      var unfinished = path.bytes
      unfinished += "."
      unfinished.append(decimal: Int(Process.identifier))
      unfinished += ".unfinished"
      let outlet = try Outlet(path, unfinished: Path(unfinished), site.files)
      for entry in entries where try mbox(entry, reader, name, outlet) { exported += 1 }
      try outlet.finish()
      do throws(Errno) {
        try Identity.asCaller { () throws(Errno) in try site.files.flushDirectory(path.directory) }
      } catch {
        throw Outlet.failure(path, error)
      }
    case .maildir(let path):
      let maildir = try MaildirWriter(path, site.files)
      for entry in entries where try self.maildir(entry, reader, name, maildir) { exported += 1 }
      try maildir.finish()
    }
    var text = Bytes("exported ")
    text.append(decimal: exported)
    text += exported == 1 ? " message of " : " messages of "
    text += name
    text += " to "
    text.append(shown: target.path.bytes.span, limit: 4096)
    output.line(text)
    return exported == entries.count
  }

  /// Runs `read` on a message. When it cannot be read, that is said, and the rest is exported all the same.
  private func attempt(_ read: () throws(Failure) -> Bool) -> Bool? {
    do throws(Failure) {
      return try read()
    } catch {
      Complaint.write(error.text)
      return nil
    }
  }

  /// Writes a message to `outlet` or standard output; one that breaks off is ended where it does. Returns whether it is
  /// whole.
  private func mbox(
    _ entry: Entry, _ reader: MaildropReader?, _ name: Bytes, _ outlet: Outlet?
  ) throws(Failure) -> Bool {
    var content: MessageContent?
    var chunk = Bytes()
    guard let reader,
      attempt({ () throws(Failure) in
        content = try MessageContent(entry, reader, name)
        return try content?.next(&chunk) ?? false
      }) == true
    else { return false }
    var writer = MboxWriter()
    var text = Bytes()
    let path = HeaderField.value("return-path", in: chunk.span) ?? Bytes()
    writer.begin(reversePath: path, received: Int64(entry.time), to: &text)
    var goesOn: Bool? = true
    while goesOn == true {
      writer.write(chunk.span, to: &text)
      if let outlet { try outlet.write(text) } else { output.write(text) }
      text.removeAll(keepingCapacity: true)
      goesOn = attempt { () throws(Failure) in try content?.next(&chunk) ?? false }
    }
    if goesOn == nil { text += "\n" }
    writer.end(&text)
    if let outlet { try outlet.write(text) } else { output.write(text) }
    return goesOn != nil
  }

  private func maildir(
    _ entry: Entry, _ reader: MaildropReader?, _ name: Bytes, _ maildir: MaildirWriter
  ) throws(Failure) -> Bool {
    var content: MessageContent?
    guard let reader,
      attempt({ () throws(Failure) in
        content = try MessageContent(entry, reader, name)
        return true
      }) == true
    else { return false }
    let outlet = try maildir.begin(received: Int64(entry.time), flags: entry.state == .deleted ? "T" : "")
    var wire = WireReader(lineEnd: .lf)
    var chunk = Bytes()
    var text = Bytes()
    while true {
      guard let goesOn = attempt({ () throws(Failure) in try content?.next(&chunk) ?? false }) else { return false }
      if !goesOn { break }
      text.removeAll(keepingCapacity: true)
      wire.read(chunk.span, into: &text)
      try outlet.write(text)
    }
    try outlet.finish()
    return true
  }
}

/// The file or directory that messages are copied to or from.
enum MailboxTarget {
  case mbox(Path)
  case maildir(Path)

  var path: Path {
    switch self {
    case .mbox(let path), .maildir(let path): path
    }
  }

  init(_ invocation: Invocation) throws(Failure) {
    switch (invocation.value(.mbox), invocation.value(.maildir)) {
    case (let file?, nil): self = .mbox(Path(file))
    case (nil, let directory?): self = .maildir(Path(directory))
    default: throw Failure(.usage, "say either --mbox FILE or --maildir DIR")
    }
  }
}
