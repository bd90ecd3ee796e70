import System
import Wire

// How TLS begins.
extension Server {
  /// Takes certificate and key for all connections that come from now on; those that are there keep theirs.
  func loadTLS() {
    guard let loaded = loadCertificate() else { return }
    let (certificate, key) = (loaded.certificate.pem, loaded.key)
    do throws(TLSFailure) {
      let wanted = configuration.tls.minimumProtocol
      let usual = max(wanted.rawValue, TLSVersion.tls12.rawValue)
      tls = try TLSContext(certificate: certificate, key: key, minimum: TLSVersion(rawValue: usual) ?? .tls12)
      tlsLegacy = usual == wanted.rawValue ? nil : try TLSContext(certificate: certificate, key: key, minimum: wanted)
    } catch {
      if case .broken(let why) = error { record(.withoutTLS(why: why)) }
    }
  }

  /// Goes on with a connection's handshake. True when it is done, and the session may go on; else the connection is
  /// settled.
  func shakeHands(_ connection: Connection) -> Bool {
    do throws(TLSFailure) {
      let channel: SecureChannel
      if let begun = connection.channel {
        channel = begun
      } else {
        // Only now that the peer has begun: a connection that says nothing costs nothing more.
        guard let context = tlsContext(for: connection.peer) else { throw .broken(Bytes("no certificate")) }
        let name: StaticString = connection.service == .pop3 ? "pop3" : "smtp"
        let session = try TLSSession(context, socket: connection.socket.number, protocol: name)
        channel = SecureChannel(session)
        connection.channel = channel
        join(connection)
      }
      guard try channel.handshake() else {
        settle(connection, progressed: false)
        return false
      }
      leave(connection)
      connection.flags.remove(.handshaking)
      if channel.session.isLegacy { record(.legacyTLS(channel.session.version, peer: connection.peer)) }
      if connection.flags.contains(.fresh) {
        connection.flags.remove(.fresh)
        connection.greet(self)
      } else {
        connection.startedTLS(self)
      }
      return true
    } catch {
      switch error {
      case .broken(let why): record(.tlsFailed(connection.service, why: why, peer: connection.peer))
      case .failed, .wantsRead, .wantsWrite: break
      }
      // OpenSSL has told the peer; it may take a moment to read that.
      connection.flags.insert(.closing)
      close(connection)
      return false
    }
  }

  /// What a peer is spoken to with: old devices of the networks in LegacyTLSFrom= get what they can.
  private func tlsContext(for peer: SocketAddress) -> TLSContext? {
    if let legacy = tlsLegacy, configuration.tls.legacyFrom.contains(where: { $0.contains(peer) }) { return legacy }
    return tls
  }

  /// A handshake has begun. Each costs memory, and a stranger may begin any number: the one that has taken longest goes.
  private func join(_ connection: Connection) {
    if handshakes.count >= Limits.tlsHandshakes {
      wasCrowded = true
      let oldest = handshakes.removeFirst()
      if let slow = connections[oldest] {
        record(.timedOut(slow.service, awaited: "too many TLS handshakes at once", peer: slow.peer))
        remove(slow)
      }
    }
    handshakes.append(connection.token)
  }

  /// After a crowd of handshakes has gone, gives back the memory they took: the allocator would keep it for the next.
  func tidyUp() {
    guard wasCrowded, handshakes.count < Limits.tlsHandshakes / 4 else { return }
    wasCrowded = false
    Memory.giveBack()
  }

  /// A handshake is over.
  func leave(_ connection: Connection) {
    if let place = handshakes.firstIndex(of: connection.token) { handshakes.remove(at: place) }
  }
}
