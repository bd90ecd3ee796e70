import System
import Wire

/// Who a spool is: made at random once, so that no UIDL is ever used again, not even after a factory reset.
struct SpoolIdentity: Sendable {
  /// Half of every UIDL: ten letters and digits.
  let prefix: Bytes
  /// What the sums of the log's lines start from. Nobody is told.
  let key: UInt32

  private static let alphabet = Bytes("abcdefghijkmnpqrstuvwxyz23456789")

  /// Reads the identity from either of its two files, or makes it for a spool that has nothing in it yet. Without it
  /// the log cannot be told from noise, so there are two, and no new one is ever made for an old log.
  static func load(_ place: SpoolFiles, _ files: Files) throws(SpoolError) -> SpoolIdentity {
    do throws(Errno) {
      let first = try read(place.id, files)
      let second = try read(place.secondID, files)
      if let found = first ?? second {
        if first == nil { try files.replace(place.id, with: found.text) }
        if second == nil { try files.replace(place.secondID, with: found.text) }
        return found
      }
      guard try place.numbers(files).segments.isEmpty else { throw .invalid }
      let random = try Crypto.random(14)
      let made = SpoolIdentity(
        prefix: Bytes(random[..<10].map { alphabet[Int($0 & 31)] }),
        key: random[10...].reduce(0) { $0 << 8 | UInt32($1) })
      try files.replace(place.id, with: made.text)
      try files.replace(place.secondID, with: made.text)
      return made
    } catch {
      throw error == .invalid ? .damaged : SpoolError(error)
    }
  }

  private static func read(_ path: Path, _ files: Files) throws(Errno) -> SpoolIdentity? {
    do throws(Errno) {
      return SpoolIdentity(try files.contents(path, limit: 4096).span)
    } catch {
      if error == .notFound { return nil }
      throw error
    }
  }

  /// The file's text: one line with its own sum.
  private var text: Bytes {
    var text = Bytes("restante-spool-1 ")
    text += prefix
    text += " "
    text.append(hexadecimal: UInt64(key), width: 8)
    text += " "
    var sum = CRC32C()
    sum.add(text)
    text.append(hexadecimal: UInt64(sum.value), width: 8)
    text.append(ASCII.lf)
    return text
  }

  /// Reads the file's text; nil when it is not one.
  private init?(_ text: Span<UInt8>) {
    guard let end = text.firstIndex(of: ASCII.lf) else { return nil }
    var fields = Fields(line: text.extracting(0..<end))
    guard fields.next().equals("restante-spool-1") else { return nil }
    prefix = Bytes(fields.next())
    guard prefix.count == 10, let key = fields.next().hexadecimal.flatMap({ UInt32(exactly: $0) }) else { return nil }
    self.key = key
    guard Bytes(text) == self.text else { return nil }
  }

  private init(prefix: Bytes, key: UInt32) {
    self.prefix = prefix
    self.key = key
  }
}
