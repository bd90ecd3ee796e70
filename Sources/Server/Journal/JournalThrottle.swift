import Wire

/// Lets so many lines of a kind through in a second and counts the rest.
struct JournalThrottle {
  private struct Kind {
    let name: StaticString
    var lines: Int
  }

  private var kinds: [Kind] = []
  private var second = Int64.min

  /// Whether one more line of the kind may be written at `now`, in seconds. Call ``turn(now:_:)`` first.
  mutating func admits(_ name: StaticString) -> Bool {
    for index in kinds.indices where unsafe kinds[index].name.utf8Start == name.utf8Start {
      kinds[index].lines += 1
      return kinds[index].lines <= Limits.journalLines
    }
    kinds.append(Kind(name: name, lines: 1))
    return true
  }

  /// Whether ``turn(now:_:)`` has something to tell when the second is over.
  var hasLeftOut: Bool { kinds.contains { $0.lines > Limits.journalLines } }

  /// Begins a new second if `now` is one, and tells what was left out of the last.
  mutating func turn(now: Int64, _ tell: (_ lines: Int, _ kind: StaticString) -> Void) {
    guard now != second else { return }
    second = now
    for kind in kinds where kind.lines > Limits.journalLines { tell(kind.lines - Limits.journalLines, kind.name) }
    kinds.removeAll(keepingCapacity: true)
  }
}
