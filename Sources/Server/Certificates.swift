import System
import Wire

/// Where the server's certificate comes from.
///
/// The one that `[TLS] Certificate=` names; otherwise the one in the state directory, which is made at the first start
/// and can be replaced by `restante certificate`. There, certificate and key stand in one file: it is replaced as a
/// whole, so that after a crash they always belong together.
public enum Certificates {
  public final class Loaded: Sendable {
    /// With its chain.
    public let certificate: Certificate
    /// The text that the key stands in, PEM, too.
    public let key: Bytes
    /// Where the certificate stands.
    public let file: Path
    /// Whether it was made just now.
    let isNew: Bool

    init(_ certificate: Certificate, key: Bytes, _ file: Path, isNew: Bool = false) {
      self.certificate = certificate
      self.key = key
      self.file = file
      self.isNew = isNew
    }
  }

  /// In the state directory.
  public static func file(_ configuration: Configuration) -> Path {
    configuration.device.stateDirectory.appending("certificate.pem")
  }

  /// What the server serves with, as far as it can: what the configuration says, otherwise the device's own.
  public static func find(_ configuration: Configuration, _ files: Files) throws(Problem) -> Loaded? {
    if let named = configuration.tls.certificate {
      return try read(named, key: configuration.tls.privateKey ?? named, files)
    }
    let own = file(configuration)
    return files.exists(own) ? try read(own, key: own, files) : nil
  }

  /// A certificate of the device's own, made where there is none.
  ///
  /// At the start it also stands in for one that cannot be used. Mail goes on to come in encrypted then, and devices
  /// that do not look at certificates go on, while mail programs ask before they take one that they do not know. With
  /// no certificate at all, everybody would be locked out, or send in the clear.
  ///
  /// - Parameter problem: what is wrong already, if anything; what is wrong here is told when it is nil.
  static func own(_ configuration: Configuration, _ files: Files, _ problem: inout Problem?) -> Loaded? {
    let file = file(configuration)
    var mayWrite = true
    if files.exists(file) {
      do throws(Problem) { return try read(file, key: file, files) } catch {
        problem = problem ?? error
        // It may be well where it can be read again; and what is not may be of use to somebody who mends it.
        mayWrite = (try? text(of: file, files)) != nil
        if mayWrite { mayWrite = (try? files.rename(file, to: file.adding(suffix: ".damaged"))) != nil }
      }
    }
    guard let made = make(configuration) else { return nil }
    if mayWrite {
      do throws(Errno) { try files.replace(file, with: made.pem) } catch {
        problem = problem ?? Problem(file, Bytes("cannot be written, so that each start makes one: ") + error.text)
      }
    }
    return Loaded(made, key: made.pem, file, isNew: true)
  }

  /// A new key and a certificate of our own, for the host's name, this machine, and the addresses it has now.
  public static func make(_ configuration: Configuration) -> Certificate? {
    var names = configuration.device.hostName
    if !names.equals("localhost") { names += " localhost" }
    names += Sockets.ownAddresses
    names += " 127.0.0.1 ::1"
    return Certificate.make(names: names)
  }

  private static func read(_ file: Path, key keyFile: Path, _ files: Files) throws(Problem) -> Loaded {
    var texts: [Bytes] = []
    for path in [file, keyFile] {
      do throws(Errno) { texts.append(try text(of: path, files)) } catch {
        var why = Bytes("cannot be read: ") + error.text
        if error == .denied { why += "; it must be readable for the user that the server runs as" }
        throw Problem(path, why)
      }
    }
    return try checked(texts[0], key: texts[1], file)
  }

  /// Certificate and key, both PEM, if a server can use them.
  ///
  /// - Parameters:
  ///   - file: where they stand; the problem is told of it.
  ///   - now: when they must be valid; 0 where that does not matter.
  public static func checked(
    _ certificate: Bytes, key: Bytes, _ file: Path, now: Int64 = 0
  ) throws(Problem) -> Loaded {
    if let why = Certificate.problem(certificate, key: key, now: now) { throw Problem(file, why) }
    guard let read = Certificate(pem: certificate) else { throw Problem(file, Bytes("holds no certificate")) }
    return Loaded(read, key: key, file)
  }

  /// A file with a certificate or a key, also with the rights of root, where it is root that calls: a key is often
  /// root's alone.
  public static func text(of file: Path, _ files: Files) throws(Errno) -> Bytes {
    try Identity.asCaller { () throws(Errno) in
      guard try files.status(file).isRegular else { throw Errno.invalid }
      return try files.contents(file, limit: Limits.certificateFile)
    }
  }

  /// Whole days from `now` to `time`, negative past it; nil while the clock is not set.
  public static func days(until time: Int64, now: Int64) -> Int? {
    guard now >= Limits.clockFloor else { return nil }
    return time < now ? -1 : Int(clamping: (time - now) / 86_400)
  }

  /// Which announcement of its end a certificate is due for: 30, 14 or 7, the days ahead of it, or 0 past it; nil for
  /// none.
  public static func announcement(notAfter: Int64, now: Int64) -> Int64? {
    guard now >= Limits.clockFloor else { return nil }
    for days in [0, 7, 14, 30] as [Int64] where notAfter - now <= days * 86_400 { return days }
    return nil
  }
}
