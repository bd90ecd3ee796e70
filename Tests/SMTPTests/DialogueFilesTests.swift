import Foundation
import SMTP
import Testing
import Wire

@Suite("The dialogue files")
struct DialogueFilesTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Dialogues/smtp")

  static func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".txt") }.sorted()
  }

  @Test("Every file's dialogue is held as written, however its octets come", arguments: try names())
  func file(name: String) throws {
    let script = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
    let dialogue = Dialogue(script)
    // As the program is met on its own machine.
    let settings = Settings(hostName: Bytes("mail.office.example"), maximumMessageSize: 5000, offersTLS: true)
    let office = dialogue.hold { Office(settings, secure: true) }
    // A file that stops writing ends by the socket, not by the session.
    #expect(office.isClosed == (dialogue.closes && !script.contains("\nHALFCLOSE\n")))
  }
}
