import System
import Wire

/// Who was turned away lately: the last ten different events of that kind, for whoever asks why a mail did not come.
struct Refusals {
  private struct Refusal {
    let event: JournalEvent
    /// When it happened last, in seconds since 1970, and how often.
    var time: Int64
    var count = 1
  }

  private static let most = 10
  private var all: [Refusal] = []

  /// What of the journal's events counts as a refusal, by the first half of their `MESSAGE_ID`: a recipient, a message, a
  /// login, a ban, a connection, a handshake.
  private static func isRefusal(_ event: JournalEvent) -> Bool {
    switch event.kind {
    case 0xA428_0863_3728_4906, 0x0A12_2741_E092_4E22, 0xF0E7_253A_973C_413F, 0x250D_7B5E_82AD_4E9C,
      0xEF77_13EC_53A7_4A39, 0xB550_EC06_E04C_4477:
      true
    default: false
    }
  }

  /// Takes an event, if it is one. The same one again is counted: a sender that goes on trying hides nobody.
  mutating func note(_ event: JournalEvent, now: Int64) {
    guard Refusals.isRefusal(event) else { return }
    var refusal = Refusal(event: event, time: now)
    if let index = all.firstIndex(where: { $0.event == event }) {
      refusal.count = all[index].count + 1
      all.remove(at: index)
    } else if all.count == Refusals.most {
      all.removeLast()
    }
    all.insert(refusal, at: 0)
  }

  /// The latest first, `TIME COUNT` and words.
  var lines: [Bytes] {
    all.map { refusal in
      var line = Bytes()
      line.append(decimal: UInt64(clamping: refusal.time))
      line += " "
      line.append(decimal: refusal.count)
      line += " "
      refusal.event.describe(into: &line)
      return line
    }
  }
}
