import System
import Wire

/// What a backup's file is: a tar archive (POSIX.1-1988, ustar), so that it can be read without this program. Its last
/// member, SHA256SUMS, has a sum for each of the others, as sha256sum(1) takes them.
enum Archive {
  /// The directory that all members are in; the number changes with what they mean.
  static let top: StaticString = "restante-backup-1/"
  static let sums: StaticString = "SHA256SUMS"
  static let block = 512
  /// Octets read or written at a time.
  static let chunk = 64 * 1024

  /// Octets from the end of a member to the beginning of the next one.
  static func padding(_ size: Int64) -> Int { Int(-size & 511) }

  /// A member's header; nil for a name that ustar has no room for.
  static func header(_ name: Bytes, size: Int64, time: Int64) -> Bytes? {
    var header = Bytes(top) + name
    guard header.count <= 100 else { return nil }
    fill(&header, 100)
    header += "0000600\00000000\00000000\0"
    append(octal: size, 11, &header)
    append(octal: max(0, time), 11, &header)
    let sumAt = header.count
    header += "        0"
    fill(&header, 257)
    header += "ustar\000root"
    fill(&header, 297)
    header += "root"
    fill(&header, block)
    var sum = Bytes()
    append(octal: checksum(header.span), 6, &sum)
    sum.append(ASCII.space)
    header.replaceSubrange(sumAt..<sumAt + 8, with: sum)
    return header
  }

  private static func fill(_ header: inout Bytes, _ count: Int) {
    header.append(contentsOf: repeatElement(0, count: count - header.count))
  }

  /// Appends a number in octal digits, and NUL.
  private static func append(octal number: Int64, _ digits: Int, _ bytes: inout Bytes) {
    for digit in 1...digits {
      bytes.append(0x30 + UInt8(truncatingIfNeeded: number >> Int64(3 * (digits - digit)) & 7))
    }
    bytes.append(0)
  }

  private static func octal(_ text: Span<UInt8>) -> Int64? {
    var number: Int64 = 0
    for index in text.indices where text[index] != 0 && text[index] != ASCII.space {
      guard text[index] & 0xF8 == 0x30, number < 1 << 56 else { return nil }
      number = number << 3 | Int64(text[index] & 7)
    }
    return number
  }

  /// The sum of all octets, those of the sum itself taken for spaces.
  private static func checksum(_ header: Span<UInt8>) -> Int64 {
    var sum: Int64 = 0
    for index in header.indices { sum += Int64((148..<156).contains(index) ? ASCII.space : header[index]) }
    return sum
  }

  /// Name and size of the member that a header begins; nil when it is none of ours.
  static func read(_ header: Span<UInt8>) -> (name: Bytes, size: Int64)? {
    guard header.count == block, let size = octal(header.extracting(124..<136)),
      octal(header.extracting(148..<156)) == checksum(header)
    else { return nil }
    let end = header.firstIndex(of: 0) ?? 100
    let name = Bytes(header.extracting(0..<min(end, 100)))
    guard name.hasPrefix(top) else { return nil }
    return (Bytes(name.dropFirst(top.utf8CodeUnitCount)), size)
  }
}

/// Writes an archive.
final class ArchiveWriter {
  private let outlet: Outlet
  private let digest: Digest
  private let time: Int64
  private let progress: Progress
  /// What the last member will say.
  private(set) var sums = Bytes()

  init(_ outlet: Outlet, time: Int64, _ progress: Progress) throws(Failure) {
    self.outlet = outlet
    self.time = time
    self.progress = progress
    do throws(Errno) { digest = try Digest() } catch { throw Failure.noDigest }
  }

  /// Adds a member of `size` octets, which `body` hands over piece by piece.
  func add(
    _ name: Bytes, _ size: Int64, _ body: ((Span<UInt8>) throws(Failure) -> Void) throws(Failure) -> Void
  ) throws(Failure) {
    guard let header = Archive.header(name, size: size, time: time) else {
      throw Failure(.data, Bytes("the name of this file is too long for a backup: ") + name)
    }
    try outlet.write(header)
    try body { (piece: Span<UInt8>) throws(Failure) in
      do throws(Errno) { try digest.add(piece) } catch { throw Failure.noDigest }
      try outlet.write(Bytes(piece))
      progress.add(piece.count)
    }
    try outlet.write(Bytes(repeating: 0, count: Archive.padding(size)))
    do throws(Errno) { sums += try digest.end() } catch { throw Failure.noDigest }
    sums += "  "
    sums += name
    sums += "\n"
  }

  func add(_ name: Bytes, _ text: Bytes) throws(Failure) {
    try add(name, Int64(text.count)) { (hand: (Span<UInt8>) throws(Failure) -> Void) throws(Failure) in
      try hand(text.span)
    }
  }

  /// Adds the sums, and the end.
  func finish() throws(Failure) {
    let all = sums
    try add(Bytes(Archive.sums), all)
    sums = all
    try outlet.write(Bytes(repeating: 0, count: 2 * Archive.block))
  }
}

/// Says each tenth of something long.
final class Progress {
  private let total: Int64
  private let what: StaticString
  private let output: Output
  private var done: Int64 = 0
  private var told: Int64 = 0

  /// Octets that nobody gets impatient over.
  private static let short: Int64 = 32 << 20

  init(_ total: Int64, _ what: StaticString, _ output: Output) {
    self.total = total
    self.what = what
    self.output = output
  }

  func add(_ count: Int) {
    done += Int64(count)
    guard total > Progress.short, done * 10 / total > told, done < total else { return }
    told = done * 10 / total
    var text = Bytes(what)
    text.append(decimal: Int(told * 10))
    text += " %"
    output.line(text)
    output.flush()
  }
}

extension Failure {
  static var noDigest: Failure { Failure(.unavailable, "no checksum can be made: out of memory") }
}
