import Wire

/// How long we wait for a peer, and what it must do meanwhile. Seconds are of a clock that only grows.
///
/// One octet now and then extends nothing: a command must be complete in time, and a message must keep a pace.
struct Patience {
  /// What we wait for.
  enum Awaited: UInt8 {
    /// Our own disk or thread: no fault of the peer's.
    case ourselves
    /// That TLS begins, from its first moment on.
    case handshake
    /// The client's login, from its first moment on, whatever it does meanwhile.
    case login
    /// A complete command.
    case command
    /// The rest of a message from the peer.
    case upload
    /// That the peer takes what we have for it.
    case download
    /// That the peer hears our last words.
    case end
  }

  enum Verdict: Equatable {
    /// Look again at ``deadline``.
    case wait
    case over
  }

  private(set) var awaited = Awaited.command
  /// When to look again.
  private(set) var deadline = Int64.max
  /// Octets moved when the window began; nil until it is looked at for the first time.
  private var mark: Int64?
  /// When that was.
  private var begun: Int64 = 0
  /// After this no further command is waited for: a session of a day is a fault, and what it reads cannot be swept.
  private var end = Int64.max

  init() {}

  /// When we began to wait for it at all.
  var since: Int64 { end - Limits.session }

  /// Begins to wait anew, for `seconds`.
  mutating func begin(_ awaited: Awaited, now: Int64, seconds: Int, moved: Int64) {
    self.awaited = awaited
    begun = now
    if end == .max { end = now + Limits.session }
    switch awaited {
    case .ourselves:
      deadline = .max
    case .download:
      // What the kernel holds for the peer is not taken yet; how much that is is asked only if it lasts.
      deadline = now + 1
      mark = nil
    case .handshake, .login, .command, .upload, .end:
      deadline = now + Int64(seconds)
      if awaited == .command { deadline = min(deadline, max(end, now)) }
      mark = moved
    }
  }

  /// Whether patience is over at `now`. `moved` counts the octets the peer has sent or taken since it came; it is asked
  /// for only when it matters.
  mutating func look(now: Int64, moved: () -> Int64) -> Verdict {
    guard now >= deadline else { return .wait }
    switch awaited {
    case .ourselves: return .wait
    case .handshake, .login, .command, .end: return .over
    case .upload, .download:
      let moved = moved()
      if let mark, moved - mark < Int64(Limits.paceOctets) { return .over }
      mark = moved
      begun = now
      deadline = now + Int64(Limits.paceSeconds)
      return .wait
    }
  }

  /// Seconds that the peer has kept us waiting; none while a message from it keeps its pace.
  func idle(now: Int64, moved: Int64) -> Int64 {
    switch awaited {
    case .ourselves: return 0
    case .upload:
      let pace = (now - begun) * Int64(Limits.paceOctets) / Int64(Limits.paceSeconds)
      return moved - (mark ?? 0) >= pace ? 0 : now - begun
    case .handshake, .login, .command, .download, .end: return now - begun
    }
  }
}
