import Server
import System
import Testing
import Wire

@testable import Console

struct ConsoleSessionTests {
  /// A device of its own, without a terminal.
  struct Device {
    let directory: Path
    var place: Place

    init(_ directory: Path) throws {
      self.directory = directory
      let file = directory.appending("restante.conf")
      let state = directory.appending("state")
      var text = octets("[Device]\nHostName=mail.office.example\nStateDirectory=")
      text += state.bytes
      try Files().replace(file, with: text + octets("\n"))
      place = Place(file.bytes, runtime: directory.appending("run"))
      place.missing = directory.appending("missing")
      place.stick = directory.appending("stick")
    }

    var pin: PIN { PIN(place: place, name: "console") }

    func finishFirstBoot() throws {
      try Files().ensureDirectory(place.device)
      try Files().replace(place.firstBootDone, with: [])
    }

    /// A desk whose `pin` commands do what they say.
    func desk(_ answers: String...) -> ScriptedDesk {
      let desk = ScriptedDesk(answers)
      desk.says = [("status|--brief", "THE HEAD\n"), ("account|propose", "open-sesame")]
      return desk
    }

    @discardableResult
    func run(_ desk: ScriptedDesk, isRoot: Bool = true) -> Leaving {
      ConsoleSession(desk, place, isRoot: isRoot).run()
    }
  }

  static func withDevice(_ body: (inout Device) throws -> Void) throws {
    try MaildirTests.withDirectory { directory in
      var device = try Device(directory)
      try body(&device)
    }
  }

  @Test("Nobody does anything before the PIN, but everybody sees how the device is")
  func locked() throws {
    try Self.withDevice { device in
      try device.finishFirstBoot()
      try device.pin.set(octets("2468"))
      let desk = device.desk("", "1", "10", "q", "^C", "^D", "24680", "2468", "2", "q")
      device.run(desk)
      #expect(desk.commands == ["status", "refusals"], "only after the PIN: \(desk.shown)")
      #expect(desk.shown.hasPrefix("\nTHE HEAD\n"))
      #expect(!desk.shown.contains("2468"))
    }
  }

