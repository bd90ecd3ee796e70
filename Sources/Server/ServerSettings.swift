import Accounts
import POP3
import SMTP
import Spool
import System
import Wire

// What the configuration means for the parts, at the start and when it is read again.
extension Server {
  /// What sessions that begin from now on hold to.
  func renewSettings() {
    let offersTLS = tls != nil
    smtpSettings = Self.smtpSettings(configuration, normalizing: false, offersTLS: offersTLS)
    smtpSettingsNormalizing = Self.smtpSettings(configuration, normalizing: true, offersTLS: offersTLS)
    pop3Settings = Self.pop3Settings(configuration, offersTLS: offersTLS)
  }

  static func smtpSettings(
    _ configuration: Configuration, normalizing: Bool, offersTLS: Bool
  ) -> SMTP.Settings {
    SMTP.Settings(
      hostName: configuration.device.hostName, maximumMessageSize: configuration.smtp.maximumMessageSize,
      bareNewline: normalizing ? .normalize : configuration.smtp.bareNewline,
      recipients: configuration.smtp.maximumRecipients, offersTLS: offersTLS)
  }

  static func pop3Settings(_ configuration: Configuration, offersTLS: Bool) -> POP3.Settings {
    POP3.Settings(
      hostName: configuration.device.hostName, implementation: Bytes("Restante"),
      expireDays: configuration.spool.expireAfter.map { Int(clamping: $0 / 86_400) },
      loginDelay: configuration.pop3.loginDelay > 0 ? Int(clamping: configuration.pop3.loginDelay) : nil,
      requireTLS: configuration.pop3.requireTLS, offersTLS: offersTLS)
  }

  /// In the order of ``Service``'s raw values.
  static func counts(_ configuration: Configuration) -> [ConnectionCounts] {
    [
      ConnectionCounts(
        maximum: configuration.smtp.maximumConnections,
        maximumPerAddress: configuration.smtp.maximumConnectionsPerAddress, perMinute: Limits.smtpArrivals,
        excusesLoopback: false),
      ConnectionCounts(
        maximum: configuration.pop3.maximumConnections,
        maximumPerAddress: configuration.pop3.maximumConnectionsPerAddress, perMinute: Limits.pop3Arrivals,
        excusesLoopback: true),
      ConnectionCounts(maximum: 16, maximumPerAddress: 16, excusesLoopback: true),
    ]
  }

  /// What the configuration says of the spool.
  public static func options(_ configuration: Configuration, _ files: Files) -> SpoolOptions {
    var percent = 10
    switch configuration.spool.keepFree {
    case .percent(let number): percent = number
    case .octets(let octets):
      if let space = try? files.space(configuration.device.stateDirectory), space.total >= 100 {
        percent = Int(clamping: min(90, (octets + space.total / 100 - 1) / (space.total / 100)))
      }
    }
    return SpoolOptions(
      keepDeleted: configuration.spool.keepDeleted, keepFreePercent: percent,
      expireAfter: configuration.spool.expireAfter)
  }

  /// Who has mail here, according to the files that the configuration names; nothing is read yet.
  public static func directory(_ configuration: Configuration, _ files: Files) -> Directory {
    Directory(
      files, accounts: configuration.device.stateDirectory.appending("accounts"),
      aliases: configuration.device.aliases, domains: configuration.device.domains,
      hostName: configuration.device.hostName)
  }

  static func failure(_ error: SpoolError, _ state: Path) -> StartFailure {
    var text = Bytes("the spool in ")
    text.append(shown: state.bytes.span, limit: 4096)
    switch error {
    case .held:
      text += " is served by another process already; there can be only one"
      return StartFailure(StartFailure.tryAgain, text)
    case .full:
      text += " cannot be opened: the disk is full. Make some room, then start again"
      return StartFailure(StartFailure.cannotCreate, text, isOfSpool: true)
    case .failed(let error):
      text += " cannot be opened: "
      text += error.text
      switch error {
      case .denied, .notPermitted:
        text += "; it must belong to the user this server runs as"
        return StartFailure(StartFailure.permission, text, isOfSpool: ServiceManager.isPresent)
      case .notFound:
        text += "; make the directory, or choose another StateDirectory="
        return StartFailure(StartFailure.cannotCreate, text, isOfSpool: ServiceManager.isPresent)
      case .readOnly:
        text += "; the card is damaged or worn. Restart the device, make a backup, put in another card"
        return StartFailure(StartFailure.cannotCreate, text, isOfSpool: true)
      default:
        // By hand it is more likely a mistake in the configuration, such as a file where a directory should be, unless
        // there is a spool.
        let isThere = Files().exists(state.appending("spool/log"))
        return StartFailure(
          StartFailure.inputOutput, text, isOfSpool: error == .io || isThere || ServiceManager.isPresent)
      }
    case .gone, .damaged:
      text += " is damaged; run \"restante check --repair\", then start again"
      return StartFailure(StartFailure.inputOutput, text, isOfSpool: true)
    }
  }

  /// Reads configuration, accounts and aliases again. With errors in the configuration the old one holds, and false is
  /// returned.
  @discardableResult
  func reload() -> Bool {
    ServiceManager.tellReloading()
    defer { ServiceManager.tell("READY=1") }
    let device = configuration.device
    if let loaded = readAgain?() {
      guard loaded.problems.isEmpty else {
        for problem in loaded.problems { record(.problem(problem)) }
        record(.reloadRefused)
        return false
      }
      adopt(loaded.configuration, was: device)
    }
    if configuration.device != device { directory = Self.directory(configuration, files) }
    directory.reload(now: now)
    tellProblems()
    loadTLS()
    record(.reloaded)
    return true
  }

  /// Works by a new configuration from now on, but for what takes a new start.
  private func adopt(_ fresh: Configuration, was device: Configuration.Device) {
    var fresh = fresh
    let old = configuration
    if fresh.smtp.listen != old.smtp.listen || fresh.pop3.listen != old.pop3.listen
      || fresh.smtp.listenTLS != old.smtp.listenTLS || fresh.pop3.listenTLS != old.pop3.listenTLS
    {
      record(.needsRestart("Listen="))
      (fresh.smtp.listen, fresh.pop3.listen) = (old.smtp.listen, old.pop3.listen)
      (fresh.smtp.listenTLS, fresh.pop3.listenTLS) = (old.smtp.listenTLS, old.pop3.listenTLS)
    }
    if fresh.device.stateDirectory != device.stateDirectory {
      record(.needsRestart("StateDirectory="))
      fresh.device.stateDirectory = device.stateDirectory
    }
    configuration = fresh
    renewSettings()
    spool.options = Self.options(fresh, files)
    for (index, count) in Self.counts(fresh).enumerated() {
      counts[index].maximum = count.maximum
      counts[index].maximumPerAddress = count.maximumPerAddress
    }
    if fresh.pop3.loginDelay == 0 { logins = [:] }
  }
}
