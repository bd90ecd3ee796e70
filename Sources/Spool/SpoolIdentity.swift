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
      if let found = try find(place, files) {
        try found.write(place, files)
        return found
      }
      if try place.numbers(files).segments.isEmpty {
        let made = SpoolIdentity(random: try Crypto.random(14))
        try made.write(place, files)
        return made
      }
    } catch {
      throw SpoolError(error)
    }
    throw .damaged
  }

  /// Reads the identity and changes nothing; nil where neither file has it.
  static func read(_ place: SpoolFiles, _ files: Files) throws(SpoolError) -> SpoolIdentity? {
    do throws(Errno) { return try find(place, files) } catch { throw SpoolError(error) }
  }

  private static func find(_ place: SpoolFiles, _ files: Files) throws(Errno) -> SpoolIdentity? {
    for path in [place.id, place.secondID] {
      if let found = try read(path, files) { return found }
    }
    return nil
  }

  private static func read(_ path: Path, _ files: Files) throws(Errno) -> SpoolIdentity? {
    var text = Bytes()
    do throws(Errno) {
      text = try files.contents(path, limit: 4096)
    } catch {
      if error == .notFound { return nil }
      throw error
    }
    return SpoolIdentity(text)
  }

  /// Writes whichever of the two files is not as it should be.
  private func write(_ place: SpoolFiles, _ files: Files) throws(Errno) {
    for path in [place.id, place.secondID] {
      if let there = try? files.contents(path, limit: 4096), there == text { continue }
      try files.replace(path, with: text)
    }
  }

  /// The file's text: one line with its own sum.
  var text: Bytes {
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
  private init?(_ text: Bytes) {
    guard let end = text.firstIndex(of: ASCII.lf) else { return nil }
    var fields = Fields(line: text.span.extracting(0..<end))
    guard fields.next().equals("restante-spool-1") else { return nil }
    prefix = Bytes(fields.next())
    guard prefix.count == 10, let key = fields.next().hexadecimal.flatMap({ UInt32(exactly: $0) }) else { return nil }
    self.key = key
    guard text == self.text else { return nil }
  }

  /// Fourteen octets that nobody can guess.
  private init(random: Bytes) {
    prefix = random.prefix(10).map { SpoolIdentity.alphabet[Int($0 & 31)] }
    key = random.dropFirst(10).reduce(0) { $0 << 8 | UInt32($1) }
  }
}
