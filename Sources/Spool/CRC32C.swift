import Wire

/// The Castagnoli CRC of RFC 3720 appendix B.4, eight octets a step.
struct CRC32C: Equatable, Sendable {
  private var state: UInt32

  /// A sum over nothing yet. What was summed up under another `seed` does not match.
  init(seed: UInt32 = 0) { state = ~seed }

  /// The sum so far.
  var value: UInt32 { ~state }

  mutating func add(_ bytes: Bytes) { add(bytes.span) }

  mutating func add(_ bytes: Span<UInt8>) {
    var crc = state
    let table = CRC32C.table
    // The eight tables are one array of 2,048 entries, and every index below is an octet plus a table's beginning.
    unsafe table.withUnsafeBufferPointer { table in
      unsafe bytes.withUnsafeBytes { bytes in
        var index = 0
        while index + 8 <= bytes.count {
          let low = unsafe crc ^ UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self))
          let high = unsafe UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index + 4, as: UInt32.self))
          crc =
            unsafe table[1792 + Int(low & 255)] ^ table[1536 + Int(low >> 8 & 255)]
            ^ table[1280 + Int(low >> 16 & 255)] ^ table[1024 + Int(low >> 24)]
            ^ table[768 + Int(high & 255)] ^ table[512 + Int(high >> 8 & 255)]
            ^ table[256 + Int(high >> 16 & 255)] ^ table[Int(high >> 24)]
          index += 8
        }
        while index < bytes.count {
          crc = unsafe crc >> 8 ^ table[Int((crc ^ UInt32(bytes[index])) & 255)]
          index += 1
        }
      }
    }
    state = crc
  }

  private static let table: [UInt32] = {
    var table = [UInt32](repeating: 0, count: 2048)
    for octet in 0..<256 {
      var crc = UInt32(octet)
      for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0x82F6_3B78 : 0) }
      table[octet] = crc
    }
    for index in 256..<2048 { table[index] = table[index - 256] >> 8 ^ table[Int(table[index - 256] & 255)] }
    return table
  }()
}
