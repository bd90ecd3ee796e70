import System
import Wire

/// A desk with a terminal on it.
final class TerminalDesk: Desk {
  private let terminal: SerialTerminal
  private let signals: Signals
  private var poll: Poll
  private var editor: LineEditor
  /// What was typed and not looked at yet.
  private var typed = Bytes()
  /// When somebody last typed something.
  private var lastTyped = Clock.monotonic
  /// What the program's commands are called with besides.
  private let common: [Bytes]
  /// Commands that go on by themselves, and who reads what they say.
  private var leftover: [RunningCommand] = []
  /// Whether it has a terminal of its own, and so may leave it to a smaller program while nobody is there.
  private let mayRest: Bool
  /// Whether it comes back from that, and what was typed is the answer to what it had asked.
  private var hasRested: Bool

  private static let ofTerminal: UInt64 = 0
  private static let ofSignals: UInt64 = 1
  private static let ofOutput: UInt64 = 2
  private static let ofEnd: UInt64 = 3

  /// - Parameters:
  ///   - device: the terminal; nil for the one on standard input.
  ///   - common: options for each command.
  init(_ device: Path?, common: [Bytes]) throws(Errno) {
    terminal = try SerialTerminal(device)
    signals = try Signals()
    poll = try Poll()
    try poll.add(terminal.number, .read, token: Self.ofTerminal)
    try poll.add(signals.number, .read, token: Self.ofSignals)
    editor = LineEditor(isUTF8: Printable.locale.isUTF8)
    self.common = common
    mayRest = device != nil
    hasRested = SerialTerminal.hasRested
  }

  // MARK: waiting

  /// What can go on.
  private struct Ready {
    var terminal = false
    var output = false
    var end = false
  }

  /// Waits for what is watched, `milliseconds` at most; signals and a line that was hung up end it.
  private func wait(_ milliseconds: Int64) throws(Leaving) -> Ready {
    var ready = Ready()
    var isHungUp = false
    var hasSignal = false
    do throws(Errno) {
      try poll.wait(milliseconds: Int(clamping: milliseconds)) { token, events in
        switch token {
        case Self.ofTerminal:
          ready.terminal = true
          if events.contains(.hangUp) { isHungUp = true }
        case Self.ofSignals: hasSignal = true
        case Self.ofOutput: ready.output = true
        default: ready.end = true
        }
      }
    } catch {
      throw .hangUp
    }
    while hasSignal, let signal = signals.next() {
      switch signal {
      case .terminate: throw .stop
      case .reload: isHungUp = true
      default: break
      }
    }
    if isHungUp { throw .hangUp }
    return ready
  }

  /// Reads what was typed.
  private func read() throws(Leaving) {
    let octets: Bytes
    do throws(Errno) { octets = try terminal.read(count: 256) } catch { throw .hangUp }
    if octets.isEmpty { return }
    lastTyped = Clock.monotonic
    // So much typed ahead is noise, but for a Ctrl-C in it.
    if typed.count > 2048 { typed = typed.contains(0x03) ? [0x03] : [] }
    typed += octets
  }

  // MARK: showing

  override func say(_ text: Bytes) throws(Leaving) {
    var out = Bytes()
    for octet in text {
      if octet == ASCII.lf { out.append(ASCII.cr) }
      out.append(octet)
    }
    try write(out)
  }

  /// Writes what the terminal takes as it is. Where it takes nothing for a long time, nobody is there.
  private func write(_ text: Bytes) throws(Leaving) {
    var done = 0
    var last = Clock.monotonic
    while done < text.count {
      do throws(Errno) {
        let count = try terminal.write(text.span.extracting(done...))
        done += count
        if count > 0 {
          last = Clock.monotonic
          continue
        }
        // It is read, too: where octets pile up before the terminal, no XON gets through to it.
        try poll.change(terminal.number, [.read, .write], token: Self.ofTerminal)
      } catch {
        throw .hangUp
      }
      defer { try? poll.change(terminal.number, .read, token: Self.ofTerminal) }
      // A pseudo-terminal does not always tell that there is room again.
      if try wait(50).terminal { try read() }
      if Clock.monotonic - last > Limits.consoleStall * 1000 {
        terminal.dropOutput()
        throw .hangUp
      }
    }
  }

