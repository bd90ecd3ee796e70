import System
import Wire

/// A socket that takes connections for one service.
public final class Listener {
  private let socket: Descriptor
  let service: Service
  /// Whether TLS begins at once: RFC 8314 §3.
  let isTLS: Bool
  /// With the port the kernel chose, if it was to choose.
  let address: SocketAddress

  init(_ socket: consuming Descriptor, _ service: Service, isTLS: Bool = false, _ address: SocketAddress) {
    self.socket = socket
    self.service = service
    self.isTLS = isTLS
    self.address = address
  }

  var number: Int32 { socket.number }

  /// All listeners: those the service manager hands over, or where there are none, those the configuration asks for.
  static func openAll(
    _ configuration: Configuration, _ journal: Journal, now: Int64
  ) throws(StartFailure) -> [Listener] {
    var all = handedOver(configuration, journal, now)
    if !all.isEmpty { return all }
    for isTLS in [false, true] {
      let (smtp, pop3) = (configuration.smtp, configuration.pop3)
      for listen in isTLS ? smtp.listenTLS : smtp.listen { try open(listen, .smtp, isTLS, &all, journal, now) }
      for listen in isTLS ? pop3.listenTLS : pop3.listen { try open(listen, .pop3, isTLS, &all, journal, now) }
    }
    if all.isEmpty {
      throw StartFailure(
        StartFailure.configuration, Bytes("nothing to listen on: all of Listen= and ListenTLS= are \"no\""))
    }
    return all
  }

  /// What the service manager opened for us. It keeps the ports while we start anew, and knows which they are; of the
  /// configuration's Listen= and ListenTLS= only "no" is heeded.
  private static func handedOver(_ configuration: Configuration, _ journal: Journal, _ now: Int64) -> [Listener] {
    var all: [Listener] = []
    for (name, number) in ServiceManager.takeSockets() {
      let socket = Descriptor(number)
      let kind = kinds.firstIndex { name.equals($0.name) }
      guard let kind, let local = try? Sockets.localAddress(number) else {
        journal.record(.unknownSocket(name: name), now: now)
        continue
      }
      let (_, service, isTLS) = kinds[kind]
      guard wants(kinds[kind], configuration) else {
        journal.record(.socketUnwanted(service, isTLS: isTLS), now: now)
        continue
      }
      Sockets.setNoDelay(number, true)
      all.append(Listener(socket, service, isTLS: isTLS, local))
    }
    if all.isEmpty { return all }
    for kind in kinds where wants(kind, configuration) {
      if all.contains(where: { $0.service == kind.service && $0.isTLS == kind.isTLS }) { continue }
      journal.record(.socketMissing(kind.service, isTLS: kind.isTLS), now: now)
    }
    return all
  }

  private typealias Kind = (name: StaticString, service: Service, isTLS: Bool)

  /// What sockets are called that the service manager hands over: as their ports are in services(5).
  private static var kinds: [Kind] {
    [("smtp", .smtp, false), ("submissions", .smtp, true), ("pop3", .pop3, false), ("pop3s", .pop3, true)]
  }

  private static func wants(_ kind: Kind, _ configuration: Configuration) -> Bool {
    switch kind.service {
    case .pop3: !(kind.isTLS ? configuration.pop3.listenTLS : configuration.pop3.listen).isEmpty
    default: !(kind.isTLS ? configuration.smtp.listenTLS : configuration.smtp.listen).isEmpty
    }
  }

  private static func open(
    _ listen: Listen, _ service: Service, _ isTLS: Bool, _ all: inout [Listener], _ journal: Journal, _ now: Int64
  ) throws(StartFailure) {
    switch listen {
    case .address(let address):
      do throws(Errno) {
        all.append(try open(address, service, isTLS))
      } catch {
        throw failure(error, service, address)
      }
    case .port(let port):
      // The same port in both families; a device may be without one of them.
      var first: Errno?
      var port = port
      let before = all.count
      for family in [SocketAddress.Family.ipv4, .ipv6] {
        let address = SocketAddress.any(family, port: port)
        do throws(Errno) {
          let listener = try open(address, service, isTLS)
          port = listener.address.port
          all.append(listener)
        } catch {
          guard error == .noFamily || error == .noAddress else { throw failure(error, service, address) }
          if first != nil { throw failure(error, service, address) }
          first = error
          if family == .ipv6 || all.count == before { journal.record(.notListening(service, address, error), now: now) }
        }
      }
    }
  }

  private static func open(
    _ address: SocketAddress, _ service: Service, _ isTLS: Bool
  ) throws(Errno) -> Listener {
    let socket = try Sockets.listen(address, backlog: Limits.backlog)
    // Connections inherit it. Whatever belongs together is sent together, so nothing is gained by waiting for more.
    Sockets.setNoDelay(socket.number, true)
    let local = try Sockets.localAddress(socket.number)
    return Listener(socket, service, isTLS: isTLS, local)
  }

  private static func failure(_ error: Errno, _ service: Service, _ address: SocketAddress) -> StartFailure {
    var text = Bytes("cannot listen for ")
    text += service.name
    text += " on "
    text += address.textWithPort
    text += ": "
    text += error.text
    switch error {
    case .inUse:
      text += "; another program has this port. See which with \"ss -ltnp\" and stop it, or choose another Listen="
    case .denied, .notPermitted:
      text += "; ports below 1024 need root or CAP_NET_BIND_SERVICE. Start by systemd, or choose another Listen="
      return StartFailure(StartFailure.permission, text)
    case .noAddress:
      text += "; this device has no such address. Mend Listen=, or give a port alone"
    default: break
    }
    return StartFailure(StartFailure.unavailable, text)
  }
}

extension Errno {
  /// EADDRNOTAVAIL and EAFNOSUPPORT: what a device without IPv6 says.
  static let noAddress = Errno(99)
  static let noFamily = Errno(97)
}
