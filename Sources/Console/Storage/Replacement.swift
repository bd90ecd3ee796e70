import System
import Wire

/// Puts other files in the place of many, as one step: after a power cut all of it has been done, or nothing.
///
/// What is new is made beside the old in `replacement.new`, with a plan. Once all is flushed, that directory is called
/// `replacement`, which is when it has been done; from then on the plan is carried out, again and again until it comes
/// to its end. Each of its lines can be carried out twice.
///
///     install NAME PATH    what is called NAME in the directory goes to PATH
///     remove PATH          a file, or a directory with all that is in it
final class Replacement {
  private let state: Path
  private let files: Files
  private let fresh: Path
  private let ready: Path
  private var plan = Bytes()
  /// Keeps others away from the state directory's files meanwhile.
  private let held: Descriptor

  private static let longestPlan = 1 << 20

  /// Takes the state directory's lock; `waits` while another has it.
  init(_ state: Path, _ files: Files, waits: Bool = false) throws(Failure) {
    self.state = state
    self.files = files
    fresh = state.appending("replacement.new")
    ready = state.appending("replacement")
    do throws(Errno) {
      held = try files.open(state, [.read, .directory])
      try files.lock(held.number, wait: waits)
    } catch {
      if error == .again {
        throw Failure(.tryAgain, "somebody else is changing this device's files at this moment; try again later")
      }
      throw Failure("cannot open", state, error)
    }
  }

  /// What a power cut left undone is done now. Returns whether there was something.
  static func resume(_ state: Path, _ files: Files, waits: Bool) throws(Failure) -> Bool {
    try Replacement(state, files, waits: waits).carryOut()
  }

  /// Makes the directory for what is new; returns it.
  func begin() throws(Failure) -> Path {
    _ = try carryOut()
    do throws(Errno) {
      try files.ensureDirectory(fresh)
      for name in ["etc", "etc/restante.conf.d", "state", "spool", "spool/log"] as [StaticString] {
        try files.ensureDirectory(fresh.appending(name))
      }
    } catch {
      throw Failure("cannot make", fresh, error, otherwise: .cannotCreate)
    }
    return fresh
  }

  func install(_ name: Bytes, at path: Path) {
    plan += "install "
    plan += name
    plan += " "
    plan += path.bytes
    plan += "\n"
  }

  func remove(_ path: Path) {
    plan += "remove "
    plan += path.bytes
    plan += "\n"
  }

  /// Takes back what was made and not committed.
  func forget() { try? Replacement.removeTree(fresh, files) }

  /// From here on it has been done.
  func commit() throws(Failure) {
    do throws(Errno) {
      try files.replace(fresh.appending("plan"), with: plan)
      try files.rename(fresh, to: ready)
      try files.flushDirectory(state)
    } catch {
      throw Failure("cannot write", fresh, error)
    }
  }

  /// Carries out what is committed; forgets what is not. Returns whether something was.
  @discardableResult
  func carryOut() throws(Failure) -> Bool {
    guard files.exists(ready) else {
      do throws(Errno) { try Replacement.removeTree(fresh, files) } catch {
        throw Failure("cannot remove", fresh, error)
      }
      return false
    }
    do throws(Errno) {
      let plan = try files.contents(ready.appending("plan"), limit: Replacement.longestPlan)
      for line in plan.split(separator: ASCII.lf) { try carryOut(Bytes(line)) }
      // Forgotten in one step, then removed.
      try Replacement.removeTree(fresh, files)
      try files.rename(ready, to: fresh)
      try files.flushDirectory(state)
      try Replacement.removeTree(fresh, files)
    } catch {
      throw Failure("cannot finish what was begun and is in", ready, error)
    }
    return true
  }

  private func carryOut(_ line: Bytes) throws(Errno) {
    if line.hasPrefix("remove ") {
      let path = Path(Bytes(line.dropFirst(7)))
      // What is the caller's, and not the server's, only root removes.
      do throws(Errno) {
        try Replacement.removeTree(path, files)
      } catch {
        if error != .denied && error != .notPermitted { throw error }
        try Identity.asCaller { () throws(Errno) in try Replacement.removeTree(path, files) }
      }
    }
    let words = line.split(separator: ASCII.space, maxSplits: 2).map { Bytes($0) }
    guard words.count == 3, words[0].equals("install") else { return }
    let source = ready.appending(words[1])
    let target = Path(words[2])
    guard let status = try? files.status(source) else { return }
    if words[1].hasPrefix("etc/") {
      let text = try files.contents(source, limit: Replacement.longestPlan)
      let isKey = words[1].equals("etc/key")
      let mode: UInt32 = isKey || words[1].suffix(4).elementsEqual(Bytes(".pin")) ? 0o600 : 0o644
      let server = try Identity(ownerOf: state)
      try Identity.asCaller { () throws(Errno) in
        try files.ensureDirectory(target.directory, permissions: 0o755)
        try files.replace(target, with: text, permissions: mode)
        // Whatever the umask says, the server must be able to read it.
        let file = try files.open(target, .read)
        try files.setPermissions(file.number, mode)
        if isKey { try server.own(target) }
      }
      return
    }
    if status.isDirectory, files.exists(target) {
      let old = ready.appending("old")
      try Replacement.removeTree(old, files)
      try files.rename(target, to: old)
    }
    try files.rename(source, to: target)
    try files.flushDirectory(target.directory)
  }

  /// Removes a file, or a directory with all that is in it. That there is none is no error.
  static func removeTree(_ path: Path, _ files: Files) throws(Errno) {
    // A link is removed and not followed: unlink(2) says of a directory that it is one.
    do throws(Errno) {
      try files.remove(path)
      return
    } catch {
      if error == .notFound { return }
      if error != .isDirectory { throw error }
    }
    for name in try files.list(path) { try removeTree(path.appending(name), files) }
    try files.removeDirectory(path)
  }
}