  // MARK: asking

  override var isAsked: Bool { hasRested }

  override func askAtLock(_ question: Bytes, secret: Bool) throws(Leaving) -> Bytes {
    if hasRested {
      hasRested = false
    } else {
      try dropTyped()
      try say(question)
      leftover.removeAll { $0.hasEnded }
      // Two consoles that wait would take as much memory as the server.
      if mayRest, typed.isEmpty, leftover.isEmpty { terminal.rest() }
    }
    return try answer(to: question, secret: secret)
  }

  override func ask(_ question: Bytes, secret: Bool, fresh: Bool) throws(Leaving) -> Bytes {
    if fresh { try dropTyped() }
    try say(question)
    return try answer(to: question, secret: secret)
  }

  /// Forgets what was typed; only a Ctrl-C still counts.
  private func dropTyped() throws(Leaving) {
    if try wait(0).terminal { try read() }
    let isInterrupted = typed.contains(0x03)
    terminal.dropInput()
    typed.removeAll()
    if isInterrupted {
      try say(Bytes("^C\n"))
      throw .menu
    }
  }

  private func answer(to question: Bytes, secret: Bool) throws(Leaving) -> Bytes {
    editor.clear()
    editor.echo = secret ? .stars : .plain
    while true {
      switch try key() {
      case .line(let line): return line
      case .interrupt: throw .menu
      case .end: throw .back
      case .tooLong:
        try say(Bytes("That line was too long; nothing was done with it.\n"))
        try say(question)
      }
    }
  }

  private func key() throws(Leaving) -> LineEditor.Key {
    while true {
      var shown = Bytes()
      var key: LineEditor.Key?
      var taken = 0
      while key == nil, taken < typed.count {
        key = editor.take(typed[taken], &shown)
        taken += 1
      }
      typed.removeSubrange(..<taken)
      try write(shown)
      if let key { return key }
      // While it was written, more may have been typed.
      if !typed.isEmpty { continue }
      let left = lastTyped + Limits.consoleIdle * 1000 - Clock.monotonic
      if !isPatient, left <= 0 { throw .idle }
      if try wait(isPatient ? 60_000 : left).terminal { try read() }
    }
  }

  override func pause(seconds: Int) throws(Leaving) {
    hasRested = false
    let end = Clock.monotonic + Int64(seconds) * 1000
    while Clock.monotonic < end {
      if try wait(end - Clock.monotonic).terminal { try read() }
      typed.removeAll()
    }
  }

  // MARK: commands

  override func capture(_ words: [Bytes]) -> Bytes? {
    guard let answer = try? ChildProcess.ask([ChildProcess.ownProgram] + words + common, milliseconds: 5000),
      answer.code == 0
    else { return nil }
    return answer.text
  }

  override func run(_ words: [Bytes], input: Bytes?, _ showing: Showing) throws(Leaving) -> Int32 {
    leftover.removeAll { $0.hasEnded }
    let command: RunningCommand
    do throws(Errno) {
      command = try RunningCommand([ChildProcess.ownProgram] + words + common, input: input)
    } catch {
      try say(Bytes("This cannot be done now: ") + error.text + Bytes(".\n"))
      return 1
    }
    do throws(Leaving) {
      return try follow(command, showing)
    } catch {
      poll.remove(command.output)
      poll.remove(command.end.number)
      // Nobody waits for the end of what has none.
      if showing == .following { command.child.endSession() } else { command.leave() }
      leftover.append(command)
      throw error
    }
  }

