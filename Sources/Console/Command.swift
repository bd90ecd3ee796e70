import Wire

/// One command of the program: what can be said after `restante`.
struct Command: Sendable {
  let verb: Verb
  /// One or two words: `account add`.
  let name: StaticString
  /// What follows the name, but for the options: `NAME SEQ...`.
  let operands: StaticString
  /// How many operands there must be, and may be.
  let least: Int
  let most: Int
  let options: [Option]
  /// One line, for the list of commands.
  let summary: StaticString
  /// For `restante help COMMAND`: lines of at most 80 columns.
  let details: StaticString

  init(
    _ verb: Verb, _ name: StaticString, _ operands: StaticString, least: Int = 0, most: Int = 0,
    options: [Option] = [], _ summary: StaticString, details: StaticString
  ) {
    self.verb = verb
    self.name = name
    self.operands = operands
    self.least = least
    self.most = most
    self.options = options
    self.summary = summary
    self.details = details
  }

  /// Which command this is.
  enum Verb: UInt8, Sendable {
    case serve, demo, status, bans, check, update, help
    case console, setup, pin
    case selfTest, network, connections, refusals, journal, clock, restart, powerOff
    case accountAdd, accountPassword, accountRemove, accountQuota, accountList
    case certificateShow, certificateRenew, certificateInstall
    case backupCreate, backupVerify, backupRestore, backupResume, reset
    case stickList, stickMount, stickEject
    case aliasList, aliasSet, aliasRemove
    case accountPropose, accountSheet, mailMove, mailDiscard
    case mailList, mailShow, mailDelete, mailRestore, mailExport, mailImport
  }
}

/// Something a command can be told with two dashes.
enum Option: UInt8, Sendable {
  case config, help, version
  case passwordStdin, quota, deleteMail
  case deleted, all, since, raw, mbox, maildir
  case json, repair, once, pem
  case force, propose, wipeMail, yes
  case device, brief, hostName, domain, done, remove
  case interface, address, gateway, dns, follow, lines, seen, export

  /// What every command takes.
  static let common: [Option] = [.config, .help]
  private static let last = Option.export

  /// All that there are.
  static var allCases: [Option] { (0...last.rawValue).compactMap { Option(rawValue: $0) } }

  var name: StaticString {
    switch self {
    case .config: "--config"
    case .help: "--help"
    case .version: "--version"
    case .passwordStdin: "--password-stdin"
    case .quota: "--quota"
    case .deleteMail: "--delete-mail"
    case .deleted: "--deleted"
    case .all: "--all"
    case .since: "--since"
    case .raw: "--raw"
    case .mbox: "--mbox"
    case .maildir: "--maildir"
    case .json: "--json"
    case .repair: "--repair"
    case .once: "--once"
    case .pem: "--pem"
    case .force: "--force"
    case .propose: "--propose"
    case .wipeMail: "--wipe-mail"
    case .yes: "--yes"
    case .device: "--device"
    case .brief: "--brief"
    case .hostName: "--host-name"
    case .domain: "--domain"
    case .done: "--done"
    case .remove: "--remove"
    case .interface: "--interface"
    case .address: "--address"
    case .gateway: "--gateway"
    case .dns: "--dns"
    case .follow: "--follow"
    case .lines: "--lines"
    case .seen: "--seen"
    case .export: "--export"
    }
  }

  /// What its value is called; nil where it takes none.
  var value: StaticString? {
    switch self {
    case .config, .mbox, .export: "FILE"
    case .maildir: "DIR"
    case .quota: "SIZE"
    case .since: "TIME"
    case .device: "TTY"
    case .hostName: "NAME"
    case .domain: "DOMAINS"
    case .interface: "NAME"
    case .address: "ADDRESS/LENGTH"
    case .gateway, .dns: "ADDRESS"
    case .lines: "NUMBER"
    default: nil
    }
  }
}
