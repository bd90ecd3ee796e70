import Wire

/// What was tried in vain, each thing counted once, by each of so many networks, or at each of so many names.
///
/// Bounded: when it is full, whoever is least worth remembering is forgotten, so that a flood of newcomers pushes out
/// newcomers and not those who are banned.
struct GuessingTable {
  /// One who tries, or one name that is tried.
  struct Entry {
    let key: UInt64
    /// When counting began, in seconds.
    var since: Int64
    /// A bit for each thing that was tried. Few enough that seeing them tells nothing of a password; things that share a
    /// bit count as one, which makes 20 a guess too few now and then.
    var seen = InlineArray<4, UInt64>(repeating: 0)
    var count: Int32 = 0
    /// When something was tried last, in seconds.
    var last = Int64.min / 2
    /// Bans so far.
    var bans: Int32 = 0
    var bannedUntil = Int64.min / 2

    /// Higher for what should be remembered longer.
    func worth(_ now: Int64) -> Int64 {
      if bannedUntil > now { return 1 << 32 + bannedUntil - now }
      let current = now - since < Limits.guessWindow ? Int64(count) : 0
      return current + (now - bannedUntil < Limits.longestBan ? Int64(bans) << 16 : 0)
    }
  }

  private(set) var entries: [Entry] = []
  let limit: Int

  init(limit: Int) { self.limit = limit }

  func find(_ key: UInt64) -> Int? {
    for index in entries.indices where entries[index].key == key { return index }
    return nil
  }

  /// Seconds since something was tried last.
  func idle(_ key: UInt64, now: Int64) -> Int64 { find(key).map { now - entries[$0].last } ?? .max }

  /// How many different things were tried lately.
  func count(_ key: UInt64, now: Int64) -> Int {
    guard let index = find(key), now - entries[index].since < Limits.guessWindow else { return 0 }
    return Int(entries[index].count)
  }

  /// Notes that `thing` was tried in vain; returns its place, and whether it is new.
  mutating func note(_ key: UInt64, thing: UInt64, now: Int64) -> (index: Int, isNew: Bool) {
    let index = find(key) ?? make(key, now)
    if now - entries[index].since >= Limits.guessWindow {
      entries[index].since = now
      entries[index].seen = InlineArray(repeating: 0)
      entries[index].count = 0
    }
    entries[index].last = now
    let bit: UInt64 = 1 << (thing & 63)
    let word = Int(thing >> 6 & 3)
    let isNew = entries[index].seen[word] & bit == 0
    if isNew {
      entries[index].seen[word] |= bit
      entries[index].count += 1
    }
    return (index, isNew)
  }

  /// Bans; returns for how many seconds.
  mutating func ban(_ index: Int, now: Int64) -> Int64 {
    if now - entries[index].bannedUntil >= Limits.longestBan { entries[index].bans = 0 }
    let seconds = min(Limits.longestBan, Limits.ban << Int64(min(entries[index].bans, 16)))
    entries[index].bans += 1
    entries[index].bannedUntil = now + seconds
    // Counting begins anew when it is over.
    entries[index].since = Int64.min / 2
    return seconds
  }

  /// Ends a ban and forgets what it was for.
  mutating func lift(_ index: Int) { entries.remove(at: index) }

  private mutating func make(_ key: UInt64, _ now: Int64) -> Int {
    let fresh = Entry(key: key, since: now)
    if entries.count < limit {
      entries.append(fresh)
      return entries.count - 1
    }
    var least = 0
    for index in entries.indices where entries[index].worth(now) < entries[least].worth(now) { least = index }
    entries[least] = fresh
    return least
  }
}
