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
        for _ in 0..<5 {
          var scanner = ContentScanner(bareNewline: policy)
          var content = Bytes()
          content.reserveCapacity(2 * block.count)
          let time = ContinuousClock().measure {
            for _ in 0..<1000 {
              content.removeAll(keepingCapacity: true)
              _ = scanner.scan(block.span, into: &content)
            }
          }
          best = min(best, time)
        }
        let rate = Double(block.count) * 1000 / (Double(best.components.attoseconds) / 1e18) / 1e6
        print("content scanner, \(policy): \(Int(rate)) MB/s")
        #expect(rate > 500)
      }
    }
  #endif
}
