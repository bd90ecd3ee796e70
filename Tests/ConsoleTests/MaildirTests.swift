import System
import Testing
import Wire

@testable import Console

struct MaildirTests {
  /// A directory of its own for `body`, removed afterwards.
  static func withDirectory(_ body: (Path) throws -> Void) throws {
    let directory = try Process.temporaryDirectory(in: Path("/tmp"), prefix: "restante-test.")
    defer { remove(directory) }
    try body(directory)
  }

  private static func remove(_ directory: Path) {
    let files = Files()
    for name in (try? files.list(directory)) ?? [] {
      let path = directory.appending(name)
      if (try? files.remove(path)) == nil { remove(path) }
    }
    try? files.removeDirectory(directory)
  }

  static func write(_ path: Path, _ text: String) throws {
    let file = try Files().open(path, [.write, .create])
    try Files().writeAll(file.number, octets(text).span, at: 0)
  }

  @Test("What is exported to a Maildir is read back octet for octet, in order", arguments: MboxTests.awkward)
  func roundTrip(_ message: Bytes) throws {
    try MaildirTests.withDirectory { directory in
      let maildir = directory.appending("Maildir")
      let writer = try MaildirWriter(maildir, Files())
      let stored = wire(message)
      for flags in ["", "T"] as [StaticString] {
        let outlet = try writer.begin(received: 1_700_000_000, flags: flags)
        var reader = WireReader(lineEnd: .lf)
        for octet in stored {
          var text = Bytes()
          reader.read([octet].span, into: &text)
          try outlet.write(text)
        }
        try outlet.finish()
      }
      try writer.finish()
      #expect(try Files().list(maildir.appending("tmp")).isEmpty)
      #expect(try Files().list(maildir.appending("new")).count == 1)
      let found = try MaildirReader(maildir, Files()).messages
      #expect(found.map(\.received) == [1_700_000_000, 1_700_000_000])
      for message in found { #expect(wire(try Files().contents(message.path, limit: 1 << 20)) == stored) }
    }
  }

  @Test("Messages come in the order of their delivery; numbers in names count as numbers")
  func order() throws {
    try MaildirTests.withDirectory { maildir in
      for part in ["new", "cur"] as [StaticString] { try Files().makeDirectory(maildir.appending(part)) }
      let names = [
        "cur/999999999.M1P2Q1.host:2,S", "new/1000000000.M1P2Q9.host", "cur/1000000000.M1P2Q10.host:2,RS",
        "new/1000000000.M1P2Q11.host", "new/1700000000.V2", "cur/mail", "new/mail10",
      ]
      for name in names.reversed() { try MaildirTests.write(maildir.appending(octets(name)), name) }
      try MaildirTests.write(maildir.appending(octets("new/.hidden")), "no")
      let found = try MaildirReader(maildir, Files()).messages
      #expect(found.map { $0.path.bytes.dropFirst(maildir.bytes.count + 1) }.map { Bytes($0).text } == names)
      #expect(found.last?.received == nil)
    }
  }

  @Test("A directory that holds something else is left alone, and one that is none is said to be none")
  func refusals() throws {
    try MaildirTests.withDirectory { directory in
      try MaildirTests.write(directory.appending("letter"), "mine")
      #expect(throws: Failure.self) { try MaildirWriter(directory, Files()) }
      #expect(try Files().list(directory) == [octets("letter")])
      #expect(throws: Failure.self) { try MaildirReader(directory, Files()) }
      #expect(throws: Failure.self) { try MaildirReader(directory.appending("missing"), Files()) }
    }
  }

  @Test("A file that somebody named is never replaced, and appears when it is whole or not at all")
  func outlet() throws {
    try MaildirTests.withDirectory { directory in
      let (path, unfinished) = (directory.appending("out"), directory.appending("out.unfinished"))
      var outlet: Outlet? = try Outlet(path, unfinished: unfinished, Files())
      try outlet?.write(octets("half"))
      #expect(!Files().exists(path))
      outlet = nil
      #expect(try Files().list(directory).isEmpty)

      outlet = try Outlet(path, unfinished: unfinished, Files())
      // Somebody else is quicker.
      try MaildirTests.write(path, "theirs")
      #expect(throws: Failure.self) { try outlet?.finish() }
      outlet = nil
      #expect(try Files().contents(path, limit: 100) == octets("theirs"))
      #expect(throws: Failure.self) { try Outlet(path, unfinished: unfinished, Files()) }
      #expect(try Files().list(directory) == [octets("out")])
    }
  }
}