  @Test("Wrong guesses wait longer and longer, in this session and the next; short noise is none")
  func guesses() throws {
    try Self.withDevice { device in
      try device.finishFirstBoot()
      try device.pin.set(octets("2468"))
      let noise = device.desk("1", "xy", "")
      device.run(noise)
      #expect(noise.paused == 0)
      #expect(Guesses(device.place, "console").wait == 0)
      let guesses = Guesses(device.place, "console")
      #expect(!guesses.look { false })
      let first = guesses.wait
      #expect((0...1).contains(first))
      // Another console's, at once: it is not even looked at.
      var wasLookedAt = false
      #expect(
        !Guesses(device.place, "console").look {
          wasLookedAt = true
          return true
        })
      #expect(!wasLookedAt)
    }
  }

  @Test("Each wrong guess doubles the wait, up to a minute; a right one ends it")
  func doubling() throws {
    try Self.withDevice { device in
      try Files().ensureDirectory(device.place.runtime)
      let file = device.place.runtime.appending("console.guesses")
      for (count, wait) in [(0, 1), (1, 2), (2, 4), (5, 32), (6, 60), (40, 60), (1_000_000_000, 60)] {
        try Files().replace(file, with: octets("\(count) 0\n"))
        let guesses = Guesses(device.place, "console")
        #expect(!guesses.look { false })
        #expect((wait - 1...wait).contains(Guesses(device.place, "console").wait), "after \(count)")
      }
      try Files().replace(file, with: octets("7 0\n"))
      #expect(Guesses(device.place, "console").look { true })
      #expect(Guesses(device.place, "console").wait == 0)
      #expect(try Files().contents(file, limit: 100).text.hasPrefix("0 0"))
      // What was left by a clock before a restart shuts nobody out.
      try Files().replace(file, with: octets("3 99999999999999\n"))
      #expect(Guesses(device.place, "console").wait <= Limits.consoleGuessDelay)
      try Files().replace(file, with: octets("garbage"))
      #expect(Guesses(device.place, "console").wait == 0)
    }
  }

  @Test("PINs that everybody tries first, and those that are short, are not taken")
  func badPINs() throws {
    for bad in ["", "1", "123", "1234", "123456", "0000", "999999", "abcd"] {
      #expect(PIN.problem(octets(bad)) != nil, "\(bad)")
    }
    for good in ["2468", "1235", "4321", "open sesame"] { #expect(PIN.problem(octets(good)) == nil, "\(good)") }
    try Self.withDevice { device in
      #expect(!device.pin.accepts(octets("2468")))
      try device.pin.set(octets("2468"))
      #expect(device.pin.accepts(octets("2468")))
      #expect(!device.pin.accepts(octets("2469")))
      #expect(!device.pin.accepts([]))
      let file = device.place.pin("console")
      #expect(try Files().status(file).mode == 0o600)
      #expect(!(try Files().contents(file, limit: 1000).contains("2468")))
      try Files().replace(file, with: octets("SCRAM-SHA-256$damaged\n"))
      #expect(device.pin.isSet && !device.pin.accepts([]) && !device.pin.accepts(octets("2468")))
    }
  }

  @Test("The first boot takes Enter for every answer but the PIN, and ends with the settings")
  func firstBoot() throws {
    try Self.withDevice { device in
      let place = device.place
      let desk = device.desk("", "", "", "", "", "", "2468", "2468", "", "")
      desk.onRun = { command throws(Leaving) in
        if command.hasPrefix("pin|console") { try? PIN(place: place, name: "console").set(octets("2468")) }
      }
      device.run(desk)
      #expect(
        desk.commands == [
          "setup|--host-name|mail.office.example|--domain|mail.office.example", "network|show", "clock|show",
          "pin|console|--password-stdin<2468>", "account|add|office|--password-stdin<open-sesame>", "self-test",
          "setup|--done", "account|sheet|office",
        ], "\(desk.shown)")
      #expect(desk.shown.contains("open-sesame"))
      #expect(desk.shown.contains("Main menu"))
    }
  }

  @Test("The first boot can be left anywhere and begun again, and asks again for what was refused")
  func firstBootAgain() throws {
    try Self.withDevice { device in
      let desk = device.desk("", "", "bad name", "", "good.example", "", "^C", "1", "", "", "k", ".", "q")
      desk.ends = [("setup|--host-name|bad name", 65)]
      device.run(desk)
      #expect(desk.commands.filter { $0.hasPrefix("setup") }.count == 3)
      #expect(desk.shown.contains("Nothing more was done."))
    }
  }

  @Test("An idle console locks, and what was under way there is not gone on with")
  func idle() throws {
    try Self.withDevice { device in
      try device.finishFirstBoot()
      try device.pin.set(octets("2468"))
      let desk = device.desk("2468", "3", "6", "anna", "d", "(idle)", "remove", "1")
      device.run(desk)
      #expect(!desk.commands.contains { $0.hasPrefix("account|remove") })
      #expect(desk.shown.contains("the console is locked"))
    }
  }

  @Test("A hang-up in the middle of anything ends the session")
  func hangUp() throws {
    try Self.withDevice { device in
      try device.finishFirstBoot()
      try device.pin.set(octets("2468"))
      let desk = device.desk("2468", "2", "never typed")
      desk.onRun = { _ throws(Leaving) in throw .hangUp }
      if case .hangUp = device.run(desk) {} else { Issue.record("it goes on") }
      #expect(desk.answers == ["never typed"])
    }
  }

  @Test("Without a PIN there is no shell, and with one only for who knows it; changing it takes it, too")
  func shell() throws {
    try Self.withDevice { device in
      try device.finishFirstBoot()
      try device.pin.set(octets("2468"))
      let desk = device.desk("2468", "10", "1")
      device.run(desk)
      #expect(desk.shells == 0 && desk.shown.contains("There is no shell"))
      let place = device.place
      try PIN(place: place, name: "shell").set(octets("1357"))
      let wrong = device.desk("2468", "10", "1", "2468", "2", "", "3", "2468")
      device.run(wrong)
      #expect(wrong.shells == 0 && !wrong.commands.contains { $0.hasPrefix("pin") })
      try Files().remove(place.runtime.appending("shell.guesses"))
      let right = device.desk("2468", "10", "1", "1357", "2", "1357", "9753", "9753", "3", "1357")
      device.run(right)
      #expect(right.shells == 1)
      #expect(right.commands == ["pin|shell|--password-stdin<9753>", "pin|shell|--remove"])
    }
  }

  @Test("Who forgot the PIN gets on with a stick that says so, and not without")
  func forgotten() throws {
    try Self.withDevice { device in
      try device.finishFirstBoot()
      try device.pin.set(octets("2468"))
      let without = device.desk("?", "")
      device.run(without)
      #expect(without.commands == ["stick|mount", "stick|eject"])
      #expect(without.shown.contains("There is no restante-new-pin on the stick."))
      try Files().ensureDirectory(device.place.stick)
      try Files().ensureDirectory(device.place.stick.appending("sda1"))
      try Files().replace(device.place.stick.appending("sda1").appending("restante-new-pin"), with: [])
      let with = device.desk("?", "")
      device.run(with)
      #expect(with.commands == ["stick|mount", "pin|console|--remove", "stick|eject"])
    }
  }

  @Test("Without the data partition the console says so, what still works, and asks no first boot's questions")
  func missing() throws {
    try Self.withDevice { device in
      try Files().replace(device.place.missing, with: octets("sda4 is beyond\u{1B}[2J repair\n"))
      let desk = device.desk("", "2", "q")
      device.run(desk)
      #expect(desk.shown.contains("THE DATA PARTITION IS MISSING"))
      #expect(desk.shown.contains("beyond [2J repair"))
      #expect(!desk.shown.contains("Welcome"))
      #expect(desk.commands == ["status", "refusals"])
    }
  }

  @Test("Who is not root is told so, and asked for no PIN that he could not read")
  func notRoot() throws {
    try Self.withDevice { device in
      try device.pin.set(octets("2468"))
      let desk = device.desk("2", "q")
      device.run(desk, isRoot: false)
      #expect(desk.shown.contains("You are not root"))
      #expect(desk.commands == ["status", "refusals"])
    }
  }
}
