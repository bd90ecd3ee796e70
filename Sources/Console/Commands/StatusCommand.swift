import Accounts
import Server
import Spool
import System
import Wire

/// What `restante status` tells, from the running server or from the files.
struct Report {
  struct Listener {
    var service: Bytes
    var address: Bytes
  }

  var isRunning = false
  /// Why the running server cannot reach the mail; empty when it can.
  var unavailable = Bytes()
  var version: Bytes?
  var process: Int64?
  var started: Int64?
  var listeners: [Listener] = []
  var connectionsSMTP: Int64?
  var connectionsPOP3: Int64?
  var delivered: Int64?
  var logins: Int64?
  /// Addresses from which no passwords are taken.
  var banned: Int64?
  var accounts: Int64 = 0
  var maildrops: Int64 = 0
  var messages: Int64 = 0
  var octets: Int64 = 0
  /// When the message came that has waited for longest.
  var oldest: Int64?
  var deletedMessages: Int64 = 0
  var deletedOctets: Int64 = 0
  /// Octets of the spool's file system; nil where it cannot be asked.
  var disk: (total: Int64, available: Int64)?
  /// Whether new mail is taken.
  var hasRoom = true
  /// What is wrong with accounts, aliases or spool, as far as this looks.
  var problems: Int64 = 0
  /// What is wrong with the card; empty where nothing is.
  var damage = Bytes()
  /// The SHA-256 fingerprint of the certificate, when it ends, what it is for, and why it is not the one it should be.
  var fingerprint = Bytes()
  var notAfter: Int64?
  var names = Bytes()
  var certificateProblem = Bytes()

  /// Whether the certificate is the right one and does not end within two weeks.
  var isCertificateWell: Bool {
    if !certificateProblem.isEmpty { return false }
    guard let notAfter, let due = Certificates.announcement(notAfter: notAfter, now: Clock.now) else { return true }
    return due > 14
  }

  var isWell: Bool {
    isRunning && unavailable.isEmpty && hasRoom && problems == 0 && isCertificateWell && damage.isEmpty
  }

  var exitCode: ExitCode { !isRunning ? .unavailable : isWell ? .ok : .tryAgain }
}

/// `status`.
struct StatusCommand {
  let site: Site
  let invocation: Invocation
  let output: Output

  func run() throws(Failure) -> ExitCode {
    var report = Report()
    if let client = try ControlClient.connect(site.state) {
      for line in try client.lines(Bytes("STATUS")) { StatusCommand.read(line, &report) }
      report.isRunning = true
    } else {
      try look(&report)
    }
    report.disk = (try? site.files.space(site.state)).map { ($0.total, $0.available) }
    if !report.isRunning, let disk = report.disk {
      report.hasRoom = disk.available >= site.configuration.spool.keepFree.octets(of: disk.total)
    }
    report.damage = Damage.words(of: site.state)
    if invocation.has(.seen) { try Damage.seen() }
    if invocation.has(.brief) {
      brief(report)
      return .ok
    }
    let device = DeviceReport(state: site.state)
    if invocation.has(.json) {
      output.line(StatusCommand.json(report, device))
    } else {
      words(report)
      for (name, words) in device.lines {
        var text = Bytes()
        begin(name, &text)
        text += words
        output.line(text)
      }
    }
    return report.exitCode
  }

  // MARK: gathering

