import System
import Wire

/// What restante.conf(5) says, complete: a key that is in no file has its default here.
///
/// `Configuration.load` reads it; the program works with this alone and never looks at the files' text.
public struct Configuration: Equatable, Sendable {
  public var device = Device()
  public var smtp = SMTP()
  public var pop3 = POP3()
  public var tls = TLS()
  public var spool = Spool()

  public init() {}

  /// `[Device]`: who this is, and where its files are.
  public struct Device: Equatable, Sendable {
    /// The name in greetings and trace headers, in lower case. `load` puts the system's name here when none is given.
    public var hostName = Bytes("localhost")
    /// The domains whose mail is ours, in lower case. `load` puts the host name here when none is given.
    public var domains: [Bytes] = [Bytes("localhost")]
    /// Where accounts and mail are. `$STATE_DIRECTORY` wins over the file.
    public var stateDirectory = Path("/var/lib/restante")
    /// The aliases(5) file. It may be missing.
    public var aliases = Path("/etc/restante/aliases")
  }

  /// `[SMTP]`: how mail comes in.
  public struct SMTP: Equatable, Sendable {
    /// Ports that begin in the clear.
    public var listen: [Listen] = [.port(25)]
    /// Ports that begin with TLS.
    public var listenTLS: [Listen] = [.port(465)]
    /// Octets of the largest message taken.
    public var maximumMessageSize = 25 << 20
    /// Connections at one time, in all.
    public var maximumConnections = 100
    /// Connections at one time from one address.
    public var maximumConnectionsPerAddress = 10
    /// Recipients of one message. RFC 5321 §4.5.3.1.8 wants 100 at least.
    public var maximumRecipients = Limits.recipients
    /// What becomes of a message with a bare CR or LF in it.
    public var bareNewline = BareNewline.reject
    /// Networks of old devices whose bare newlines are mended whatever `bareNewline` says.
    public var normalizeFrom: [Network] = []
    /// Seconds before a sender is greeted; one that speaks before is sent away. 0 for no such test.
    public var greetingDelay: Int64 = 0
    /// Whether who has logged in may send with the addresses of the own account alone.
    public var enforceSender = false
  }

  /// `[POP3]`: how mail is fetched.
  public struct POP3: Equatable, Sendable {
    /// Ports that begin in the clear.
    public var listen: [Listen] = [.port(110)]
    /// Ports that begin with TLS.
    public var listenTLS: [Listen] = [.port(995)]
    /// Whether passwords are refused on connections without TLS. Loopback is excepted.
    public var requireTLS = true
    /// Connections at one time, in all.
    public var maximumConnections = 200
    /// Connections at one time from one address. An office behind one address shares it; loopback is excepted.
    public var maximumConnectionsPerAddress = 50
    /// Seconds that must pass between two logins to one maildrop (RFC 2449 §6.5); 0 for no such rule.
    public var loginDelay: Int64 = 0
  }

  /// `[TLS]`: the certificate and what is spoken with it.
  public struct TLS: Equatable, Sendable {
    /// The certificate chain in PEM; nil for the self-signed one that is made in the state directory.
    public var certificate: Path?
    /// The key in PEM; nil for one that stands in the certificate's file.
    public var privateKey: Path?
    /// The oldest version spoken. One below 1.2 holds for the networks of `legacyFrom` alone.
    public var minimumProtocol = TLSVersion.tls12
    /// Networks of old devices.
    public var legacyFrom: [Network] = []
  }

  /// `[Spool]`: how much is kept, and how long.
  public struct Spool: Equatable, Sendable {
    /// Octets a maildrop may hold; nil for no limit. An account's own quota wins.
    public var quota: Int64? = 1 << 30
    /// Seconds that what POP3 deleted can be restored, space permitting.
    public var keepDeleted: Int64 = 7 * 86_400
    /// What must stay free on the spool's file system; below it new mail is answered 452.
    public var keepFree = KeepFree.percent(10)
    /// Seconds after which mail goes whether or not it was fetched; nil for never.
    public var expireAfter: Int64?
  }

  public enum KeepFree: Equatable, Sendable {
    /// Of the whole file system, 0 to 90.
    case percent(Int)
    case octets(Int64)

    /// In octets, on a file system of `total` octets.
    public func octets(of total: Int64) -> Int64 {
      switch self {
      case .percent(let percent): total / 100 * Int64(percent)
      case .octets(let octets): octets
      }
    }
  }
}
