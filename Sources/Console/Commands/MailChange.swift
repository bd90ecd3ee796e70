import Server
import Spool
import System
import Wire

/// `mail delete`, `mail discard` and `mail restore`.
struct MailChange {
  let site: Site
  let invocation: Invocation
  let output: Output

  func delete() throws(Failure) -> ExitCode {
    try change(from: .live, to: "deleted ") { (office: Office, sequences: [UInt64], name: Bytes) throws(Failure) in
      try office.delete(sequences, of: name)
    }
  }

  func discard() throws(Failure) -> ExitCode {
    try change(from: nil, to: "discarded ") { (office: Office, sequences: [UInt64], name: Bytes) throws(Failure) in
      try office.discard(sequences, of: name)
    }
  }

  func restore() throws(Failure) -> ExitCode {
    try change(from: .deleted, to: "restored ") { (office: Office, sequences: [UInt64], name: Bytes) throws(Failure) in
      try office.restore(sequences, of: name)
    }
  }

  private func change(
    from state: Entry.State?, to done: StaticString, _ act: (Office, [UInt64], Bytes) throws(Failure) -> Void
  ) throws(Failure) -> ExitCode {
    let words = [Bytes](invocation.operands.dropFirst())
    let since = try self.since()
    let isAll = invocation.has(.all) || since != nil
    guard isAll != !words.isEmpty else {
      throw Failure(
        .usage,
        isAll
          ? "give either message numbers or --all or --since, not both"
          : "no message was named; give its SEQ as `restante mail list` shows it (5,7-9), or --all")
    }
    let wanted = try Sequences(words)
    let name = try site.maildrop(invocation.operands[0])
    // The spool is opened first: without a server, that is when the indexes become what the log says.
    let office = try Office(site)
    defer { office.close() }
    let entries = try site.reader(name)?.entries ?? []
    let code = complain(wanted, entries, name, state)
    let chosen = entries.filter { entry in
      guard entry.state == state || state == nil && Selection.both.contains(entry) else { return false }
      return isAll ? Int64(entry.deletedAt) >= since ?? .min : wanted.contains(entry.sequence)
    }
    if !chosen.isEmpty { try act(office, chosen.map { $0.sequence }, name) }
    var text = Bytes(done)
    text.append(decimal: chosen.count)
    text += chosen.count == 1 ? " message of " : " messages of "
    text += name
    if state == .live, !chosen.isEmpty {
      text += "\n`restante mail restore "
      text += name
      text += " SEQ...` brings back what is needed after all"
    }
    output.line(text)
    return code
  }

  private func since() throws(Failure) -> Int64? {
    guard let text = invocation.value(.since) else { return nil }
    if let moment = Moment.parse(text, now: Clock.now) { return moment }
    var why = Bytes()
    why.append(quoted: text.span)
    why += " is no time; it is 2h or 3d (ago), 2026-05-31, or \"2026-05-31 18:00\""
    throw Failure(.usage, why)
  }

  /// Names what was asked for and cannot be; the rest is done all the same.
  private func complain(_ wanted: Sequences, _ entries: [Entry], _ name: Bytes, _ state: Entry.State?) -> ExitCode {
    var code = ExitCode.ok
    for range in wanted.missing(from: entries.map { $0.sequence }) {
      code = .data
      if range.count == 1 {
        Complaint.write(MailShow.missing(range.lowerBound, name).text)
      } else {
        var text = Bytes("there is no message from ")
        text.append(decimal: range.lowerBound)
        text += " to "
        text.append(decimal: range.upperBound)
        text += " in the maildrop of "
        text += name
        Complaint.write(text)
      }
    }
    for entry in entries where entry.state != state && wanted.contains(entry.sequence) {
      switch entry.state {
      case .live, .deleted:
        if state == nil { continue }
        var text = Bytes("message ")
        text.append(decimal: entry.sequence)
        text += entry.state == .live ? " waits already" : " was deleted already"
        Complaint.write(text)
      case .purged, .reclaimed:
        code = .data
        Complaint.write(MailShow.purged(entry.sequence, name).text)
      }
    }
    return code
  }
}
