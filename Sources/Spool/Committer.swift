import System
import Wire

/// The thread that writes and flushes. Whatever waits when a flush ends goes into the next one together.
final class Committer: @unchecked Sendable {
  private let lock = Lock()
  private let work = Condition()
  private let wakeUp: WakeUp
  private let log: Log
  private let place: SpoolFiles
  private let files: Files

  // Under the lock.
  private var queue: [Job] = []
  private var waitingRecords = 0
  /// The thread sleeps until so many records wait, or there is other work; nil while it is awake.
  private var sleepsUntil: Int?
  private var outcomes: [Outcome] = []
  private var isStopped = false
  private var position: (segment: UInt32, offset: Int64, sequence: UInt64)
  private var flushes: UInt64 = 0
  private var slowestFlush: Int64 = 0

  /// Microseconds a batch waits at most for senders who are about to finish, whatever a flush takes.
  private static let longestGathering: Int64 = 4000

  init(_ place: SpoolFiles, _ files: Files, _ log: Log, _ wakeUp: WakeUp) {
    self.place = place
    self.files = files
    self.log = log
    self.wakeUp = wakeUp
    position = log.position
  }

  func start() throws(Errno) {
    try Thread.start { self.run() }
  }

  /// Gives the committer something to do.
  func submit(_ job: Job) {
    let wakes = lock.locked {
      queue.append(job)
      if job.isRecord { waitingRecords += 1 }
      guard let count = sleepsUntil, waitingRecords >= count || !job.isRecord else { return false }
      sleepsUntil = nil
      return true
    }
    // Outside the lock, or it would wake only to wait for that.
    if wakes { work.signal() }
  }

  /// Takes the answers that have come, and up to where the log is on disk with them.
  func collect() -> (outcomes: [Outcome], position: (segment: UInt32, offset: Int64, sequence: UInt64)) {
    wakeUp.drain()
    return lock.locked {
      defer { outcomes.removeAll() }
      return (outcomes, position)
    }
  }

  /// Waits until everything asked for is done, and ends the thread.
  func stop() {
    submit(.stop)
    lock.locked {
      while !isStopped { work.wait(lock) }
    }
  }

  /// Flushes so far, and the microseconds of the slowest.
  var statistics: (flushes: UInt64, slowest: Int64) { lock.locked { (flushes, slowestFlush) } }

  private func run() {
    // How many records the next batch should wait for: those who were answered now will soon be back.
    var expected = 0
    var patience: Int64 = 0
    while true {
      let jobs = gather(expected, patience)
      var records = 0
      var stops = false
      var health: Spool.Health?
      for job in jobs {
        switch job {
        case .offload(let draft): log.offload(draft)
        case .message(let draft, let facts):
          log.stage(draft, facts)
          records += 1
        case .abandon(let draft): log.discard(draft)
        case .control(let facts):
          log.stage(facts)
          records += 1
        case .checkpoint(let facts): checkpoint(facts)
        case .reclaim(let job): log.reclaim(job)
        case .endSegment: log.endSegment()
        case .probe(let disk): health = disk ? Probe(place, files).run() : .well
        case .stop: stops = true
        }
      }
      let before = Clock.monotonicMicroseconds
      log.flush()
      let took = Clock.monotonicMicroseconds - before
      publish(flushed: records > 0, took, health)
      if records > 0 {
        expected = records + lock.locked { waitingRecords }
        patience = min(2 * took, Committer.longestGathering)
      }
      if stops {
        lock.locked {
          isStopped = true
          work.signal()
        }
        return
      }
    }
  }

  /// The next jobs. A few records may wait, for no longer than two flushes take, so that more share the next one.
  private func gather(_ expected: Int, _ patience: Int64) -> [Job] {
    lock.locked {
      while queue.isEmpty {
        sleepsUntil = 1
        work.wait(lock)
      }
      if waitingRecords > 0 && waitingRecords < expected {
        let deadline = Clock.monotonicMicroseconds + patience
        while waitingRecords < expected {
          let left = deadline - Clock.monotonicMicroseconds
          sleepsUntil = expected
          if left <= 0 || !work.wait(lock, microseconds: left) { break }
        }
      }
      sleepsUntil = nil
      waitingRecords = 0
      defer { queue.removeAll() }
      return queue
    }
  }

  private func publish(flushed: Bool, _ took: Int64, _ health: Spool.Health?) {
    var fresh = log.takeOutcomes()
    if let health { fresh.append(.probed(health)) }
    lock.locked {
      outcomes += fresh
      position = log.position
      if flushed {
        flushes += 1
        slowestFlush = max(slowestFlush, took)
      }
    }
    if !fresh.isEmpty { wakeUp.signal() }
  }

  private func checkpoint(_ facts: CheckpointFacts) {
    var result: Errno?
    do throws(Errno) {
      for index in facts.indexes { try files.flush(index.descriptor) }
      for rename in facts.renames { try files.rename(rename.from, to: rename.to) }
      try files.flushDirectory(place.indexes)
      facts.checkpoint.nextNumber = log.firstUnfinished
      try files.replace(place.checkpoint, with: facts.checkpoint.text)
    } catch {
      result = error
    }
    lock.locked { outcomes.append(.checkpointed(result)) }
    wakeUp.signal()
  }
}
