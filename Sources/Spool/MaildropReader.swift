import System
import Wire

/// A maildrop seen from another process, with or without a daemon: it reads the files and changes nothing.
public final class MaildropReader {
  private let index: IndexFile
  private let store: MessageStore
  /// Every entry, oldest first: those to be read, those that can be restored, and what is left of others.
  public let entries: [Entry]

  /// The maildrop `name` of the spool in `directory`; throws `.gone` when it has never had mail.
  public init(_ directory: Path, _ name: Bytes, files: Files = Files()) throws(SpoolError) {
    let place = SpoolFiles(directory)
    guard let identity = try SpoolIdentity.read(place, files) else { throw .damaged }
    guard files.exists(place.index(name)) else { throw .gone }
    var found: [Entry] = []
    index = try IndexFile.open(place.index(name), identity, name, files, upTo: .max, writable: false) {
      found.append($0)
    }
    entries = found
    store = MessageStore(place, files, key: identity.key) { _ in }
  }

  /// Opens a message, deleted or not, for as long as its octets are there.
  public func open(_ entry: Entry) throws(SpoolError) -> StoredMessage { try store.open(entry) }

  /// The maildrops that have an index in the spool in `directory`, in the order of their names; not the device's own,
  /// whose names begin with an underscore.
  public static func names(_ directory: Path, files: Files = Files()) -> [Bytes] {
    guard var names = try? files.list(SpoolFiles(directory).indexes) else { return [] }
    names.removeAll { $0.contains(0x7E) || $0.first == 0x5F }
    names.shellSort { $0.lexicographicallyPrecedes($1) }
    return names
  }
}
