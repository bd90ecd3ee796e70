import Testing
import Wire

@testable import Server

@Suite("How long we wait for a peer")
struct PatienceTests {
  @Test("a command that is not complete in time ends the session, whatever octets came meanwhile")
  func command() {
    var patience = Patience()
    patience.begin(.command, now: 1000, seconds: 300, moved: 0)
    #expect(patience.deadline == 1300)
    #expect(patience.look(now: 1299) { 999_999 } == .wait)
    #expect(patience.look(now: 1300) { 999_999 } == .over)
  }

  @Test("a message that keeps the pace may take as long as it needs; one that does not is cut")
  func upload() {
    var patience = Patience()
    var moved: Int64 = 5
    patience.begin(.upload, now: 0, seconds: Limits.paceSeconds, moved: moved)
    var now: Int64 = 0
    for _ in 0..<100 {
      now += Int64(Limits.paceSeconds)
      moved += Int64(Limits.paceOctets)
      #expect(patience.look(now: now) { moved } == .wait)
    }
    now += Int64(Limits.paceSeconds)
    #expect(patience.look(now: now - 1) { moved } == .wait)
    #expect(patience.look(now: now) { moved + Int64(Limits.paceOctets) - 1 } == .over)
  }

  @Test("a reader's pace is counted from what it has taken, not from what the kernel holds for it")
  func download() {
    var patience = Patience()
    patience.begin(.download, now: 0, seconds: 0, moved: 4_000_000)
    // The kernel took four million octets, the peer none of them.
    #expect(patience.look(now: 1) { 0 } == .wait)
    #expect(patience.deadline == Int64(1 + Limits.paceSeconds))
    #expect(patience.look(now: patience.deadline) { 70_000 } == .wait)
    #expect(patience.look(now: patience.deadline) { 70_000 + 65_535 } == .over)
  }

  @Test("how long a peer was idle: a message that keeps its pace is not idle, one that does not is")
  func idle() {
    var patience = Patience()
    patience.begin(.command, now: 100, seconds: 300, moved: 0)
    #expect(patience.idle(now: 107, moved: 99) == 7)
    patience.begin(.upload, now: 100, seconds: 300, moved: 1000)
    let pace = Int64(60 * Limits.paceOctets / Limits.paceSeconds)
    #expect(patience.idle(now: 160, moved: 1000 + pace) == 0)
    #expect(patience.idle(now: 160, moved: 1000 + pace - 1) == 60)
    patience.begin(.ourselves, now: 100, seconds: 0, moved: 0)
    #expect(patience.idle(now: 9999, moved: 0) == 0)
  }

  @Test("a session ends at its first pause after its longest time, whatever was said meanwhile")
  func session() {
    var patience = Patience()
    var now: Int64 = 1000
    while now - 1000 < Limits.session {
      patience.begin(.command, now: now, seconds: 300, moved: 0)
      #expect(patience.deadline == min(now + 300, 1000 + Limits.session))
      now += 250
    }
    patience.begin(.upload, now: now, seconds: 300, moved: 0)
    #expect(patience.deadline == now + 300)
    patience.begin(.command, now: now, seconds: 300, moved: 0)
    #expect(patience.look(now: now) { 0 } == .over)
  }

  @Test("our own disk is waited for without end")
  func ourselves() {
    var patience = Patience()
    patience.begin(.command, now: 0, seconds: 10, moved: 0)
    patience.begin(.ourselves, now: 5, seconds: 0, moved: 0)
    #expect(patience.look(now: .max) { 0 } == .wait)
  }
}
