import Accounts
import System
import Wire

/// Checks passwords beside the event loop, one after the other: PBKDF2 is slow by design.
final class HashingThread: @unchecked Sendable {
  /// A password to check. For a name that nobody has `account` is nil, and `verifier` a decoy of the same cost.
  struct Job {
    let token: UInt64
    let name: Bytes
    let account: Account?
    let verifier: Verifier
    var password: Bytes
  }

  enum Outcome {
    case right, wrong
    /// OpenSSL failed, which says nothing of the password.
    case failed
  }

  private let lock = Lock()
  private let condition = Condition()
  private let wakeUp: WakeUp
  private var jobs: [Job] = []
  private var results: [(job: Job, outcome: Outcome)] = []
  private var isStopping = false

  init() throws(Errno) {
    wakeUp = try WakeUp()
    try Thread.start { [self] in work() }
  }

  /// Readable when ``collect(_:)`` has something.
  var descriptor: Int32 { wakeUp.descriptor }

  /// Takes a job in; false when too many wait.
  func submit(_ job: Job) -> Bool {
    lock.locked {
      guard jobs.count < Limits.hashingQueue, !isStopping else { return false }
      jobs.append(job)
      condition.signal()
      return true
    }
  }

  /// Hands over what was found out since the last call.
  func collect(_ body: (Job, Outcome) -> Void) {
    wakeUp.drain()
    let ready = lock.locked {
      let ready = results
      results = []
      return ready
    }
    for result in ready { body(result.job, result.outcome) }
  }

  /// Lets the thread end after the job it has.
  func stop() {
    lock.locked {
      isStopping = true
      jobs = []
      condition.signal()
    }
  }

  private func work() {
    while let job = next() {
      let outcome: Outcome
      do throws(Errno) {
        let accepted = try job.verifier.accepts(job.password)
        outcome = accepted && job.account != nil ? .right : .wrong
      } catch {
        outcome = .failed
      }
      lock.locked { results.append((job, outcome)) }
      wakeUp.signal()
    }
  }

  private func next() -> Job? {
    lock.locked {
      while jobs.isEmpty, !isStopping { condition.wait(lock) }
      return isStopping ? nil : jobs.removeFirst()
    }
  }
}
