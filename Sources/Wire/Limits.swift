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

  /// Commands that bring no message nearer, NOOP, RSET, VRFY, HELP and greetings, before the session ends with 421. A
  /// delivery begins the count anew. Senders that keep a connection open say NOOP once a minute.
  public static let smtpIdleCommands = 100
  /// Unknown recipients from one network in an hour before each further one is followed by a pause, as after wrong
  /// passwords: a stale list has some dozens; who tries names has thousands.
  public static let unknownRecipients = 30

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

  // MARK: guessing

  /// Seconds in which wrong passwords are counted together; then counting begins anew. A person who mistypes is done
  /// with it by then.
  public static let guessWindow: Int64 = 3600
  /// Seconds a password waits at most before it is looked at: 1 after one wrong guess, 2 after two, then 4, 8 and this.
  /// Mail programs wait for half a minute and more; a guesser comes to six in a minute.
  public static let guessDelay = 10
  /// Different wrong guesses after which an address is banned. One wrong password that is tried each minute is one guess.
  public static let guesses = 20
  /// Seconds after which a wrong proof of a password (SCRAM), which cannot be compared, is taken for the one before it:
  /// mail programs poll once a minute at most, guessers do not wait so long.
  public static let guessApart: Int64 = 45
  /// The same as `guesses` for an address that somebody has lately logged in from: behind it may be an office, on the day
  /// when all passwords were changed.
  public static let guessesOfAcquaintances = 100
  /// Seconds of a first ban. Each further one is twice as long…
  public static let ban: Int64 = 600
  /// …up to so many, and is forgotten when the address was quiet for as many after it. Addresses change hands.
  public static let longestBan: Int64 = 86_400
  /// Addresses whose wrong guesses are remembered, 64 octets each: with it full, the one that tried least is forgotten.
  public static let guessers = 1024
  /// Bans that status names one by one: nobody reads more.
  public static let bansTold = 100
  /// Accounts, and names of none, that were guessed at, likewise.
  public static let guessedNames = 512
  /// Pairs of address and account that logged in: those are not slowed by what others do. 32 octets each; an office has
  /// some dozens.
  public static let acquaintances = 1024
  /// Seconds since its last login after which a pair is strange again.
  public static let acquaintance: Int64 = 30 * 86_400

  // MARK: the console

  /// Seconds without a key after which the console locks: who watches a slow card copy must not type the PIN again, and who
  /// went home has left by then.
  public static let consoleIdle: Int64 = 300
  /// Seconds that a terminal may take nothing (XOFF, a cable that was pulled) until it counts as hung up. Turning paper in a
  /// printing terminal takes less.
  public static let consoleStall: Int64 = 60
  /// Seconds until the PIN after some wrong ones is looked at: 1, 2, 4 and so on up to this. The 10,000 PINs of four digits
  /// take a week so.
  public static let consoleGuessDelay = 60
  /// Characters of a PIN: fewer are tried in an hour.
  public static let pin = 4

  // MARK: configuration

  /// Octets of one configuration file.
  public static let configurationFile = 256 * 1024
  /// Octets of a certificate with its chain, or of a key: far more than any has, and all that a wrong file costs.
  public static let certificateFile = 64 * 1024

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

  // MARK: TLS

  /// Octets encrypted at a time: as many as a record holds (RFC 8446 §5.1).
  public static let tlsRecord = 16 * 1024
  /// Seconds until TLS must have begun. A board takes 10 ms for its part, a peer on the other side of the world a second.
  public static let tlsHandshake = 20
  /// Handshakes under way at one time. Each holds some 50 kB until it is done, and a stranger can begin any number of them;
  /// an honest one takes two round trips, so the one that has taken longest gives way to a new one.
  public static let tlsHandshakes = 64

  // MARK: server

  /// Octets read from a peer at a time, into the one buffer that all connections share: half a socket's buffer, and
  /// small beside the processor's cache.
  public static let receiveBuffer = 32 * 1024
  /// Octets of a message that is read into memory to be sent in one piece with the words in front of it: measured, that
  /// costs half of what sendfile(2) does for one of 20 kB, and nothing more for one of 64.
  public static let shortMessage = 64 * 1024
  /// Octets of a message sent to one reader before the others have their turn; about a millisecond of loopback.
  public static let turnSend = 256 * 1024
  /// Seconds a session may last; after that it ends at its next pause. Only a fault or ill will takes so long, and the
  /// messages a reader sees cannot be swept while it lasts.
  public static let session: Int64 = 86_400
  /// Connections of one network in a minute, for SMTP and for POP3: an office of fifty with three devices each, all
  /// polling twice a minute, stays below it, and so does a list server that connects for each message.
  public static let smtpArrivals = 600
  public static let pop3Arrivals = 1200
  /// Networks whose connections are counted so, in each minute.
  public static let arrivals = 1024
  /// Seconds that a sender between messages, or a reader that has not logged in, may do nothing before its place is
  /// given to a newcomer where there is no other. A round trip and a handshake take less, and the longest goes first.
  public static let grace: Int64 = 2
  /// The same in the middle of a message; a message whose octets keep the pace is not touched.
  public static let graceInTransaction: Int64 = 30
  /// Events of SMTP that are served in a turn of the loop, after all of POP3's: each may be a buffer full of a message,
  /// about 50 microseconds, and a reader's next command comes no later for a thousand senders.
  public static let turnSMTP = 16
  /// Connections the kernel may hold ready for us. An office that comes back from a power cut comes all at once.
  public static let backlog = 1024
  /// Seconds after which a peer must have moved at least ``paceOctets`` of a message, up or down, or is cut off: as
  /// long as RFC 5321 §4.5.3.2.5 lets a sender think.
  public static let paceSeconds = 300
  /// That is 218 octets a second, slower than a modem of 1985, and keeps a peer that sends or takes an octet now and
  /// then from holding a place for days.
  public static let paceOctets = 64 * 1024
  /// Seconds a peer that is still sending is listened to after we have said our last, so that it can read that
  /// before the kernel resets the connection.
  public static let lingerSeconds = 3
  /// Octets dropped meanwhile.
  public static let lingerOctets = 1024 * 1024
  /// Seconds that messages under way have to come to their end when the server stops; systemd waits for 90.
  public static let drainSeconds = 5
  /// Seconds that TLS handshakes under way have then: a round trip or two, and no more for a peer that says nothing.
  public static let lastHandshakes = 2
  /// Looks at the committer in each WatchdogSec=. After three without an answer it counts as stuck, and there is time left
  /// to say so.
  public static let watchdogLooks: Int64 = 4
  /// Each so many looks one goes as far as the disk: with WatchdogSec=60 every five minutes, 288 blocks a day. Even a card
  /// that erases 4 MB for each wears by a hundred of its thousands of turns a year; once a minute would be five times that.
  public static let watchdogLooksForProbe = 20
  /// Milliseconds between two lines of status for the service manager, which are for people to read.
  public static let status: Int64 = 5000
  /// Milliseconds without memory pressure until one of the measures against it ends. The kernel tells of it every two
  /// seconds while it lasts.
  public static let calm: Int64 = 5000
  /// Passwords waiting to be hashed. Each takes a board some 20 ms, so the last of them waits a second.
  public static let hashingQueue = 50
  /// Lines of one kind in the journal in one second. Beyond it they are counted, and the number is told.
  public static let journalLines = 20
  /// Seconds that a journal which hangs may hold up the end of the program.
  public static let journalSeconds = 2
  /// Milliseconds that a server which cannot start waits before it ends. The service manager starts it again at once, as it
  /// shall when the process was killed; a mistake in the configuration must not keep a board busy.
  public static let pauseAfterFailure: Int64 = 5000

  /// Octets in a request on the control socket: a few thousand sequence numbers.
  public static let controlLine = 32 * 1024
  /// Messages one request on the control socket may name.
  public static let controlMessages = 100_000
  /// Descriptors beside those of connections: listeners, files of the spool, and some to spare.
  public static let descriptors = 128
  /// Maildrops one message may go to, however its recipients' aliases spread out.
  public static let maildrops = 1000
}
