/// Every limit and default in one place, each with its reason. What the configuration file can change is only a
/// default here; the rest is fixed because no office needs another value.
public enum Limits {
  // MARK: SMTP

  /// Octets in a command line with its CRLF. RFC 5321 §4.5.3.1.4 asks for 512; SMTPUTF8 and the MAIL parameters of
  /// the extensions we offer add to that (RFC 6531 §3.4, RFC 3461 §5).
  public static let smtpCommandLine = 2048
  /// Recipients of one message. RFC 5321 §4.5.3.1.8 asks for 100 at least; a record's header names them all.
  public static let recipients = 1000
  /// Octets in a recipient's or sender's path: RFC 5321 §4.5.3.1.3.
  public static let path = 256
  /// Octets in a local part: RFC 5321 §4.5.3.1.1.
  public static let localPart = 64
  /// Octets in a domain: RFC 5321 §4.5.3.1.2.
  public static let domain = 255
  /// Received: lines after which a message is taken to go in circles. RFC 5321 §6.3 asks for 100 at least.
  public static let hops = 100
  /// Refused commands in one session before it ends with 421: an honest sender makes a handful.
  public static let smtpErrors = 20
  /// Messages in one session, told by LIMITS (RFC 9422 §4): far more than a sender has for one office, and an end to one
  /// that never closes.
  public static let smtpTransactions = 10_000
  /// Octets of replies to pipelined commands that may pile up before they are sent.
  public static let smtpReplies = 8 * 1024
  /// Octets of a command line that is too long before it is no mistake any more but a flood, and the session ends.
  public static let smtpDroppedLine = 64 * 1024
  /// Seconds a sender may think before its next command or block of data: RFC 5321 §4.5.3.2.7.
  public static let smtpIdle = 300

  /// Seconds since 1970 before which a clock has not been set: the beginning of 2025. Boards without a battery boot
  /// in 1970; mail that arrives then is marked.
  public static let clockFloor: Int64 = 1_735_689_600

  // MARK: POP3

  /// Octets in a command line with its CRLF: RFC 2449 §4 (255), and room for AUTH's initial response.
  public static let pop3CommandLine = 2048
  /// Seconds an idle reader is kept: RFC 1939 §3 asks for ten minutes at least.
  public static let pop3Idle = 600
  /// Seconds a reader that has not logged in is kept.
  public static let pop3Login = 60
  /// Refused commands and passwords in one session before it ends.
  public static let pop3Errors = 10
  /// Octets of replies to pipelined commands that may pile up before they are sent.
  public static let pop3Replies = 8 * 1024
  /// Octets of a LIST or UIDL made at a time: with the one before, all that a long answer needs of memory.
  public static let pop3Listing = 16 * 1024
  /// Octets of a line that is too long before it is no mistake any more but a flood, and the session ends.
  public static let pop3DroppedLine = 64 * 1024

  // MARK: accounts

  /// PBKDF2 rounds for new passwords. RFC 7677 §4 asks for 4,096 at least; more costs a board seconds.
  public static let passwordIterations = 4096
  /// Octets in a password. Longer ones are refused before they are hashed.
  public static let password = 255
  /// Octets in a maildrop's name, which is also a file's name and a local part.
  public static let accountName = 64

  /// Octets of the accounts file: some 20,000 accounts. A longer file is taken for damage.
  public static let accountsFile = 4 * 1024 * 1024
  /// Octets of the aliases file.
  public static let aliasesFile = 1024 * 1024
  /// Passwords that were right and are remembered (as HMACs): those of an office that polls each minute.
  public static let cachedPasswords = 512
  /// Problems of one file that are told one by one: past them nobody reads on.
  public static let problems = 100

  // MARK: configuration

  /// Octets of one configuration file.
  public static let configurationFile = 256 * 1024

  // MARK: spool

  /// Octets of a message held in memory. A longer one is streamed into a segment of its own.
  public static let messageInMemory = 64 * 1024
  /// Octets of all messages held in memory together. When it is used up, messages are streamed whatever their size.
  public static let messagesInMemory = 2 * 1024 * 1024
  /// Octets after which the log begins a new segment. Small enough that a dead one soon goes, large enough that a
  /// full card has few.
  public static let segment: Int64 = 16 * 1024 * 1024
  /// Octets the log may grow before the indexes are flushed and a checkpoint is written: what a start after a power
  /// cut reads again.
  public static let checkpoint: Int64 = 8 * 1024 * 1024
}
