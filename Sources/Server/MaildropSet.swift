import Wire

/// The maildrops a message goes to, each once, in the order of their octets.
struct MaildropSet {
  private(set) var names: [Bytes] = []

  var isEmpty: Bool { names.isEmpty }

  mutating func insert(_ name: Bytes) {
    var low = 0
    var high = names.count
    while low < high {
      let middle = (low + high) / 2
      if precedes(names[middle], name) { low = middle + 1 } else { high = middle }
    }
    if low < names.count, names[low] == name { return }
    names.insert(name, at: low)
  }

  private func precedes(_ a: Bytes, _ b: Bytes) -> Bool {
    for index in 0..<min(a.count, b.count) where a[index] != b[index] { return a[index] < b[index] }
    return a.count < b.count
  }
}
