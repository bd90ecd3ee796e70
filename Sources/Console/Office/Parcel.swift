import System
import Wire

/// A message in wire format on its way into the spool, of any size in little memory: what does not fit is in a file
/// that nobody else sees.
final class Parcel {
  /// The content, or its end when the rest is in the file.
  private var memory = Bytes()
  private var file: Descriptor?
  private var inFile: Int64 = 0
  private let directory: Path
  private let files: Files

  /// Octets held in memory.
  private static let held = 256 * 1024
  private static let chunk = 64 * 1024

  init(in directory: Path, _ files: Files) {
    self.directory = directory
    self.files = files
  }

  /// Octets in all.
  var count: Int64 { inFile + Int64(memory.count) }

  /// Puts what it begins with, up to a few thousand octets, which is its header, in the place of `bytes`.
  func readBeginning(_ bytes: inout Bytes) throws(Failure) {
    var position: Int64 = 0
    _ = try read(&bytes, &position)
  }

  /// Appends to the content.
  func append(_ content: Bytes) throws(Failure) {
    memory += content
    guard memory.count > Parcel.held else { return }
    do throws(Errno) {
      try spill()
    } catch {
      throw Failure("cannot write a message into", directory, error)
    }
  }

  /// Moves what is in memory into the file.
  private func spill() throws(Errno) {
    if file == nil {
      var name = Bytes("import.")
      name.append(decimal: Int(Process.identifier))
      let path = directory.appending(name)
      file = try files.open(path, [.read, .write, .create, .exclusive])
      try files.remove(path)
    }
    guard let file = file?.number else { return }
    var full = Bytes()
    swap(&full, &memory)
    try files.writeAll(file, full.span, at: inFile)
    inFile += Int64(full.count)
  }

  func removeAll() {
    memory.removeAll(keepingCapacity: true)
    file = nil
    inFile = 0
  }

  /// Puts the content's next piece in the place of `chunk`, and its end in that of `position`, which is 0 in the
  /// beginning; false at the end.
  func read(_ chunk: inout Bytes, _ position: inout Int64) throws(Failure) -> Bool {
    chunk.removeAll(keepingCapacity: true)
    if position < inFile, let file = file?.number {
      do throws(Errno) {
        let wanted = min(inFile - position, Int64(Parcel.chunk))
        if try files.readAll(file, into: &chunk, count: Int(wanted), at: position) == 0 { throw .io }
      } catch {
        throw Failure("cannot read a file just written in", directory, error)
      }
    } else {
      let start = Int(position - inFile)
      let end = min(memory.count, start + Parcel.chunk)
      if start == end { return false }
      chunk += memory[start..<end]
    }
    position += Int64(chunk.count)
    return true
  }
}