  static func read(_ line: Bytes, _ report: inout Report) {
    guard let equals = line.firstIndex(of: 0x3D) else { return }
    let key = Bytes(line[..<equals])
    let value = Bytes(line[(equals + 1)...])
    let number = value.span.decimal.flatMap { Int64(exactly: $0) }
    if key.equals("version") { report.version = value }
    if key.equals("unavailable") { report.unavailable = value }
    if key.equals("oldest") { report.oldest = number }
    if key.equals("process") { report.process = number }
    if key.equals("started") { report.started = number }
    if key.equals("listening"), let space = value.firstIndex(of: ASCII.space) {
      report.listeners.append(
        Report.Listener(service: Bytes(value[..<space]), address: Bytes(value[(space + 1)...])))
    }
    if key.equals("certificate.fingerprint") { report.fingerprint = value }
    if key.equals("certificate.not_after") { report.notAfter = number }
    if key.equals("certificate.names") { report.names = value }
    if key.equals("certificate.problem") { report.certificateProblem = value }
    if key.equals("connections.smtp") { report.connectionsSMTP = number }
    if key.equals("connections.pop3") { report.connectionsPOP3 = number }
    if key.equals("delivered") { report.delivered = number }
    if key.equals("logins") { report.logins = number }
    if key.equals("banned") { report.banned = number }
    guard let number else { return }
    if key.equals("accounts") { report.accounts = number }
    if key.equals("maildrops") { report.maildrops = number }
    if key.equals("messages") { report.messages = number }
    if key.equals("octets") { report.octets = number }
    if key.equals("deleted.messages") { report.deletedMessages = number }
    if key.equals("deleted.octets") { report.deletedOctets = number }
    if key.equals("room") { report.hasRoom = number != 0 }
    if key.equals("problems") { report.problems = number }
  }

  private func look(_ report: inout Report) throws(Failure) {
    let accounts = try site.loadAccounts()
    report.accounts = Int64(accounts.accounts.count)
    report.problems = Int64(accounts.problems.count)
    do throws(Problem) {
      if let certificate = try Certificates.find(site.configuration, site.files)?.certificate {
        report.fingerprint = certificate.fingerprint
        report.notAfter = certificate.notAfter
        report.names = certificate.names
      }
    } catch {
      report.certificateProblem = error.description
    }
    for name in MaildropReader.names(site.spool, files: site.files) {
      report.maildrops += 1
      do throws(Failure) {
        for entry in try site.reader(name)?.entries ?? [] {
          if entry.state == .live {
            report.messages += 1
            report.octets += Int64(entry.octets)
          } else if entry.state == .deleted {
            report.deletedMessages += 1
            report.deletedOctets += Int64(entry.octets)
          }
        }
      } catch {
        report.problems += 1
        Complaint.write(error.text)
      }
    }
  }

  // MARK: telling

  private func words(_ report: Report) {
    let now = Clock.now
    var line = Bytes("restante ")
    if report.isRunning {
      line += report.version ?? Bytes("?")
      line += " runs"
      if let started = report.started {
        line += " since "
        Moment.append(started, to: &line)
        line += " ("
        Moment.append(duration: max(0, now - started), to: &line)
        line += ")"
      }
      if !report.unavailable.isEmpty {
        line += " and CANNOT REACH THE MAIL:\n"
        line += report.unavailable
        line += ".\nSenders are told to try again later; it is tried again every 30 seconds"
      }
      if let process = report.process {
        line += ", process "
        line.append(decimal: Int(process))
      }
    } else {
      line += "does not run; nobody receives or fetches mail. `systemctl start restante`\nstarts it; the files say:"
    }
    output.line(line)
    var text = Bytes()
    for listener in report.listeners {
      begin("listens for", &text)
      text += listener.service
      text += " on "
      text += listener.address
      output.line(text)
    }
    if let smtp = report.connectionsSMTP, let pop3 = report.connectionsPOP3 {
      begin("connections", &text)
      text.append(decimal: Int(smtp))
      text += " SMTP, "
      text.append(decimal: Int(pop3))
      text += " POP3"
      output.line(text)
    }
    if let delivered = report.delivered, let logins = report.logins {
      begin("since start", &text)
      text.append(decimal: Int(delivered))
      text += " messages delivered, "
      text.append(decimal: Int(logins))
      text += " logins"
      if let banned = report.banned, banned > 0 {
        text += "; addresses banned: "
        text.append(decimal: Int(banned))
        text += " (`restante bans`)"
      }
      output.line(text)
    }
    begin("accounts", &text)
    text.append(decimal: Int(report.accounts))
    output.line(text)
    begin("mail", &text)
    text.append(decimal: Int(report.messages))
    text += report.messages == 1 ? " message, " : " messages, "
    text.append(rounded: report.octets)
    if report.deletedMessages > 0 {
      text += "; deleted and still to be restored: "
      text.append(decimal: Int(report.deletedMessages))
      text += ", "
      text.append(rounded: report.deletedOctets)
    }
    if let oldest = report.oldest {
      text += "; the oldest waits since "
      Moment.append(oldest, to: &text)
    }
    output.line(text)
    begin("disk", &text)
    if let disk = report.disk {
      text.append(rounded: disk.available)
      text += " of "
      text.append(rounded: disk.total)
      text += " free; "
    }
    text +=
      report.hasRoom
      ? "there is room for new mail" : "TOO LITTLE: new mail is answered 452 until some is deleted"
    output.line(text)
    if !report.damage.isEmpty {
      begin("DAMAGE", &text)
      text += report.damage
      output.line(text)
    }
    if let notAfter = report.notAfter {
      begin("certificate", &text)
      text += "valid to "
      text.append(certificateEnd: notAfter)
      output.line(text)
      begin("fingerprint", &text)
      text += "SHA-256 "
      text += report.fingerprint
      output.line(text)
    }
    if !report.certificateProblem.isEmpty {
      begin("TROUBLE", &text)
      text += "the certificate cannot be used: "
      text += report.certificateProblem
      output.line(text)
    }
    if report.problems > 0 {
      begin("problems", &text)
      text.append(decimal: Int(report.problems))
      text += "; `restante check` names them"
      output.line(text)
    }
  }

