import System
import Testing
import Wire

@testable import Server

@Suite("The server's end", .serialized)
struct StopTests {
  @Test("those who wait hear that we go; the spool is closed, and nothing is lost")
  func idle() throws {
    let server = try RunningServer()
    let sender = try Client(server.smtp)
    try sender.greet()
    #expect(try sender.deliver("hello\r\n.\r\n").hasPrefix("250 2.6.0 "))
    let reader = try Client(server.pop3)
    try reader.logIn()
    server.stop()
    #expect(try sender.read(until: nil).hasPrefix("421 4.3.2 "))
    #expect(try reader.read(until: nil).hasPrefix("-ERR "))
    #expect(server.journal.hasSuffix("<5>stopped\n"))
    #expect((try? Client(server.smtp)) === nil)
  }

  @Test("a message under way may still be finished, and is answered")
  func underWay() throws {
    let server = try RunningServer()
    let sender = try Client(server.smtp)
    try sender.greet()
    #expect(try sender.ask("MAIL FROM:<>\r\n").hasPrefix("250 "))
    #expect(try sender.ask("RCPT TO:<anna@office.example>\r\n").hasPrefix("250 "))
    #expect(try sender.ask("DATA\r\n").hasPrefix("354 "))
    sender.send("half\r\n")
    server.beginToStop()
    // The listener is gone: it has begun.
    while (try? Client(server.smtp)) != nil {}
    sender.send("whole\r\n.\r\n")
    let end = try sender.read(until: nil)
    #expect(end.hasPrefix("250 2.6.0 "))
    #expect(end.contains("\r\n421 4.3.2 "))
    server.waitForEnd()
  }

  @Test("one who never finishes is not waited for long")
  func never() throws {
    let server = try RunningServer()
    let sender = try Client(server.smtp)
    try sender.greet()
    try sender.ask("MAIL FROM:<>\r\nRCPT TO:<anna@office.example>\r\nDATA\r\n", until: "alone.\r\n")
    sender.send("half\r\n")
    server.beginToStop()
    #expect(try sender.read(until: nil).hasPrefix("421 4.3.2 "))
    server.waitForEnd()
  }
}
