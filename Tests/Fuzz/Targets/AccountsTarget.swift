import Accounts
import System
import Wire

/// The accounts file: read, changed and read again. Nothing that cannot be read may be lost.
func fuzzAccounts(_ bytes: Bytes) {
  var input = Input(bytes)
  let change = input.octet()
  let text = input.remaining
  let file = Path("/accounts")
  let list = AccountList(text.span, file: file)
  check(list, lines: text.count { $0 == ASCII.lf } + 1)

  // Read and written without a change it stays what it was, but for the LF at its end.
  let ended = text.isEmpty || text.last == ASCII.lf ? text : text + [ASCII.lf]
  require(list.text == ended, "read and written again it is \(list.text.shown)")

  var names = list.accounts.map { $0.name }
  require(Set(names).count == names.count, "an account twice")
  names += list.damagedNames
  let name = names.isEmpty ? Bytes("zoe") : names[Int(change >> 2) % names.count]
  var changed = list
  do throws(AccountsError) {
    switch change & 3 {
    case 0: try changed.add(Account(name: name, verifier: someVerifier, quota: Int64(change) << 20, created: 1))
    case 1: try changed.remove(name)
    case 2: try changed.setVerifier(someVerifier, of: name)
    default: try changed.setQuota(change > 100 ? nil : .max, of: name)
    }
  } catch {
    require(changed.text == list.text, "changed although it failed")
    return
  }
  // What was wrong is told with the lines as they were.
  check(changed, lines: .max)
  let again = AccountList(changed.text.span, file: file)
  require(again.accounts == changed.accounts, "read again other accounts: \(changed.text.shown)")
  require(again.damagedNames == changed.damagedNames, "read again other damage: \(changed.text.shown)")
  for account in list.accounts where account.name != name {
    require(again.account(named: account.name) == account, "\(account.name.shown) is another now")
  }
  require((again.account(named: name) == nil) == (change & 3 == 1), "\(name.shown) is there, or is not")
}

/// A verifier of no known password.
let someVerifier: Verifier = {
  var text = Bytes("SCRAM-SHA-256$4096:")
  for (index, count) in [16, 32, 32].enumerated() {
    Base64.encode(Bytes(repeating: UInt8(7 + index), count: count).span, to: &text)
    if index < 2 { text += index == 0 ? "$" : ":" }
  }
  return Verifier(text.span)!
}()

private func check(_ list: AccountList, lines: Int) {
  check(list.problems, lines: lines)
  for account in list.accounts {
    require(Account.isName(account.name.span), "no name: \(account.name.shown)")
    var text = Bytes()
    account.verifier.append(to: &text)
    require(Verifier(text.span) == account.verifier, "a verifier that reads otherwise")
    require(account.quota ?? 0 >= 0, "a quota below zero")
  }
}

/// What is said of a file can be shown, and names a line of it. There is no end of lines, but one of problems.
/// `files` is how many things are complained of: each has an end of its own.
func check(_ problems: [Problem], lines: Int, files: Int = 1) {
  require(problems.count <= files * Limits.problems, "\(problems.count) problems")
  for problem in problems {
    require(problem.description.isDisplayable, "not to be shown: \(problem.description.shown)")
    require(problem.line >= 0 && problem.line <= lines, "line \(problem.line) of \(lines)")
    require(problem.text.count < 2000, "a long speech")
  }
}
