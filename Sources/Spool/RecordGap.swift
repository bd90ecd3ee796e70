import Wire

extension RecordHeader {
  /// The line that turns a run of records into one gap of exactly the same extent.
  static func gap(_ run: Reclamation.Run, key: UInt32) -> Bytes? {
    // The length's own digits count; where 99 needs one more and 100 one less, another field gives way.
    for filler: UInt64 in [0, 10] {
      for digits in 1...8 {
        var header = RecordHeader(.gap, sequence: run.sequence, batch: 0, time: 0, extra: filler)
        var probe = Bytes()
        header.append(to: &probe, key: key)
        let lineLength = Int64(probe.count - 1 + digits)
        guard run.length >= lineLength, let length = UInt32(exactly: run.length - lineLength) else { return nil }
        header.length = length
        var line = Bytes()
        header.append(to: &line, key: key)
        if Int64(line.count) == lineLength { return line }
      }
    }
    return nil
  }
}
