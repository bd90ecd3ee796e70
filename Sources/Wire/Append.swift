extension Array where Element == UInt8 {
  /// Appends one octet. The standard library's own `append` becomes some sixty octets of code at each of the hundreds
  /// of places that call it, which for a program of this size is a tenth of it; this one is called.
  @inline(never)
  public mutating func append(_ octet: UInt8) {
    append(contentsOf: CollectionOfOne(octet))
  }

  /// Appends `count` zeros, a page at a time: octet by octet it would cost more than what is then read over them.
  public mutating func append(zeros count: Int) {
    reserveCapacity(self.count + count)
    var left = count
    while left > 0 {
      let step = Swift.min(left, Self.zeros.count)
      self += Self.zeros.span.extracting(0..<step)
      left -= step
    }
  }

  private static let zeros = Bytes(repeating: 0, count: 4096)
}