  private func begin(_ label: StaticString, _ line: inout Bytes) {
    line.removeAll(keepingCapacity: true)
    line += "  "
    line += label
    // Names of more than one word are JSON's.
    for index in line.indices where line[index] == 0x5F { line[index] = ASCII.space }
    line.pad(to: 16)
  }

  static func json(_ report: Report, _ device: DeviceReport) -> Bytes {
    var json = JSON()
    func add(_ key: StaticString, _ value: Int64?) {
      if let value { json.add(key, value) } else { json.addNull(key) }
    }
    json.beginObject()
    json.add("running", report.isRunning)
    json.add("well", report.isWell)
    json.add("unavailable", report.unavailable)
    if let version = report.version { json.add("version", version) } else { json.addNull("version") }
    add("process", report.process)
    add("started", report.started)
    json.beginArray("listening")
    for listener in report.listeners {
      json.beginObject()
      json.add("service", listener.service)
      json.add("address", listener.address)
      json.endObject()
    }
    json.endArray()
    json.beginObject("connections")
    add("smtp", report.connectionsSMTP)
    add("pop3", report.connectionsPOP3)
    json.endObject()
    add("delivered", report.delivered)
    add("logins", report.logins)
    add("banned", report.banned)
    add("accounts", report.accounts)
    add("maildrops", report.maildrops)
    add("messages", report.messages)
    add("octets", report.octets)
    add("oldest", report.oldest)
    json.beginObject("deleted")
    add("messages", report.deletedMessages)
    add("octets", report.deletedOctets)
    json.endObject()
    json.beginObject("disk")
    add("total", report.disk?.total)
    add("available", report.disk?.available)
    json.add("room", report.hasRoom)
    json.endObject()
    add("problems", report.problems)
    json.add("damage", report.damage)
    json.add("certificate_fingerprint", report.fingerprint)
    add("certificate_not_after", report.notAfter)
    json.beginArray("certificate_names")
    for name in report.names.split(separator: ASCII.space) { json.add(nil, Bytes(name)) }
    json.endArray()
    json.add("certificate_problem", report.certificateProblem)
    json.beginObject("device")
    for (name, words) in device.lines { json.add(name, words) }
    json.endObject()
    json.endObject()
    return json.text
  }
}
