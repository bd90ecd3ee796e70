import System
import Wire

/// A maildrop as it was when a session began. Others may deliver and delete meanwhile: this one does not change, and
/// holds nobody up. Messages are numbered from 1 to `count`.
public final class Snapshot {
  /// Messages, and the sum of their sizes.
  public let count: Int
  public let octets: Int64

  let maildrop: Maildrop
  private let index: IndexFile
  private let hidden: Bitmap
  private let epoch: UInt64
  private let store: MessageStore

  init(_ maildrop: Maildrop, epoch: UInt64, store: MessageStore) {
    self.maildrop = maildrop
    self.epoch = epoch
    self.store = store
    index = maildrop.index
    hidden = maildrop.hidden
    count = maildrop.usage.messages
    octets = maildrop.usage.octets
    maildrop.openEpochs.append(epoch)
  }

  deinit {
    if let at = maildrop.openEpochs.firstIndex(of: epoch) { maildrop.openEpochs.remove(at: at) }
  }

  /// The maildrop's name.
  public var name: Bytes { maildrop.name }

  /// Calls `body` with number, size in octets and sequence number of each message from number `first` on, until it
  /// returns false. Reads the index in chunks.
  public func visit(
    from first: Int, _ body: (_ number: Int, _ octets: Int, _ uid: UInt64) -> Bool
  ) throws(SpoolError) {
    guard first >= 1, first <= count else { return }
    var number = first
    var row = hidden.zero(rank: first - 1)
    var chunk = Bytes()
    while number <= count {
      chunk.removeAll(keepingCapacity: true)
      let got: Int
      do throws(Errno) { got = try index.read(row, count: 200, into: &chunk) } catch { throw .failed(error) }
      if got == 0 { throw .damaged }
      for place in 0..<got where number <= count {
        if hidden.setCount > 0 && hidden.contains(row + place) { continue }
        let at = place * Entry.size
        guard body(number, Int(Entry.octets(chunk, at)), Entry.sequence(chunk, at)) else { return }
        number += 1
      }
      row += got
    }
  }

  /// What the index knows of message `number`.
  public func entry(_ number: Int) throws(SpoolError) -> Entry {
    guard number >= 1, number <= count else { throw .gone }
    return try store.entry(hidden.zero(rank: number - 1), of: index)
  }

  /// Opens a message for sending.
  public func open(_ number: Int) throws(SpoolError) -> StoredMessage {
    try store.open(try entry(number))
  }

  /// The sequence numbers of messages `numbers` (sorted), neighbours as a range. A message that this session does not
  /// see never falls into one.
  func sequences(_ numbers: [Int]) throws(SpoolError) -> SequenceSet {
    var set = SequenceSet()
    var run: (low: UInt64, high: UInt64, row: Int)?
    for number in numbers where number >= 1 && number <= count {
      let row = hidden.zero(rank: number - 1)
      let sequence = try index.entry(row).sequence
      if let open = run, open.row + 1 == row {
        run = (open.low, sequence, row)
      } else {
        if let open = run { set.append(open.low...open.high) }
        run = (sequence, sequence, row)
      }
    }
    if let open = run { set.append(open.low...open.high) }
    return set
  }
}
