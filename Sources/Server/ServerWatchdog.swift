import Spool
import System
import Wire

/// What the service manager has been told, and what is asked of the helper threads before it is told that all is well.
struct Supervision {
  /// How the server does, as far as a line of status tells it.
  struct Status: Equatable {
    var connections = 0
    var delivered: UInt64 = 0
    var loggedIn: UInt64 = 0
    var hasRoom = true
    var isShortOfMemory = false
  }

  /// Whether there is a service manager at all.
  let isPresent = ServiceManager.isPresent
  /// Milliseconds between two looks; 0 without a watchdog.
  let interval = ServiceManager.watchdogInterval / Limits.watchdogLooks
  /// When there is something to do, in milliseconds.
  var next: Int64 { min(nextLook, nextStatus) }

  fileprivate var nextLook: Int64 = .max
  fileprivate var looks = 0
  /// Since when an answer of the committer is missing.
  fileprivate var asked: Int64?
  /// Probes that failed one after the other.
  fileprivate var failures = 0

  fileprivate var nextStatus: Int64 = .max
  fileprivate var status = Status()
  fileprivate var told: Int64 = .min / 2
}

// What the service manager is told: sd_notify(3).
extension Server {
  /// Tells a service manager how far the spool is read, and that this takes its time. Not by a clock of its own: a
  /// recovery that hangs must end.
  static func tellProgress() -> (Int, Int) -> Void {
    var told = Clock.monotonic
    return { segment, count in
      let now = Clock.monotonic
      guard now - told >= 1000 else { return }
      told = now
      var lines = Bytes("EXTEND_TIMEOUT_USEC=60000000\nWATCHDOG=1\nSTATUS=Reading the spool: segment ")
      lines.append(decimal: segment)
      lines += " of "
      lines.append(decimal: count)
      ServiceManager.tell(lines)
    }
  }

  /// The spool is recovered, and every listener is up.
  func tellReady() {
    ServiceManager.tell("READY=1\nSTATUS=Serving")
    if supervision.isPresent, supervision.interval > 0 { supervision.nextLook = 0 }
  }

  /// Feeds the watchdog while it is true that all is well. That this is called shows that the loop turns.
  func supervise() {
    guard supervision.isPresent else { return }
    if let health = spool.takeHealth() {
      supervision.asked = nil
      if case .failed(let error) = health {
        supervision.failures += 1
        record(.probeFailed(error))
        if supervision.failures > 1 { giveUp("the spool's disk does not keep what it is given") }
      } else {
        supervision.failures = 0
        ServiceManager.tell("WATCHDOG=1")
      }
    }
    if milliseconds >= supervision.nextLook { lookAtCommitter() }
    if phase == .serving { tellStatus() }
  }

  private func lookAtCommitter() {
    supervision.nextLook = milliseconds + supervision.interval
    if let asked = supervision.asked {
      // The last of the looks is the service manager's.
      if milliseconds - asked >= supervision.interval * (Limits.watchdogLooks - 1) {
        giveUp("the spool's disk does not answer")
      }
      return
    }
    supervision.asked = milliseconds
    spool.askHealth(disk: supervision.looks % Limits.watchdogLooksForProbe == 0 || supervision.failures > 0)
    supervision.looks += 1
  }

  private func giveUp(_ why: StaticString) {
    record(.stuck(why))
    journal.finish(now: seconds)
    ServiceManager.tell("WATCHDOG=trigger")
  }

  private func tellStatus() {
    let status = Supervision.Status(
      connections: connections.count, delivered: delivered, loggedIn: loggedIn, hasRoom: spool.hasRoom,
      isShortOfMemory: pressure.level > 0)
    guard status != supervision.status else {
      supervision.nextStatus = .max
      return
    }
    supervision.nextStatus = supervision.told + Limits.status
    guard milliseconds >= supervision.nextStatus else { return }
    supervision.nextStatus = .max
    supervision.told = milliseconds
    supervision.status = status
    var line = Bytes("STATUS=Serving; connections: ")
    line.append(decimal: status.connections)
    line += "; since the start: delivered "
    line.append(decimal: status.delivered)
    line += ", logins "
    line.append(decimal: status.loggedIn)
    if !status.hasRoom { line += "; the disk is low, new mail is answered 452" }
    if status.isShortOfMemory { line += "; memory is short" }
    ServiceManager.tell(line)
  }
}
