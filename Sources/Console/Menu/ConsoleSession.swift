import Server
import System
import Wire

/// What happens at the console, from the first Enter to the hang-up.
final class ConsoleSession {
  private let desk: Desk
  private let place: Place
  private let script: MenuScript
  private let pin: PIN
  private let shellPIN: PIN
  private let guesses: Guesses
  private let shellGuesses: Guesses
  /// Whether who sits there has said the PIN, or set it.
  private var isKnown = false
  /// Whether this is the device's console: root's.
  private let isRoot: Bool

  init(_ desk: Desk, _ place: Place, isRoot: Bool = Process.user == 0, script: StaticString = MenuText.all) {
    self.desk = desk
    self.place = place
    self.isRoot = isRoot
    self.script = MenuScript(script)
    pin = PIN(place: place, name: "console")
    shellPIN = PIN(place: place, name: "shell")
    guesses = Guesses(place, "console")
    shellGuesses = Guesses(place, "shell")
    try? place.files.ensureDirectory(place.runtime)
  }

  /// Goes on until nobody is there any more, or the console shall end.
  func run() -> Leaving {
    while true {
      isKnown = false
      desk.isPatient = true
      do throws(Leaving) {
        try begin()
        try work()
        if !isRoot { return .stop }
      } catch {
        switch error {
        case .hangUp, .stop: return error
        case .back, .menu: continue
        case .idle:
          if (try? desk.say(Bytes("\n\nNothing was typed for a while: the console is locked.\n"))) == nil {
            return .hangUp
          }
        }
      }
    }
  }

  // MARK: the lock

  /// Shows the head and waits for somebody who may go on.
  private func begin() throws(Leaving) {
    if !desk.isAsked { try desk.say(head()) }
    if !isRoot {
      try desk.say(
        Bytes(
          "\nYou are not root: accounts, network, updates and the like will be refused.\nSay `sudo restante console` for all of it.\n"
        ))
      desk.isPatient = false
      return
    }
    while pin.isSet {
      if try unlock() { return }
    }
    _ = try desk.askAtLock(Bytes("\nNo PIN is set on this console yet. Press Enter: "), secret: false)
    if pin.isSet { throw .menu }
    desk.isPatient = false
  }

  /// Asks for the PIN once.
  private func unlock() throws(Leaving) -> Bool {
    var seconds = guesses.wait
    if seconds > 0 {
      var text = Bytes("Wrong. The next PIN is taken in ")
      text.append(decimal: seconds)
      text += " s.\n"
      try desk.say(text)
      while seconds > 0 {
        try desk.pause(seconds: seconds)
        seconds = guesses.wait
      }
    }
    var answer = try desk.askAtLock(Bytes("\nPIN (? if it was forgotten): "), secret: true)
    defer { Crypto.cleanse(&answer) }
    if answer.isEmpty { throw .menu }
    if answer.count < Limits.pin, !answer.equals("?") {
      // What noise on the line makes is no guess.
      try desk.say(Bytes("That is too short for a PIN.\n"))
      return false
    }
    if answer.equals("?") {
      try forgotten()
      return false
    }
    let given = answer
    guard guesses.look({ pin.accepts(given) }) else { return false }
    isKnown = true
    desk.isPatient = false
    return true
  }

  /// The way in for who has forgotten the PIN: to be there, with a USB stick.
  private func forgotten() throws(Leaving) {
    try Dialogue(desk, script, builtin: perform).hold("forgotten")
  }

  /// Removes the PIN if somebody has put the stick in that says so.
  private func forget() throws(Leaving) -> Bool {
    let name = Bytes("restante-new-pin")
    var isThere = place.files.exists(place.stick.appending(name))
    for directory in (try? place.files.list(place.stick)) ?? [] {
      if place.files.exists(place.stick.appending(directory).appending(name)) { isThere = true }
    }
    guard isThere else {
      try desk.say(Bytes("There is no restante-new-pin on the stick.\n"))
      return false
    }
    return try desk.run([Bytes("pin"), Bytes("console"), Bytes("--remove")], input: nil, .paged) == 0
  }

  // MARK: work

  private func work() throws(Leaving) {
    let dialogue = Dialogue(desk, script, builtin: perform)
    var isFirst = true
    while true {
      do throws(Leaving) {
        let welcomes = isFirst
        isFirst = false
        if welcomes, isRoot, !isKnown, place.missingWhy == nil, !place.files.exists(place.firstBootDone) {
          try dialogue.hold("welcome")
        }
        return try dialogue.menu("main", isMain: true)
      } catch {
        guard case .menu = error else { throw error }
      }
    }
  }

