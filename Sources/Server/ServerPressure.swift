import Accounts
import System
import Wire

/// How short memory is, by the kernel's account (PSI) of our cgroup: what it costs us to wait for memory.
struct MemoryPressure: ~Copyable {
  /// What is done about it: nothing; caches are given back; new anonymous senders, and then everybody new, are turned away.
  var level = 0
  /// When to look again, in milliseconds.
  var next: Int64 = .max
  fileprivate var file: Descriptor?
  /// How the file tells.
  fileprivate var kind = Kind.polled
  fileprivate var risen: Int64 = .min / 2

  fileprivate enum Kind {
    /// It has the trigger we asked for.
    case trigger
    /// It is a pipe, and each octet an event: so the service manager tells, and tests do.
    case pipe
    /// We may only read it.
    case polled
  }

  /// Whether a connection that comes now is turned away.
  func turnsAway(_ service: Service, isTLS: Bool) -> Bool {
    switch service {
    // On the port with TLS from the start come those who log in.
    case .smtp: level >= (isTLS ? 3 : 2)
    case .pop3: level >= 3
    case .control: false
    }
  }
}

// What is done when memory is short: https://systemd.io/MEMORY_PRESSURE.
extension Server {
  /// Begins to watch, where the service manager or the kernel lets us.
  func watchMemory() {
    var path = Process.environment("MEMORY_PRESSURE_WATCH")
    if path == nil, supervision.isPresent { path = ownPressureFile() }
    guard let path, !path.equals("/dev/null") else { return }
    do throws(Errno) {
      let file = try files.open(Path(path), [.read, .write])
      let kind: MemoryPressure.Kind = try files.status(of: file.number).isRegular ? .trigger : .pipe
      // A fifth of a second in two: without privileges, the kernel takes multiples of two seconds alone.
      var trigger = Bytes("some 200000 2000000\0")
      if let asked = Process.environment("MEMORY_PRESSURE_WRITE"), let octets = Base64.decode(asked.span) {
        trigger = octets
      }
      if kind == .trigger, !Process.write(trigger, to: file.number) { throw .notPermitted }
      try poll.add(file.number, kind == .trigger ? .priority : .read, token: Token.pressure)
      pressure.kind = kind
      pressure.file = consume file
    } catch {
      // Then it is read now and then.
      pressure.file = try? files.open(Path(path), .read)
    }
  }

  /// The file of the cgroup of the second kind that we are in; nil where there are none.
  private func ownPressureFile() -> Bytes? {
    var text = Bytes()
    guard let file = try? files.open(Path("/proc/self/cgroup"), .read),
      (try? files.readAll(file.number, into: &text, count: 4096, at: 0)) != nil, text.popLast() == ASCII.lf
    else { return nil }
    // Those of the first kind stand before it.
    let line = Bytes(text[((text.lastIndex(of: ASCII.lf) ?? -1) + 1)...])
    guard line.hasPrefix("0::/") else { return nil }
    var path = Bytes("/sys/fs/cgroup")
    path += line.span.extracting(3...)
    path += "/memory.pressure"
    return path
  }

  /// The kernel says that memory is short.
  func feelPressure() {
    if pressure.kind == .pipe, let number = pressure.file?.number { _ = try? Process.read(number, count: 256) }
    rise()
  }

  /// Takes one measure more; those already taken had their second to help.
  private func rise() {
    pressure.next = milliseconds + Limits.calm
    guard milliseconds - pressure.risen >= 1000 else { return }
    pressure.risen = milliseconds
    passwords.forget()
    (reply, scratch) = (Bytes(), Bytes())
    Memory.giveBack()
    if pressure.level < 3 { set(pressure.level + 1) }
  }

  private func set(_ level: Int) {
    pressure.level = level
    record(.memoryPressure(level))
  }

  /// Reads how it is where the kernel does not tell, and ends one measure after a calm time.
  func lookAtPressure() {
    if pressure.kind == .polled, let number = pressure.file?.number {
      // "some avg10=12.34 ...": the part of the last ten seconds that somebody waited.
      var text = Bytes()
      _ = try? files.read(number, into: &text, count: 64, at: 0)
      if text.hasPrefix("some avg10="), let dot = text.firstIndex(of: ASCII.dot), dot > 11,
        text.span.extracting(11..<dot).decimal ?? 0 >= 10
      {
        return rise()
      }
    }
    guard milliseconds >= pressure.next else { return }
    pressure.next = pressure.level > 1 ? milliseconds + Limits.calm : .max
    if pressure.level > 0 { set(pressure.level - 1) }
  }
}
