import System
import Wire

/// Reads an archive that was made as a backup, and believes nothing before all of it was compared with its sums.
final class ArchiveReader {
  struct Member {
    let name: Bytes
    let offset: Int64
    let size: Int64
    fileprivate(set) var sum: Bytes
  }

  private(set) var members: [Member] = []
  /// What the last member says.
  private(set) var sums = Bytes()
  /// Octets of all members.
  private(set) var octets: Int64 = 0

  private let file: Int32
  private let path: Path
  private let files: Files
  private let digest: Digest

  /// Octets of the longest list of sums.
  private static let longestSums: Int64 = 64 << 20

  /// `file` stays the caller's.
  init(_ file: Int32, _ path: Path, _ files: Files) throws(Failure) {
    self.file = file
    self.path = path
    self.files = files
    do throws(Errno) { digest = try Digest() } catch { throw Failure.noDigest }
    try look()
  }

  private func damaged(_ why: StaticString) -> Failure {
    var text = Bytes()
    let name = path.bytes
    text.append(shown: name.span, limit: 4096)
    text += why
    text += "; nothing of it was used. Take another backup"
    return Failure(.data, text)
  }

  /// Reads the headers.
  private func look() throws(Failure) {
    var offset: Int64 = 0
    var header = Bytes()
    while true {
      header.removeAll(keepingCapacity: true)
      try read(&header, Archive.block, at: offset)
      offset += Int64(Archive.block)
      guard let (name, size) = Archive.read(header.span) else {
        throw damaged(
          members.isEmpty
            ? " is no backup that this version can read" : " is not whole: it was cut short, or is damaged")
      }
      if name.equals(Archive.sums) {
        guard size <= ArchiveReader.longestSums else { throw damaged(" is damaged") }
        try read(&sums, Int(size), at: offset)
        return try takeSums()
      }
      members.append(Member(name: name, offset: offset, size: size, sum: []))
      octets += size
      offset += size + Int64(Archive.padding(size))
    }
  }

  private func takeSums() throws(Failure) {
    var lines = 0
    for line in sums.split(separator: ASCII.lf) {
      guard lines < members.count, line.count > 66, members[lines].name.elementsEqual(line.dropFirst(66)) else {
        throw damaged(" is damaged")
      }
      members[lines].sum = Bytes(line.prefix(64))
      lines += 1
    }
    if lines < members.count { throw damaged(" is damaged") }
  }

  private func read(_ bytes: inout Bytes, _ count: Int, at offset: Int64) throws(Failure) {
    let before = bytes.count
    do throws(Errno) {
      try files.readAll(file, into: &bytes, count: count, at: offset)
    } catch {
      throw Failure("cannot read", path, error)
    }
    if bytes.count - before < count { throw damaged(" is not whole: it was cut short") }
  }

  /// Compares every member with its sum.
  func verify(_ progress: Progress) throws(Failure) {
    for member in members { try copy(member) { (piece: Span<UInt8>) throws(Failure) in progress.add(piece.count) } }
  }

  /// Hands a member over piece by piece; throws in the end when it was not what its sum says.
  func copy(_ member: Member, _ body: (Span<UInt8>) throws(Failure) -> Void) throws(Failure) {
    var chunk = Bytes()
    var done: Int64 = 0
    while done < member.size {
      try read(member, &done, &chunk)
      try body(chunk.span)
    }
    try compare(member)
  }

  /// The same into a new file.
  func extract(_ member: Member, to target: Path, _ progress: Progress) throws(Failure) {
    let file: Descriptor
    do throws(Errno) {
      file = try files.open(target, [.write, .create, .exclusive])
    } catch {
      throw Failure("cannot write", target, error, otherwise: .cannotCreate)
    }
    var chunk = Bytes()
    var done: Int64 = 0
    while done < member.size {
      let offset = done
      try read(member, &done, &chunk)
      do throws(Errno) {
        try files.writeAll(file.number, chunk.span, at: offset)
      } catch {
        throw Failure("cannot write", target, error)
      }
      progress.add(chunk.count)
    }
    try compare(member)
  }

  private func read(_ member: Member, _ done: inout Int64, _ chunk: inout Bytes) throws(Failure) {
    chunk.removeAll(keepingCapacity: true)
    try read(&chunk, Int(min(Int64(Archive.chunk), member.size - done)), at: member.offset + done)
    do throws(Errno) { try digest.add(chunk.span) } catch { throw Failure.noDigest }
    done += Int64(chunk.count)
  }

  private func compare(_ member: Member) throws(Failure) {
    let sum: Bytes
    do throws(Errno) { sum = try digest.end() } catch { throw Failure.noDigest }
    if sum != member.sum { throw damaged(" is damaged: a part of it is not what was written") }
  }

  /// A small member's octets; nil when there is none of that name.
  func text(_ name: StaticString) throws(Failure) -> Bytes? {
    guard let member = members.first(where: { $0.name.equals(name) }), member.size < 1 << 20 else { return nil }
    var text = Bytes()
    try copy(member) { (piece: Span<UInt8>) throws(Failure) in text += piece }
    return text
  }
}
