import Accounts
import Server
import Spool
import System
import Wire

extension AccountCommands {
  /// What an account holds; nil where its maildrop cannot be read.
  private struct Holding {
    var messages = 0
    var octets: Int64 = 0
    var deletedMessages = 0
    var deletedOctets: Int64 = 0
  }

  func list() throws(Failure) -> ExitCode {
    let list = try site.loadAccounts()
    for problem in list.problems { Complaint.write(problem.description) }
    var accounts = list.accounts
    if let word = invocation.operands.first {
      let name = try Site.name(word)
      guard let account = list.account(named: name) else { throw site.unknown(name, accounts.map { $0.name }) }
      accounts = [account]
    }
    if invocation.has(.json) {
      json(accounts)
    } else if accounts.isEmpty {
      output.line("there is no account yet; `restante account add NAME` makes one")
    } else {
      table(accounts)
    }
    return list.problems.isEmpty ? .ok : .data
  }

  private func holding(_ name: Bytes) -> Holding? {
    var holding = Holding()
    do throws(Failure) {
      guard let reader = try site.reader(name) else { return holding }
      for entry in reader.entries {
        if entry.state == .live {
          holding.messages += 1
          holding.octets += Int64(entry.octets)
        } else if entry.state == .deleted {
          holding.deletedMessages += 1
          holding.deletedOctets += Int64(entry.octets)
        }
      }
    } catch {
      Complaint.write(error.text)
      return nil
    }
    return holding
  }

  private func table(_ accounts: [Account]) {
    let width = max(16, min(38, accounts.reduce(0) { max($0, $1.name.count) }))
    var line = Bytes("NAME")
    line.pad(to: width)
    line += " MESSAGES   SIZE  QUOTA  DELETED   SIZE"
    output.line(line)
    for account in accounts {
      line = account.name
      line.pad(to: width)
      let holding = holding(account.name)
      line.append(right: 9, number(holding?.messages))
      line.append(right: 7, size(holding?.octets))
      line.append(right: 7, site.quota(of: account).map(size) ?? Bytes("none"))
      line.append(right: 9, number(holding?.deletedMessages))
      line.append(right: 7, size(holding?.deletedOctets))
      output.line(line)
    }
  }

  private func number(_ number: Int?) -> Bytes {
    var text = Bytes()
    if let number { text.append(decimal: number) } else { text += "?" }
    return text
  }

  private func size(_ octets: Int64?) -> Bytes {
    var text = Bytes()
    if let octets { text.append(rounded: octets) } else { text += "?" }
    return text
  }

  private func json(_ accounts: [Account]) {
    var json = JSON()
    json.beginObject()
    json.beginArray("accounts")
    for account in accounts {
      json.beginObject()
      json.add("name", account.name)
      if account.created > 0 { json.add("created", account.created) } else { json.addNull("created") }
      if let quota = site.quota(of: account) { json.add("quota", quota) } else { json.addNull("quota") }
      json.add("quotaIsDefault", account.quota == nil)
      let holding = holding(account.name)
      json.add("readable", holding != nil)
      json.add("messages", holding?.messages ?? 0)
      json.add("octets", holding?.octets ?? 0)
      json.beginObject("deleted")
      json.add("messages", holding?.deletedMessages ?? 0)
      json.add("octets", holding?.deletedOctets ?? 0)
      json.endObject()
      json.endObject()
    }
    json.endArray()
    json.endObject()
    output.line(json.text)
  }
}
