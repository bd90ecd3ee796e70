import Server
import System
import Wire

extension StatusCommand {
  /// What the console shows above its menu: seven lines at most, 79 columns wide.
  func brief(_ report: Report) {
    let rule = Bytes(repeating: 0x2D, count: 79)
    output.line(rule)
    var text = Bytes(Help.version)
    text.removeLast()
    text[0] = 0x52
    text += "   "
    text += site.configuration.device.hostName
    text += "   "
    Moment.append(Clock.now, to: &text)
    output.line(text)
    text = Bytes(
      report.isRunning && report.unavailable.isEmpty
        ? "  serves mail" : "  MAIL IS NOT SERVED: the server does not run or does not answer")
    if Clock.now < Limits.clockFloor { text += "; the clock is not set" }
    if report.problems > 0 || !report.certificateProblem.isEmpty { text += "; TROUBLE: see 2, Status" }
    output.line(text)
    if !report.damage.isEmpty { output.line(Bytes("  THE CARD WAS, OR IS, DAMAGED: see 2, Status")) }
    text = Bytes("  ")
    text.append(decimal: Int(report.messages))
    text += report.messages == 1 ? " message, " : " messages, "
    text.append(rounded: report.octets)
    text += " in "
    text.append(decimal: Int(report.accounts))
    text += report.accounts == 1 ? " account" : " accounts"
    if let disk = report.disk {
      text += "; disk "
      text.append(rounded: disk.available)
      text += " of "
      text.append(rounded: disk.total)
      text += " free"
    }
    if !report.hasRoom { text += ", FULL" }
    output.line(text)
    text = Bytes(" ")
    text += Sockets.ownAddresses
    if text.count < 3 { text += " no network address" }
    output.line(text)
    output.line(rule)
  }
}
