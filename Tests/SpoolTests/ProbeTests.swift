import System
import Testing
import Wire

@testable import Spool

@Suite("The committer is asked whether the disk keeps what it is given") struct ProbeTests {
  /// Asks, and waits for the answer.
  private func health(_ office: Office, disk: Bool = true) -> Spool.Health? {
    office.spool.askHealth(disk: disk)
    office.collect { _ in }
    return office.spool.takeHealth()
  }

  @Test("A disk that does is well, and the answer is given once") func well() throws {
    let office = try Office()
    #expect(health(office) == .well)
    #expect(office.spool.takeHealth() == nil)
    let first = try office.disk.contents(Office.root.appending("probe"), limit: 4096)
    #expect(health(office) == .well)
    let second = try office.disk.contents(Office.root.appending("probe"), limit: 4096)
    #expect(first.count == second.count && first != second)
  }

  @Test("Where the disk is not asked for, nothing is written") func committerAlone() throws {
    let office = try Office()
    #expect(health(office, disk: false) == .well)
    #expect(!office.disk.exists(Office.root.appending("probe")))
  }

  @Test("A disk that fails is not well until it does again", arguments: [MemoryDisk.Call.open, .read, .write, .flush])
  func failing(_ broken: MemoryDisk.Call) throws {
    let office = try Office()
    office.disk.fault = { call, _ in call == broken ? .io : nil }
    #expect(health(office) == .failed(.io))
    office.disk.fault = nil
    #expect(health(office) == .well)
  }

  @Test("A full disk has not failed") func full() throws {
    let office = try Office()
    office.disk.fault = { call, _ in call == .write || call == .open ? .noSpace : nil }
    #expect(health(office) == .well)
    office.disk.fault = nil
  }

  @Test("What is written for it troubles neither recovery nor check") func fileOfProbes() throws {
    let office = try Office()
    _ = office.deliver(Office.content("kept"), to: ["anna"])
    #expect(health(office) == .well)
    office.spool.close()
    #expect(SpoolCheck(Office.root, files: office.disk, whileRunning: false).problems.isEmpty)
  }
}
