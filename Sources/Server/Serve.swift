import System
import Wire

/// `restante serve`: reads the configuration, serves until SIGTERM or SIGINT, and returns what the process ends with.
///
/// - Parameter configurationPath: nil for the standard file.
public func serve(configurationPath: Path?) -> Int32 {
  let journal = Journal()
  let seconds = Clock.monotonic / 1000
  let loaded = Configuration.load(configurationPath)
  guard loaded.problems.isEmpty else {
    for problem in loaded.problems { journal.record(.problem(problem), now: seconds) }
    journal.record(.configurationRefused, now: seconds)
    journal.finish(now: seconds)
    return StartFailure.configuration
  }
  do throws(StartFailure) {
    let server = try Server(loaded.configuration, journal: journal) { Configuration.load(configurationPath) }
    server.run()
    journal.finish(now: seconds)
    return 0
  } catch {
    journal.record(.startFailed(error.text), now: seconds)
    journal.finish(now: seconds)
    return error.exitCode
  }
}
