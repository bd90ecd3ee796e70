extension Array where Element == UInt8 {
  /// Appends one octet. The standard library's own `append` becomes some sixty octets of code at each of the hundreds
  /// of places that call it, which for a program of this size is a tenth of it; this one is called.
  @inline(never)
  public mutating func append(_ octet: UInt8) {
    append(contentsOf: CollectionOfOne(octet))
  }
}
