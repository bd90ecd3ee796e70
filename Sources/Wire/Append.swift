extension Array where Element == UInt8 {
  /// Appends one octet. The standard library's own `append` becomes some sixty octets of code at each of the hundreds
  /// of places that call it, which for a program of this size is a tenth of it; this one is called.
  @inline(never)
  public mutating func append(_ octet: UInt8) {
    append(contentsOf: CollectionOfOne(octet))
  }

  /// Appends up to `count` octets that `fill` writes into memory which is not set to anything before, and of which it
  /// returns how many there are; more than `count` or less than none count as none.
  @unsafe
  public mutating func append(
    upTo count: Int, _ fill: (UnsafeMutableBufferPointer<UInt8>) -> Int
  ) {
    append(addingCapacity: count) { (spare: inout OutputSpan<UInt8>) in
      unsafe spare.withUnsafeMutableBufferPointer { buffer, filled in
        let got = unsafe fill(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
        filled = got >= 0 && got <= count ? got : 0
      }
    }
  }

  /// Appends a copy of the octets in one piece. The standard library's way is a loop over them when code is to be small.
  @inline(never)
  @unsafe
  mutating func append(copying octets: UnsafeBufferPointer<UInt8>) {
    guard let source = octets.baseAddress, octets.count > 0 else { return }
    unsafe append(upTo: octets.count) { target in
      unsafe UnsafeMutableRawPointer(target.baseAddress!).copyMemory(from: source, byteCount: octets.count)
      return octets.count
    }
  }
}
