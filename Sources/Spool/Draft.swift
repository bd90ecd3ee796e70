import System
import Wire

/// A message that is being received. The event loop fills it; while it is busy it belongs to the committer.
public final class Draft: @unchecked Sendable {
  /// The content collected and not yet written out, in wire format.
  public var content = Bytes()
  /// The caller's own mark, such as which connection it came by.
  public let tag: UInt64
  /// The committer has it now: do not touch `content`, and read no more from the sender.
  public internal(set) var isBusy = false

  /// Octets counted against `Limits.messagesInMemory`.
  var reserved = 0
  /// Set by the committer once the message has a file of its own.
  var large: LargeMessage?
  /// Set by the committer when a part could not be written: the rest is thrown away, and the commit refuses.
  var failure: SpoolError?

  init(tag: UInt64) { self.tag = tag }
}

/// The file of a large message while it is written. The committer's alone.
final class LargeMessage {
  let number: UInt32
  let file: Descriptor
  var length: Int64 = 0
  var crc = CRC32C()

  init(number: UInt32, file: consuming Descriptor) {
    self.number = number
    self.file = file
  }
}
