import POP3
import Testing
import Wire

@Suite("Faults of the maildrop")
struct FaultTests {
  @Test("A fault of the index is -ERR [SYS/TEMP], never an empty list, and the session goes on")
  func index() {
    for isCutShort in [false, true] {
      let caller = Dialogue.loggedIn(
        """
        C: LIST
        S: -ERR [SYS/TEMP] *
        C: UIDL
        S: -ERR [SYS/TEMP] *
        C: LIST 1
        S: -ERR [SYS/TEMP] *
        C: UIDL 3
        S: -ERR [SYS/TEMP] *
        C: DELE 1
        S: -ERR [SYS/TEMP] Message 1 *
        C: STAT
        S: +OK 3 90
        C: QUIT
        S: +OK *
        CLOSE
        """
      ).hold {
        let maildrop = MemoryMaildrop.three
        maildrop.visitFault = 1
        maildrop.isCutShort = isCutShort
        return Caller(maildrop)
      }
      #expect(caller.deleted == nil)
    }
  }

  @Test("A fault in the middle of a short listing refuses all of it")
  func middle() {
    for fault in 2...3 {
      Dialogue.loggedIn("C: UIDL\nS: -ERR [SYS/TEMP] *\nC: UIDL 1\nS: +OK 1 5eed-f1").hold {
        let maildrop = MemoryMaildrop.three
        maildrop.visitFault = fault
        return Caller(maildrop)
      }
    }
  }

  @Test("A fault in a long listing ends the session without the line that would complete it")
  func longListing() {
    for isCutShort in [false, true] {
      let maildrop = MemoryMaildrop(Array(repeating: "A: b\r\n\r\n.\r\n", count: 5000))
      maildrop.visitFault = 4000
      maildrop.isCutShort = isCutShort
      var caller = Caller(maildrop)
      caller.hear("USER anna\r\nPASS se cret\r\nUIDL\r\nQUIT\r\n".utf8)
      #expect(caller.isClosed && caller.deleted == nil)
      #expect(caller.sent.text.contains("\r\n1000 5eed-") && !caller.sent.text.contains("\r\n.\r\n"))
    }
  }

  @Test("A message that cannot be read is -ERR [SYS/TEMP] or [SYS/PERM], and the session goes on")
  func opening() {
    for (fault, code) in [(MaildropError.temporary, "[SYS/TEMP]"), (.gone, "[SYS/PERM]")] {
      let attempt = "C: RETR 2\nS: -ERR \(code) Message 2 *\nC: TOP 2 1\nS: -ERR \(code) Message 2 *\n"
      Dialogue.loggedIn(String(repeating: attempt, count: 20) + "C: STAT\nS: +OK 3 90").hold {
        let maildrop = MemoryMaildrop.three
        maildrop.openFault = fault
        return Caller(maildrop)
      }
    }
  }

  @Test("Deletions that could not be made durable are -ERR [SYS/TEMP]")
  func update() {
    let caller = Dialogue.loggedIn("C: DELE 1\nS: +OK *\nC: QUIT\nS: -ERR [SYS/TEMP] *\nCLOSE").hold {
      var caller = Caller()
      caller.updateResult = .failed
      return caller
    }
    #expect(caller.deleted == [1])
  }
}
