import System
import Wire

/// `stick:FILE`, wherever a command takes a file: the stick is mounted for it, and can be pulled when it is done.
enum StickUse {
  private static let prefix: StaticString = "stick:"

  /// Runs a command, with files on a stick under the names they have while it is mounted.
  static func around(
    _ invocation: Invocation, _ output: Output, _ body: (Invocation) throws(Failure) -> ExitCode
  ) throws(Failure) -> ExitCode {
    let words = invocation.words.filter { $0.hasPrefix(prefix) }
    guard let first = words.first else { return try body(invocation) }
    let files = Files()
    let wasMounted = Stick.isMounted(files)
    let name = try wasMounted ? [] : mount(named: Bytes(first.dropFirst(6)), files)
    var resolved = invocation
    resolved.replaceWords { word in
      guard word.hasPrefix(prefix) else { return word }
      var rest = Bytes(word.dropFirst(6))
      // `stick:sdb1/FILE`, where there are several.
      if !name.isEmpty, rest.starts(with: name) { rest = Bytes(rest.dropFirst(name.count)) }
      while rest.first == 0x2F { rest.removeFirst() }
      return Stick.directory.appending(rest).bytes
    }
    var code = ExitCode.ok
    do throws(Failure) {
      code = try body(resolved)
    } catch {
      try? eject(files)
      if !name.isEmpty, !files.exists(Path("/sys/class/block").appending(name)) {
        throw Failure(
          .io, "the stick was pulled out before all was done; what is on it of this is not whole. Try again")
      }
      throw error
    }
    if wasMounted { return code }
    output.flush()
    try eject(files)
    output.line("the stick can be pulled out")
    return code
  }

  /// The sticks that can be used.
  static func usable(_ files: Files) -> [Stick] { Stick.all(files).filter { $0.format != nil } }

  /// Mounts the stick that `wish` begins with the name of, or the only one; returns its name.
  @discardableResult
  static func mount(named wish: Bytes, _ files: Files) throws(Failure) -> Bytes {
    if Process.user != 0 { throw Failure(.permission, "sticks are root's business; run this as root") }
    let sticks = usable(files)
    let named = sticks.first {
      wish.starts(with: $0.name) && (wish.count == $0.name.count || wish[$0.name.count] == 0x2F)
    }
    guard let stick = named ?? sticks.first else {
      throw Failure(
        .noInput,
        "there is no USB stick with a file system that can be used (FAT, exFAT, ext4). Put one in and wait a moment")
    }
    if named == nil && sticks.count > 1 {
      throw Failure(
        .usage,
        "there are several sticks: pull the others out, or say which, as `restante stick list` has it: stick:sdb1/FILE")
    }
    guard let format = stick.format else { return [] }
    do throws(Errno) {
      try files.ensureDirectory(Stick.directory)
      do throws(Errno) {
        try Mounts.mount(
          stick.device, on: Stick.directory, type: format.type, options: format.options, readOnly: false)
      } catch {
        // Its switch says so; it can be read all the same.
        if error != .readOnly && error != .denied { throw error }
        try Mounts.mount(
          stick.device, on: Stick.directory, type: format.type, options: format.options, readOnly: true)
      }
    } catch {
      throw Failure("cannot use the stick", stick.device, error, otherwise: .io)
    }
    return stick.name
  }

  /// Writes out what is still to be written, and lets go of the stick.
  static func eject(_ files: Files) throws(Failure) {
    guard Stick.isMounted(files) else { return }
    // Commands act as the server's user; what they mounted is root's.
    try? Identity.root.become()
    do throws(Errno) {
      do throws(Errno) {
        let directory = try files.open(Stick.directory, [.read, .directory])
        try Mounts.flush(directory.number)
      } catch {
        try? Mounts.unmount(Stick.directory, detach: true)
        throw error
      }
      try Mounts.unmount(Stick.directory)
    } catch {
      throw Failure("not all could be written to the stick mounted at", Stick.directory, error)
    }
  }
}
