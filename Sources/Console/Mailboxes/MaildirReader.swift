import System
import Wire

/// The messages in a Maildir's `new` and `cur`, in the order in which they were delivered.
struct MaildirReader {
  struct Message {
    let path: Path
    /// When it was delivered, as its name says; nil where it does not.
    let received: Int64?
  }

  let messages: [Message]

  init(_ directory: Path, _ files: Files) throws(Failure) {
    var found: [Message] = []
    var isMaildir = false
    for part in ["new", "cur"] as [StaticString] {
      let place = directory.appending(part)
      do throws(Errno) {
        for name in try Identity.asCaller({ () throws(Errno) in try files.list(place) }) where name.first != ASCII.dot {
          found.append(Message(path: place.appending(name), received: MaildirReader.time(name)))
        }
        isMaildir = true
      } catch {
        if error != .notFound { throw Failure("cannot read", place, error) }
      }
    }
    guard isMaildir else {
      var text = Bytes()
      text.append(shown: directory.bytes.span, limit: 4096)
      if Identity.asCaller({ files.exists(directory) }) {
        text += " is no Maildir: it has no new and no cur in it"
        throw Failure(.data, text)
      }
      text += " does not exist"
      throw Failure(.noInput, text)
    }
    found.shellSort(MaildirReader.precedes)
    messages = found
  }

  private static func precedes(_ a: Message, _ b: Message) -> Bool {
    let (first, second) = (a.received ?? .max, b.received ?? .max)
    return first != second ? first < second : precedes(a.path.name, b.path.name)
  }

  /// Numbers within names count as numbers: `Q10` comes after `Q9`.
  static func precedes(_ a: Bytes, _ b: Bytes) -> Bool {
    var (i, j) = (0, 0)
    while i < a.count, j < b.count {
      if ASCII.isDigit(a[i]), ASCII.isDigit(b[j]) {
        let (first, second) = (digits(a, &i), digits(b, &j))
        if first.count != second.count { return first.count < second.count }
        if first != second { return first.lexicographicallyPrecedes(second) }
      } else {
        if a[i] != b[j] { return a[i] < b[j] }
        i += 1
        j += 1
      }
    }
    return a.count - i < b.count - j
  }

  /// The digits from `index` on without leading zeros.
  private static func digits(_ name: Bytes, _ index: inout Int) -> ArraySlice<UInt8> {
    while index < name.count, name[index] == 0x30 { index += 1 }
    let start = index
    while index < name.count, ASCII.isDigit(name[index]) { index += 1 }
    return name[start..<index]
  }

  /// The number that a name begins with: seconds since 1970.
  static func time(_ name: Bytes) -> Int64? {
    let digits = name.prefix { ASCII.isDigit($0) }
    guard digits.count >= 9, digits.count < name.count, name[digits.count] == ASCII.dot else { return nil }
    return Bytes(digits).span.decimal.flatMap { Int64(exactly: $0) }
  }
}
