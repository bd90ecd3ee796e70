import Testing
import Wire

@Suite("Speed")
struct ThroughputTests {
  #if !DEBUG
    @Test("A message of ordinary lines is scanned at more than 500 MB a second")
    func scanner() {
      var line = Bytes(repeating: 0x61, count: 76)
      line.appendCRLF()
      var block = Bytes()
      while block.count < 64 * 1024 { block += line }
      for policy in [BareNewline.reject, .normalize] {
        var best = Duration.seconds(1000)
        // Short runs, and the best of many: other programs' share of the machine does not count.
        for _ in 0..<200 {
          var scanner = ContentScanner(bareNewline: policy)
          var content = Bytes()
          content.reserveCapacity(2 * block.count)
          let time = ContinuousClock().measure {
            for _ in 0..<10 {
              content.removeAll(keepingCapacity: true)
              _ = scanner.scan(block.span, into: &content)
            }
          }
          best = min(best, time)
        }
        let rate = Double(block.count) * 10 / (Double(best.components.attoseconds) / 1e18) / 1e6
        print("content scanner, \(policy): \(Int(rate)) MB/s")
        #expect(rate > 500)
      }
    }
  #endif
}
