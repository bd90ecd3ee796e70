import System
import Wire

// Room is given back.
extension Log {
  /// Gives back what a reclamation names: large files first, then a gap's line over each run, then its blocks. Each
  /// step is on disk before the next, so that a crash leaves records that are found dead again.
  func reclaim(_ job: Reclamation) {
    do throws(Errno) {
      for number in job.large {
        do throws(Errno) {
          try files.remove(place.large(number))
        } catch {
          if error != .notFound { throw error }
        }
      }
      if job.whole { try files.remove(place.segment(job.segment)) }
      if job.whole || !job.large.isEmpty { try files.flushDirectory(place.log) }
      if !job.whole && !job.runs.isEmpty { try punch(job) }
      outcomes.append(.reclaimed(job, nil))
    } catch {
      outcomes.append(.reclaimed(job, error))
    }
  }

  private func punch(_ job: Reclamation) throws(Errno) {
    let file = try files.open(place.segment(job.segment), [.read, .write])
    var holes: [(offset: Int64, count: Int64)] = []
    for run in job.runs {
      guard let line = RecordHeader.gap(run, key: key) else { continue }
      try files.writeAll(file.number, line.span, at: run.offset)
      let first = (run.offset + Int64(line.count) + 4095) & ~4095
      let last = (run.offset + run.length) & ~4095
      if last > first { holes.append((first, last - first)) }
    }
    try files.flush(file.number)
    for hole in holes { try files.punchHole(file.number, at: hole.offset, count: hole.count) }
  }
}
