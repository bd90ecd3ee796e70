import System
import Testing
import Wire

@testable import Server

@Suite("When a certificate's end is announced")
struct CertificatesTests {
  private let day: Int64 = 86_400
  private let end: Int64 = 1_900_000_000

  @Test(
    "once each for 30, 14 and 7 days and the end",
    arguments: [
      (31 * 86_400, nil), (30 * 86_400, 30), (15 * 86_400, 30), (14 * 86_400, 14), (7 * 86_400 + 1, 14),
      (7 * 86_400, 7),
      (1, 7), (0, 0), (-1, 0), (-86_400_000, 0),
    ] as [(Int64, Int64?)])
  func thresholds(left: Int64, announced: Int64?) {
    #expect(Certificates.announcement(notAfter: end, now: end - left) == announced)
  }

  @Test("never while the clock is not set")
  func clock() {
    #expect(Certificates.announcement(notAfter: 100, now: 60) == nil)
    #expect(Certificates.announcement(notAfter: 100, now: Limits.clockFloor - 1) == nil)
    #expect(Certificates.announcement(notAfter: 100, now: Limits.clockFloor) == 0)
    #expect(Certificates.days(until: end, now: 60) == nil)
  }

  @Test("whole days are left, and none past the end")
  func days() {
    #expect(Certificates.days(until: end, now: end - 2 * day) == 2)
    #expect(Certificates.days(until: end, now: end - 2 * day + 1) == 1)
    #expect(Certificates.days(until: end, now: end) == 0)
    #expect(Certificates.days(until: end, now: end + 1) == -1)
  }
}
