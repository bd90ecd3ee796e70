import Accounts
import Server
import Spool
import System
import Wire

/// `mail import`.
final class MailImport {
  private let site: Site
  private let invocation: Invocation
  private let output: Output
  private let name: Bytes
  private let office: Office
  private let parcel: Parcel
  private var stuffer = DotStuffer(bareNewline: .normalize)
  /// What the stuffer made of the last piece.
  private var stuffed = Bytes()
  private var left = 0

  /// Octets of the largest message: what a request to the server can say.
  private static let largest = Int64(Int32.max)
  /// Octets read at a time.
  private static let chunk = 64 * 1024

  private init(_ site: Site, _ invocation: Invocation, _ output: Output, _ name: Bytes) throws(Failure) {
    self.site = site
    self.invocation = invocation
    self.output = output
    self.name = name
    office = try Office(site)
    parcel = Parcel(in: site.state, site.files)
  }

  static func run(_ site: Site, _ invocation: Invocation, _ output: Output) throws(Failure) -> ExitCode {
    let target = try MailboxTarget(invocation)
    let name = try Site.name(invocation.operands[0])
    let accounts = try site.loadAccounts()
    guard accounts.account(named: name) != nil else { throw site.unknown(name, accounts.accounts.map { $0.name }) }
    // What is to be read is opened first: a slip in its name is the most likely mistake.
    switch target {
    case .mbox(let path):
      let file = try open(path, site.files)
      let command = try MailImport(site, invocation, output, name)
      defer { command.office.close() }
      return try command.end { () throws(Failure) in try command.mbox(file.number, path) }
    case .maildir(let path):
      let maildir = try MaildirReader(path, site.files)
      let command = try MailImport(site, invocation, output, name)
      defer { command.office.close() }
      return try command.end { () throws(Failure) in try command.maildir(maildir) }
    }
  }

  private static func open(_ path: Path, _ files: Files) throws(Failure) -> Descriptor {
    do throws(Errno) {
      return try Identity.asCaller { () throws(Errno) in
        path.bytes.equals("-") ? try Streams.duplicate(0) : try files.open(path, .read)
      }
    } catch {
      throw Failure("cannot read", path, error, otherwise: .noInput)
    }
  }

  /// Imports, and tells how much of it was done whatever happened.
  private func end(_ body: () throws(Failure) -> Void) throws(Failure) -> ExitCode {
    var failure: Failure?
    do throws(Failure) { try body() } catch { failure = error }
    do throws(Failure) { try office.settle() } catch { failure = failure ?? error }
    let imported = office.stored
    var text = Bytes("imported ")
    text.append(decimal: imported)
    text += imported == 1 ? " message for " : " messages for "
    text += name
    if left > 0 {
      text += "; "
      text.append(decimal: left)
      text += " left out"
    }
    if failure == nil || imported > 0 { output.line(text) }
    if let failure { throw failure }
    return left > 0 ? .data : .ok
  }

  // MARK: sources

  private func mbox(_ file: Int32, _ path: Path) throws(Failure) {
    var reader = MboxReader()
    var hasBegun = false
    var received: Int64?
    var number = 0
    var isWhole = true
    func take(_ effect: MboxReader.Effect, _ content: Bytes) throws(Failure) {
      if hasBegun, isWhole, !content.isEmpty { isWhole = try append(content) }
      switch effect {
      case .more: break
      case .begin(let time):
        if hasBegun { try store(received, Path("message"), number, isWhole) }
        (hasBegun, received, isWhole) = (true, time, true)
        number += 1
        begin()
      case .notMbox:
        var text = Bytes()
        text.append(shown: path.bytes.span, limit: 4096)
        text += " is no mbox file: it does not begin with a line \"From sender date\". Nothing was imported"
        throw Failure(.data, text)
      }
    }
    while true {
      let chunk: Bytes
      do throws(Errno) {
        chunk = try Process.read(file, count: MailImport.chunk)
      } catch {
        throw Failure("cannot read", path, error)
      }
      if chunk.isEmpty { break }
      var index = 0
      while index < chunk.count {
        var content = Bytes()
        let (consumed, effect) = reader.read(chunk.span.extracting(index...), into: &content)
        index += consumed
        try take(effect, content)
      }
    }
    var content = Bytes()
    try take(reader.finish(&content), content)
    if hasBegun { try store(received, Path("message"), number, isWhole) }
  }

  private func maildir(_ maildir: MaildirReader) throws(Failure) {
    for message in maildir.messages {
      begin()
      var isWhole = true
      var failure: Failure?
      do throws(Errno) {
        try forEachChunk(message.path) { chunk in
          do throws(Failure) { isWhole = try append(chunk) } catch { failure = error }
          return isWhole && failure == nil
        }
      } catch {
        leaveOut(message.path, 0, Bytes("cannot be read: ") + error.text)
        continue
      }
      if let failure { throw failure }
      try store(message.received, message.path, 0, isWhole)
    }
  }

  /// Calls `body` with a file's content in pieces until it returns false.
  private func forEachChunk(_ path: Path, _ body: (Bytes) -> Bool) throws(Errno) {
    let file = try Identity.asCaller { () throws(Errno) in
      // Opening a pipe would wait for its other end.
      guard try site.files.status(path).isRegular else { throw .invalid }
      return try site.files.open(path, .read)
    }
    while true {
      let chunk = try Process.read(file.number, count: MailImport.chunk)
      if chunk.isEmpty || !body(chunk) { return }
    }
  }

  // MARK: one message

  private func begin() {
    parcel.removeAll()
    stuffer = DotStuffer(bareNewline: .normalize)
  }

  /// Returns false when the message is too large to be taken.
  private func append(_ content: Bytes) throws(Failure) -> Bool {
    if parcel.count + Int64(content.count) > MailImport.largest - 1024 { return false }
    stuffed.removeAll(keepingCapacity: true)
    stuffer.append(content.span, to: &stuffed)
    try parcel.append(stuffed)
    return true
  }

  /// Stores what was collected, as received then, or when its Date field says.
  private func store(_ received: Int64?, _ path: Path, _ number: Int, _ isWhole: Bool) throws(Failure) {
    guard isWhole else { return leaveOut(path, number, Bytes("is larger than 2 GiB")) }
    var time = received
    stuffed.removeAll(keepingCapacity: true)
    stuffer.finish(&stuffed)
    try parcel.append(stuffed)
    if time == nil {
      var beginning = Bytes()
      try parcel.readBeginning(&beginning)
      time = HeaderField.value("date", in: beginning.span).flatMap { DateParser.rfc5322($0.span) }
    }
    try office.deliver(parcel, to: name, octets: stuffer.octets, time: arrival(time))
  }

  /// When a message counts as received. Where mail expires, old mail would be deleted as soon as it is here: there it
  /// counts from now.
  private func arrival(_ time: Int64?) -> Int64 {
    let now = Clock.now
    guard let time, time >= 0, time <= now, site.configuration.spool.expireAfter == nil else { return now }
    return min(time, Int64(UInt32.max))
  }

  private func leaveOut(_ path: Path, _ number: Int, _ why: Bytes) {
    left += 1
    var text = Bytes("left out ")
    text.append(shown: path.bytes.span, limit: 4096)
    if number > 0 {
      text += " "
      text.append(decimal: number)
    }
    text += ", which "
    text += why
    Complaint.write(text)
  }
}