  /// What the script asks of the console itself.
  private func perform(_ call: Bytes, _ answer: inout Bytes) throws(Leaving) -> Bool {
    let words = call.split(separator: ASCII.space).map { Bytes($0) }
    let what = words[0]
    if what.equals("head") {
      answer += head()
      answer += "\n"
    } else if what.equals("host") {
      answer += place.configuration.device.hostName
    } else if what.equals("domains") {
      for domain in place.configuration.device.domains {
        if !answer.isEmpty { answer.append(ASCII.space) }
        answer += domain
      }
    } else if what.equals("account") {
      // The first one is proposed; later there is nothing to propose.
      let accounts = place.configuration.device.stateDirectory.appending("accounts")
      if !place.files.exists(accounts) { answer += "office" }
    } else if what.equals("damage") {
      if Damage.isTold { answer += "y" }
    } else if what.equals("newpin") {
      return try forget()
    } else if what.equals("pin") {
      return try change(pin, guesses, Bytes("console"), asksBefore: isKnown)
    } else if what.equals("shellpin") {
      return try change(shellPIN, shellGuesses, Bytes("shell"), asksBefore: true)
    } else if what.equals("noshell") {
      return try check(shellPIN, shellGuesses, "PIN of the shell")
    } else if what.equals("shell") {
      guard shellPIN.isSet else {
        try desk.say(Bytes("There is no shell: set a PIN for it first.\n"))
        return false
      }
      guard try check(shellPIN, shellGuesses, "PIN of the shell") else { return false }
      try desk.say(Bytes("This is a shell with all rights. `exit` comes back here.\n"))
      try desk.shell()
    }
    return true
  }

  /// Whether who sits there knows a PIN.
  private func check(_ pin: PIN, _ guesses: Guesses, _ question: StaticString) throws(Leaving) -> Bool {
    guard pin.isSet else { return true }
    let seconds = guesses.wait
    if seconds > 0 { try desk.pause(seconds: seconds) }
    var answer = try desk.ask(Bytes(question) + Bytes(" (Enter to go back): "), secret: true, fresh: true)
    defer { Crypto.cleanse(&answer) }
    if answer.isEmpty { throw .back }
    let given = answer
    if guesses.look({ pin.accepts(given) }) { return true }
    try desk.say(Bytes("That is not the PIN.\n"))
    return false
  }

  /// Has a new PIN typed twice.
  private func change(_ pin: PIN, _ guesses: Guesses, _ name: Bytes, asksBefore: Bool) throws(Leaving) -> Bool {
    if asksBefore, pin.isSet, try !check(pin, guesses, "The PIN until now") { return false }
    while true {
      var question = Bytes("New PIN of the ") + name
      question += pin.isSet && !asksBefore ? " (Enter to keep the one there is): " : " (Enter to go back): "
      var first = try desk.ask(question, secret: true, fresh: true)
      defer { Crypto.cleanse(&first) }
      if first.isEmpty {
        if pin.isSet { return true }
        throw .back
      }
      if let problem = PIN.problem(first) {
        try desk.say(Bytes("Not taken: ") + Bytes(problem) + Bytes(".\n"))
        continue
      }
      var second = try desk.ask(Bytes("Once more: "), secret: true, fresh: true)
      defer { Crypto.cleanse(&second) }
      guard Crypto.equal(first, second) else {
        try desk.say(Bytes("The two are not the same.\n"))
        continue
      }
      // Before it is set, so that this session goes on.
      isKnown = true
      return try desk.run([Bytes("pin"), name, Bytes("--password-stdin")], input: first + [ASCII.lf], .paged) == 0
    }
  }

  // MARK: the head

  /// What is shown to everybody.
  private func head() -> Bytes {
    var text = Bytes("\n")
    if let why = place.missingWhy {
      text += "THE DATA PARTITION IS MISSING: "
      ScreenText(Printable(isUTF8: false)).appendLine(why, to: &text)
      text += """
        No mail is taken or handed out; senders are told to try again later. What is
        set now is forgotten at the next start. Here still work: status, network,
        journal, update, restart, power off, and the shell to look at the disk.

        """
    }
    text +=
      desk.capture([Bytes("status"), Bytes("--brief")])
      ?? Bytes("Restante: its state is not known, since the server does not answer.\n")
    return text
  }
}

extension ScreenText {
  fileprivate func appendLine(_ line: Bytes, to text: inout Bytes) {
    var line = line
    var screen = self
    screen.filter(&line)
    text += line
    if text.last != ASCII.lf { text.append(ASCII.lf) }
  }
}
