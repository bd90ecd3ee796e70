import Server
import System
import Wire

/// restante.conf and a drop-in, with NUL between the two.
func fuzzConfiguration(_ bytes: Bytes) {
  var input = Input(bytes)
  let main = input.part(before: 0)
  let dropIn = input.remaining
  let loaded = load(main, dropIn)
  let lines = max(main.count { $0 == ASCII.lf }, dropIn.count { $0 == ASCII.lf }) + 1
  for problem in loaded.problems {
    require(problem.description.isDisplayable, "not to be shown: \(problem.description.shown)")
    require(problem.line >= 0 && problem.line <= lines, "line \(problem.line) of \(lines)")
    require(problem.text.count < 2000, "a long speech")
  }
  require(loaded.files.count == 2, "\(loaded.files.count) files were read")
  check(loaded.configuration)

  // A blank line in front moves every complaint by one line and changes nothing.
  let mark: Bytes = [0xEF, 0xBB, 0xBF]
  guard !main.starts(with: mark) else { return }
  let shifted = load([ASCII.lf] + main, dropIn)
  require(shifted.configuration == loaded.configuration, "a blank line has changed the configuration")
  require(shifted.problems.count == loaded.problems.count, "a blank line has changed what is wrong")
  for (before, after) in zip(loaded.problems, shifted.problems) {
    require(after.text == before.text && after.file == before.file, "a blank line has changed what is wrong")
    let moved = before.file == Path("/restante.conf") && before.line > 0 ? 1 : 0
    require(after.line == before.line + moved, "line \(before.line) became \(after.line)")
  }
}

private func load(_ main: Bytes, _ dropIn: Bytes) -> Configuration.Loaded {
  let disk = MemoryDisk()
  disk.set("/restante.conf", main)
  disk.set("/restante.conf.d/50.conf", dropIn)
  return Configuration.load(Path("/restante.conf"), files: disk, stateDirectory: nil, hostName: Bytes("box"))
}

/// Whatever the files say, what comes out can be worked with.
private func check(_ configuration: Configuration) {
  require((64 << 10...1 << 30).contains(configuration.smtp.maximumMessageSize), "the largest message")
  require((1...10_000).contains(configuration.smtp.maximumConnections), "SMTP connections")
  require((1...10_000).contains(configuration.pop3.maximumConnections), "POP3 connections")
  require((100...Limits.recipients).contains(configuration.smtp.maximumRecipients), "recipients")
  require(!configuration.device.domains.isEmpty, "no domain")
  for name in configuration.device.domains + [configuration.device.hostName] {
    require(!name.isEmpty && name.count <= Limits.domain && name.isDisplayable, "no domain: \(name.shown)")
    require(!name.contains { $0 == ASCII.space || $0 >= 0x41 && $0 <= 0x5A }, "no domain: \(name.shown)")
  }
  require(configuration.device.stateDirectory.bytes.first == 0x2F, "the state directory is relative")
  require(configuration.spool.quota ?? 1 << 20 >= 1 << 20, "the quota")
  require(configuration.spool.keepDeleted >= 0 && configuration.spool.expireAfter ?? 1 > 0, "times")
  let free = configuration.spool.keepFree.octets(of: 1 << 40)
  require(free >= 0, "room to keep free")
}
