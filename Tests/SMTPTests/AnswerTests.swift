import SMTP
import Testing
import Wire

@Suite("What the caller answers, and what the sender hears")
struct AnswerTests {
  @Test(
    "MAIL put off leaves no transaction",
    arguments: [
      (Session.MailAnswer.diskLow, "452 4.3.1"), (.temporarily, "451 4.3.0"),
    ])
  func mail(answer: Session.MailAnswer, code: String) {
    let dialogue = Dialogue(
      "S: 220*\nC: HELO c\nS: 250*\nC: MAIL FROM:<>\nS: \(code) *\nC: RCPT TO:<anna@office.example>\nS: 503*")
    dialogue.hold {
      var office = Office()
      office.mailAnswer = answer
      return office
    }
  }

  @Test(
    "Recipients",
    arguments: [
      (Session.RecipientAnswer.accepted, "250 2.1.5"), (.unknown, "550 5.1.1"), (.notLocal, "550 5.7.1"),
      (.overQuota, "452 4.2.2"), (.temporarily, "451 4.3.0"),
    ])
  func recipient(answer: Session.RecipientAnswer, code: String) {
    let dialogue = Dialogue(
      """
      S: 220*
      C: HELO c
      S: 250*
      C: MAIL FROM:<>
      S: 250*
      C: RCPT TO:<anna@office.example>
      S: \(code) *
      C: RSET
      S: 250*
      """)
    dialogue.hold {
      var office = Office()
      office.recipientAnswer = answer
      return office
    }
  }

  @Test(
    "Deliveries: whatever became of it, the transaction is over",
    arguments: [
      (Session.DeliveryAnswer.stored(id: 4711), "250 2.6.0 Message 4711"), (.overQuota, "452 4.2.2"),
      (.diskLow, "452 4.3.1"), (.temporarily, "451 4.3.0"),
    ])
  func delivery(answer: Session.DeliveryAnswer, code: String) {
    for content in ["C: DATA\nS: 354*\nC: .", "C: BDAT 0 LAST"] {
      let dialogue = Dialogue(
        """
        S: 220*
        C: HELO c
        S: 250*
        C: MAIL FROM:<>
        S: 250*
        C: RCPT TO:<anna@office.example>
        S: 250*
        \(content)
        S: \(code) *
        C: DATA
        S: 503*
        C: MAIL FROM:<>
        S: 250*
        """)
      dialogue.hold {
        var office = Office()
        office.deliveryAnswer = answer
        return office
      }
    }
  }

  @Test("A transaction that is given up is discarded, once")
  func discards() {
    let open = "MAIL FROM:<>\r\nRCPT TO:<anna@office.example>\r\n"
    for end in ["RSET", "HELO d", "EHLO d", "BDAT 0 NOW", "BDAT 9999"] {
      for middle in ["", "BDAT 2\r\nab"] {
        var office = Office()
        office.hear(Bytes("HELO c\r\n\(open)\(middle)\(end)\r\n"))
        #expect(office.events == ["mail -", "recipient", "discard"], "\(end)")
      }
    }
    for end in ["QUIT", "GET / HTTP/1.1", "BDAT", "\u{16}"] {
      var office = Office()
      office.hear(Bytes("HELO c\r\n\(open)BDAT 2\r\nab\(end)\r\n"))
      #expect(office.events == ["mail -", "recipient", "close"], "\(end)")
    }
  }

  @Test("A bare newline is discarded as soon as it is seen, and answered at the end")
  func bareNewline() {
    var office = Office()
    office.hear(Bytes(ContentTests.start + "DATA\r\na\nb"))
    #expect(office.events.last == "discard" && office.lines.last?.hasPrefix("354") == true)
    #expect(office.session.isReceivingContent)
    office.hear(Bytes("\r\n.\r\n"))
    #expect(office.lines.last?.hasPrefix("550 5.6.0") == true && !office.session.isReceivingContent)
  }

  @Test("Whoever is silent, and whoever is here when the server goes, is told so and takes nothing more")
  func endings() {
    for (code, ending) in [
      ("421 4.4.2 mail.office.example ", { $0.timedOut(reply: &$1) }),
      ("421 4.3.2 mail.office.example ", { $0.shuttingDown(reply: &$1) }),
      ("421 4.7.0 mail.office.example ", { $0.tooManyConnections(reply: &$1) }),
    ] as [(String, (inout Session, inout Bytes) -> Void)] {
      for before in ["", "HELO c\r\nNOO", ContentTests.start, ContentTests.start + "DATA\r\nabc"] {
        var office = Office()
        office.hear(Bytes(before))
        ending(&office.session, &office.sent)
        #expect(office.lines.last?.hasPrefix(code) == true)
        office.checkReplies()
        let count = office.lines.count
        office.hear(Bytes("\r\n.\r\nQUIT\r\n"))
        #expect(office.isClosed && office.lines.count == count)
      }
    }
  }
}
