import Spool
import Wire

/// A stored message on its way to a reader: all of it, or its beginning for TOP.
final class Transfer {
  let message: StoredMessage
  /// Whether only the beginning is sent, with an end of its own.
  let isTop: Bool
  /// Octets sent so far, and to be sent.
  private(set) var position: Int64 = 0
  private(set) var end: Int64
  /// Looks for the end of what TOP asked for; nil once it is known.
  private var cutter: TopCutter?
  private var scanned: Int64 = 0

  init(_ message: StoredMessage, bodyLines: Int?) {
    self.message = message
    isTop = bodyLines != nil
    end = bodyLines == nil ? message.count : 0
    cutter = bodyLines.map { TopCutter(bodyLines: $0) }
  }

  /// Whether it is known how much is to be sent.
  var isMeasured: Bool { cutter == nil }

  /// Whether it is worth reading into memory and sending with the words in front of it.
  var isShort: Bool { !isTop && message.count <= Int64(Limits.shortMessage) }

  /// Whether everything was sent but the end that TOP adds.
  var isSent: Bool { isMeasured && position >= end }

  /// Looks through the next piece of the message for where TOP ends; returns how many octets that were.
  func measure(_ scratch: inout Bytes) throws(SpoolError) -> Int {
    guard cutter != nil else { return 0 }
    scratch.removeAll(keepingCapacity: true)
    let count = try message.read(into: &scratch, count: Transfer.piece, at: scanned)
    scanned += Int64(count)
    if let cut = cutter?.scan(scratch.span) {
      end = min(Int64(cut), message.count)
      cutter = nil
    } else if count == 0 || scanned >= message.count {
      end = min(Int64(cutter?.certain ?? 0), message.count)
      cutter = nil
    }
    return count
  }

  /// Octets looked through at a time: most headers with some lines fit.
  private static let piece = 16 * 1024

  /// Where in the file the next octets stand, and how many there are.
  var next: (offset: Int64, count: Int64) { (message.offset + position, end - position) }

  func advance(_ count: Int) { position += Int64(count) }
}
