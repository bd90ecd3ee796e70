import System
import Testing
import Wire

@testable import Server

@Suite("The control socket", .serialized)
struct ControlSocketTests {
  @Test("a message is stored, found by STATUS, deleted and restored")
  func round() throws {
    let server = try RunningServer()
    let control = try Client(at: server.directory.appending("control"))
    let content = "Subject: imported\r\n\r\nhello\r\n.\r\n"
    #expect(try control.ask("DELIVER \(content.utf8.count) 1700000000 anna,bert\n\(content)") == "+OK 1\r\n")
    func messages() throws -> String {
      let lines = try control.ask("STATUS\n", until: "\r\n.\r\n").split(separator: "\r\n")
      return lines.filter { $0.hasPrefix("messages=") || $0.hasPrefix("deleted.messages=") }.joined(separator: " ")
    }
    #expect(try messages() == "messages=2 deleted.messages=0")
    #expect(try control.ask("DELETE anna 1\n") == "+OK\r\n")
    #expect(try messages() == "messages=1 deleted.messages=1")
    #expect(try control.ask("RESTORE anna 1\n") == "+OK\r\n")
    #expect(try messages() == "messages=2 deleted.messages=0")
    let reader = try Client(server.pop3)
    try reader.logIn()
    #expect(try reader.ask("RETR 1\r\n", until: "\r\n.\r\n") == "+OK 28 octets\r\n" + content)
  }

  @Test("what cannot be done is refused with an exit code")
  func refusals() throws {
    let server = try RunningServer()
    let control = try Client(at: server.directory.appending("control"))
    #expect(try control.ask("DELETE nobody 1\n").hasPrefix("-ERR 67 "))
    #expect(try control.ask("RESTORE nobody 1\n").hasPrefix("-ERR 67 "))
    #expect(try control.ask("DELIVER 5 1 anna,nobody\na\r\n.\r").hasPrefix("-ERR 67 "))
    #expect(try control.ask("RELOAD\n") == "+OK\r\n")
    #expect(try control.ask("NONSENSE\n", until: nil).hasPrefix("-ERR 64 "))
  }

  @Test("a large import at constant memory, and one that breaks off")
  func large() throws {
    let server = try RunningServer()
    do {
      let broken = try Client(at: server.directory.appending("control"))
      broken.send("DELIVER 1000000 1 anna\nhalf")
    }
    let control = try Client(at: server.directory.appending("control"))
    let content = "A: b\r\n\r\n" + String(repeating: "0123456789\r\n", count: 100_000) + ".\r\n"
    #expect(try control.ask("DELIVER \(content.utf8.count) 1 anna\n\(content)") == "+OK 1\r\n")
    #expect(try control.ask("STATUS\n", until: "\r\n.\r\n").contains("\r\nmessages=1\r\n"))
  }
}
