import Accounts
import Spool
import System
import Wire

/// `mail move`: stored there first, deleted here then, one after the other.
struct MailMove {
  let site: Site
  let invocation: Invocation
  let output: Output

  func run() throws(Failure) -> ExitCode {
    let from = try site.maildrop(invocation.operands[0])
    let to = try Site.name(invocation.operands[1])
    let accounts = try site.loadAccounts()
    guard accounts.account(named: to) != nil else { throw site.unknown(to, accounts.accounts.map { $0.name }) }
    if from == to { throw Failure(.usage, "these are one and the same maildrop; nothing was changed") }
    let wanted = try Sequences([Bytes](invocation.operands.dropFirst(2)))
    let office = try Office(site)
    defer { office.close() }
    let reader = try site.reader(from)
    let live = (reader?.entries ?? []).filter { $0.state == .live }
    var code = ExitCode.ok
    for range in wanted.missing(from: live.map { $0.sequence }) {
      code = .data
      Complaint.write(MailShow.missing(range.lowerBound, from).text)
    }
    let parcel = Parcel(in: site.state, site.files)
    var moved = 0
    if let reader {
      for entry in live where wanted.contains(entry.sequence) {
        parcel.removeAll()
        var content = try MessageContent(entry, reader, from)
        var chunk = Bytes()
        while try content.next(&chunk) { try parcel.append(chunk) }
        try office.deliver(parcel, to: to, octets: Int(entry.octets), time: Int64(entry.time))
        try office.settle()
        try office.delete([entry.sequence], of: from)
        moved += 1
      }
    }
    var text = Bytes("moved ")
    text.append(decimal: moved)
    text += moved == 1 ? " message of " : " messages of "
    text += from
    text += " to "
    text += to
    output.line(text)
    return code
  }
}
