import System
import Testing
import Wire

@Suite("Other programs")
struct ChildProcessTests {
  private func words(_ all: StaticString...) -> [Bytes] { all.map { Bytes($0) } }

  @Test("what a program says is read to its end, and how it ended is told")
  func speaks() throws {
    let answer = try ChildProcess.ask(words("sh", "-c", "echo one; echo two; exit 3"))
    #expect(answer.text == Bytes("one\ntwo\n"))
    #expect(answer.code == 3)
  }

  @Test("standard error is read only where it is asked for")
  func errors() throws {
    #expect(try ChildProcess.ask(words("sh", "-c", "echo no >&2")).text.isEmpty)
    #expect(try ChildProcess.ask(words("sh", "-c", "echo no >&2"), errors: true).text == Bytes("no\n"))
  }

  @Test("a program that says too much is not waited for, and its words are bounded")
  func bounded() throws {
    let answer = try ChildProcess.ask(words("head", "-c", "300000", "/dev/zero"), limit: 1000)
    #expect(answer.text.count == 1000)
    #expect(answer.code == 0)
  }

  @Test("a program that is silent for too long is ended")
  func silent() throws {
    let answer = try ChildProcess.ask(words("sleep", "600"), milliseconds: 50)
    #expect(answer.code == 128 + 9)
  }

  @Test("a program that is not there is an error")
  func missing() {
    #expect(throws: Errno.notFound) { try ChildProcess.ask(words("restante-has-no-such-program")) }
  }

  @Test("it gets the descriptors it was given and no others, and no signal is blocked")
  func descriptors() throws {
    let signals = try Signals()
    let answer = try ChildProcess.ask(
      words("sh", "-c", "ls /proc/self/fd | wc -w; grep -cE 'Sig(Blk|Ign).*0000000$' /proc/self/status"))
    // 0, 1, 2, and the directory that ls reads; blocked and ignored none, but for two that are the C library's own.
    #expect(answer.text == Bytes("4\n2\n"))
    _ = signals.number
  }

  @Test("a session of its own is one")
  func session() throws {
    let pipe = try Pipe()
    let child = try ChildProcess(
      words("sh", "-c", "ps -o sid= -p $$ | tr -d ' '; echo $$"), output: pipe.writingEnd.number, ownSession: true)
    let reading = pipe.reading()
    var said = Bytes()
    while true {
      let piece = try Process.read(reading.number, count: 100)
      if piece.isEmpty { break }
      said += piece
    }
    #expect(try child.wait() == 0)
    let lines = said.split(separator: ASCII.lf)
    #expect(lines.count == 2 && lines[0] == lines[1])
  }
}