  /// Shows what a command says until it ends; returns how it ended.
  private func follow(_ command: RunningCommand, _ showing: Showing) throws(Leaving) -> Int32 {
    guard (try? poll.add(command.output, .read, token: Self.ofOutput)) != nil,
      (try? poll.add(command.end.number, .read, token: Self.ofEnd)) != nil
    else { throw .menu }
    var screen = ScreenText(Printable.locale)
    var pager = Pager()
    var all = Bytes()
    var hasEnded = false
    var isShown = showing != .quiet
    var isPatient = showing == .following
    while true {
      if !typed.isEmpty { try typedMeanwhile(command, showing) }
      // Once it has ended, what is in the pipe is read and nobody waited for who may still hold its other end.
      let ready = try wait(hasEnded ? 0 : isPatient ? 60_000 : 10_000)
      if ready.terminal { try read() }
      if ready.output {
        var text = (try? Process.read(command.output, count: 4096)) ?? Bytes()
        if text.isEmpty {
          poll.remove(command.output)
          if hasEnded { break }
        }
        screen.filter(&text)
        if showing == .quiet { all += text }
        isPatient = true
        if isShown {
          pager.add(text)
          isShown = try show(&pager, asking: showing == .paged)
          if !isShown { pager = Pager() }
        }
      } else if hasEnded {
        break
      } else if !ready.end, !ready.terminal, !isPatient {
        isPatient = true
        try say(Bytes("(This takes a while. Ctrl-C goes back to the menu; the work goes on.)\n"))
      }
      if ready.end {
        hasEnded = true
        poll.remove(command.end.number)
      }
    }
    poll.remove(command.output)
    let code = (try? command.child.wait()) ?? 1
    if showing == .quiet, code != 0 { try say(all) }
    var end = Bytes()
    pager.finish(&end)
    try write(end)
    return code
  }

  /// Shows what fits on a page, and asks whether to go on; false when somebody has seen enough.
  private func show(_ pager: inout Pager, asking: Bool) throws(Leaving) -> Bool {
    while !pager.isEmpty {
      var shown = Bytes()
      let hasMore = pager.page(&shown)
      try write(shown)
      if !hasMore { break }
      pager.turn()
      if asking {
        let answer = try ask(Bytes("-- Enter for more, q to stop: "), secret: false, fresh: false)
        if !answer.isEmpty { return false }
      }
    }
    return true
  }

  /// What was typed before a command or while it runs: Ctrl-C leaves it, any key ends one that is followed. The rest is
  /// for what comes after it.
  private func typedMeanwhile(_ command: RunningCommand, _ showing: Showing) throws(Leaving) {
    if typed.contains(0x03) {
      typed.removeAll()
      try say(Bytes("^C\n"))
      if showing != .following {
        try say(Bytes("Back to the menu. What was begun goes on; how it ends will not be shown.\n"))
      }
      throw .menu
    }
    guard showing == .following else { return }
    // The LF of the CRLF that began it may come late.
    if editor.followsReturn, typed.first == ASCII.lf { typed.removeFirst() }
    editor.followsReturn = false
    if typed.contains(where: { $0 != 0 }) { command.child.endSession() }
    typed.removeAll()
  }

  // MARK: the shell

  override func shell() throws(Leaving) {
    var leaving: Leaving?
    var failure: Errno?
    do throws(Errno) {
      leaving = try terminal.lend { (number: Int32) throws(Errno) -> Leaving? in
        let child = try ChildProcess([Bytes("/bin/sh")], input: number, output: number, error: number)
        let end = try child.endDescriptor()
        poll.remove(terminal.number)
        try poll.add(end.number, .read, token: Self.ofEnd)
        defer {
          poll.remove(end.number)
          try? poll.add(terminal.number, .read, token: Self.ofTerminal)
        }
        let leaving = attend(child)
        if leaving != nil { child.end(atOnce: true) }
        _ = try child.wait()
        return leaving
      }
    } catch {
      failure = error
    }
    lastTyped = Clock.monotonic
    if let leaving { throw leaving }
    if let failure { try say(Bytes("There is no shell: ") + failure.text + Bytes(".\n")) }
  }

  /// Waits for a shell to end: nil. Or until it has stood at its prompt for as long as the console may be idle, or nobody
  /// is there any more.
  private func attend(_ shell: borrowing ChildProcess) -> Leaving? {
    var lastRead = terminal.lastRead
    var since = Clock.monotonic
    while true {
      do throws(Leaving) {
        if try wait(60_000).end { return nil }
      } catch {
        return error
      }
      if terminal.lastRead != lastRead || !terminal.isInFront(shell) {
        lastRead = terminal.lastRead
        since = Clock.monotonic
      } else if Clock.monotonic - since >= Limits.consoleIdle * 1000 {
        return .idle
      }
    }
  }
}
