import System
import Wire

/// Where the server's certificate comes from.
///
/// The one that `[TLS] Certificate=` names; otherwise the one in the state directory, which is made at the first start
/// and can be replaced by `restante certificate`. There, certificate and key stand in one file: it is replaced as a
/// whole, so that after a crash they always belong together.
public enum Certificates {
  public struct Loaded: Sendable {
    /// PEM: the device's own certificate, then those of its chain; and the key. The two may be the same text.
    public let certificate: Bytes
    public let key: Bytes
    public let facts: Certificate
    /// Where the certificate stands.
    public let file: Path
    /// Whether it is one that this device made for itself.
    public let isOwn: Bool
    /// Whether it was made just now.
    public var isNew = false
  }

  /// In the state directory.
  public static func file(_ configuration: Configuration) -> Path {
    configuration.device.stateDirectory.appending("certificate.pem")
  }

  /// What the server shall serve with, and what is wrong with the certificate that it was told to.
  ///
  /// - Parameters:
  ///   - makes: whether one is made where there is none and none is configured.
  ///   - standsIn: whether the device's own one takes the place of one that cannot be used, and a new one that of an own
  ///     one. Mail goes on to come in encrypted then, and devices that do not look at certificates go on, while mail
  ///     programs ask before they take one that they do not know. With no certificate at all, everybody would be locked
  ///     out, or send in the clear.
  static func load(
    _ configuration: Configuration, _ files: Files, makes: Bool, standsIn: Bool
  ) -> (loaded: Loaded?, problem: Problem?) {
    var problem: Problem?
    if let named = configuration.tls.certificate {
      do throws(Problem) {
        return (try read(named, key: configuration.tls.privateKey ?? named, files), nil)
      } catch {
        problem = error
        if !standsIn { return (nil, problem) }
      }
    }
    let file = file(configuration)
    var mayWrite = true
    if files.exists(file) {
      do throws(Problem) {
        let text = try contents(file, files)
        mayWrite = false
        if let why = Certificate.problem(certificate: text, key: text) {
          // What is wrong in itself makes room for a new one; what cannot be read may be well.
          if standsIn { mayWrite = (try? files.rename(file, to: file.adding(suffix: ".damaged"))) != nil }
          throw Problem(file, why)
        }
        return (try loaded(file, text, text, isOwn: true), problem)
      } catch {
        problem = problem ?? error
        if !standsIn { return (nil, problem) }
      }
    }
    guard makes, let pem = try? make(configuration), let facts = Certificate(pem: pem) else { return (nil, problem) }
    if mayWrite {
      do throws(Errno) { try files.replace(file, with: pem) } catch {
        let why = Bytes("cannot be written, so that the next start makes another: ") + error.text
        problem = problem ?? Problem(file, why)
      }
    }
    return (Loaded(certificate: pem, key: pem, facts: facts, file: file, isOwn: true, isNew: true), problem)
  }

  /// A new key and a certificate of our own, for the host's name, this machine, and the addresses it has now.
  public static func make(_ configuration: Configuration) throws(Errno) -> Bytes {
    let loopback = [Bytes("127.0.0.1"), Bytes("::1")].compactMap { SocketAddress($0, port: 0) }
    var names = [configuration.device.hostName]
    if !names[0].equals("localhost") { names.append(Bytes("localhost")) }
    return try Certificate.make(names: names, addresses: Sockets.ownAddresses + loopback)
  }

  /// Reads the two files; the problem is one of them, or of both together.
  ///
  /// - Parameter now: when they must be valid; nil where that does not matter.
  public static func read(
    _ file: Path, key keyFile: Path, _ files: Files, now: Int64? = nil
  ) throws(Problem) -> Loaded {
    let certificate = try contents(file, files)
    let key = keyFile == file ? certificate : try contents(keyFile, files)
    if let why = Certificate.problem(certificate: certificate, key: key, now: now) { throw Problem(file, why) }
    return try loaded(file, certificate, key, isOwn: false)
  }

  private static func loaded(
    _ file: Path, _ certificate: Bytes, _ key: Bytes, isOwn: Bool
  ) throws(Problem) -> Loaded {
    do throws(TLSFailure) {
      // The last word is OpenSSL's own: too short a key, too weak a signature.
      _ = try TLSContext(certificate: certificate, key: key, minimum: .tls12)
    } catch {
      var why = Bytes("no secure connection can be made with it")
      if case .broken(let reason) = error {
        why += ": "
        why += reason
      }
      throw Problem(file, why)
    }
    guard let facts = Certificate(pem: certificate) else { throw Problem(file, Bytes("it holds no certificate")) }
    return Loaded(
      certificate: certificate, key: key, facts: facts, file: file, isOwn: isOwn && facts.isSelfSigned)
  }

  /// Also with root's rights, where root started the server by hand: a key is often root's alone.
  private static func contents(_ file: Path, _ files: Files) throws(Problem) -> Bytes {
    do throws(Errno) {
      return try Identity.asCaller { () throws(Errno) in
        guard try files.status(file).isRegular else { throw Errno.invalid }
        return try files.contents(file, limit: Limits.certificateFile)
      }
    } catch {
      var why = Bytes("cannot be read: ") + error.text
      if error == .denied { why += "; it must be readable for the user that the server runs as" }
      throw Problem(file, why)
    }
  }

  /// Whole days from `now` to `time`, negative past it; nil while the clock is not set.
  public static func days(until time: Int64, now: Int64) -> Int? {
    guard now >= Limits.clockFloor else { return nil }
    return time < now ? -1 : Int(clamping: (time - now) / 86_400)
  }

  /// Which announcement of its end a certificate is due for: 30, 14 or 7, the days ahead of it, or 0 past it; nil for
  /// none.
  public static func announcement(notAfter: Int64, now: Int64) -> Int? {
    guard now >= Limits.clockFloor else { return nil }
    return [0, 7, 14, 30].first { notAfter - now <= $0 * 86_400 }.map { Int($0) }
  }
}
