import System
import Wire

/// `restante serve`: reads the configuration, serves until SIGTERM or SIGINT, and returns what the process ends with.
///
/// While the mail cannot be reached it holds the ports, says so, and tries again: see ``Unavailable``.
///
/// - Parameter configurationPath: nil for the standard file.
public func serve(configurationPath: Path?) -> Int32 {
  let journal = Journal()
  let seconds = Clock.monotonic / 1000
  let loaded = Configuration.load(configurationPath)
  guard loaded.problems.isEmpty else {
    for problem in loaded.problems { journal.record(.problem(problem), now: seconds) }
    journal.record(.configurationRefused, now: seconds)
    linger(journal, "STATUS=Not started: the configuration is wrong, and the journal says where") {
      Configuration.load(configurationPath).problems.isEmpty
    }
    return StartFailure.configuration
  }
  do throws(StartFailure) {
    try serve(loaded.configuration, journal) { Configuration.load(configurationPath) }
    journal.finish(now: seconds)
    return 0
  } catch {
    journal.record(.startFailed(error.text), now: seconds)
    linger(journal, "STATUS=Not started; the journal says why") { false }
    return error.exitCode
  }
}

/// Serves until it is told to end.
private func serve(
  _ configuration: Configuration, _ journal: Journal, _ readAgain: @escaping () -> Configuration.Loaded
) throws(StartFailure) {
  let files = Files()
  // Once and for all: the service manager hands them over only once.
  var listeners = try Listener.openAll(configuration, journal, now: Clock.monotonic / 1000)
  var unavailable: Unavailable?
  var told = Bytes()
  while true {
    var why = Bytes()
    if let missing = Unavailable.missing(files) {
      why = missing
    } else {
      do throws(StartFailure) {
        let server = try Server(configuration, listeners: listeners, journal: journal, readAgain: readAgain)
        // Its ports are closed when it lets go of them.
        unavailable = nil
        listeners = []
        return server.run()
      } catch {
        guard error.isOfSpool else { throw error }
        why = error.text
      }
    }
    let seconds = Clock.monotonic / 1000
    if why != told {
      told = why
      journal.record(.unavailable(why), now: seconds)
    }
    journal.flush(now: seconds)
    if unavailable == nil {
      do throws(Errno) { unavailable = try Unavailable(configuration, listeners, files) } catch {
        throw StartFailure(StartFailure.unavailable, Bytes("the kernel gives no descriptors: ") + error.text)
      }
    }
    if unavailable?.serve(why) == true { return }
  }
}

/// Before a service manager, which starts it again at once, a server that cannot start does not end at once either: until
/// then those who connect wait. It ends when it is told to, or when `isMended` says so.
private func linger(_ journal: Journal, _ status: StaticString, _ isMended: () -> Bool) {
  let end = Clock.monotonic + Limits.pauseAfterFailure
  journal.finish(now: Clock.monotonic / 1000)
  guard ServiceManager.isPresent, let signals = try? Signals(), var poll = try? Poll(),
    (try? poll.add(signals.number, .read, token: 0)) != nil
  else { return }
  ServiceManager.tell(status)
  var isOver = false
  while !isOver, Clock.monotonic < end, !isMended() {
    do throws(Errno) { try poll.wait(milliseconds: 250) { _, _ in isOver = true } } catch { return }
  }
}
