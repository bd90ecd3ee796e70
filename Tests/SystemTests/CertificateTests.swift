import Testing
import Wire

@testable import System

@Suite("Certificates")
struct CertificateTests {
  private func made(_ names: String) throws -> Certificate {
    try #require(Certificate.make(names: Bytes(names.utf8)))
  }

  @Test("one that was made is for every name and address it was made for")
  func names() throws {
    let certificate = try made("mail.office.example localhost 192.0.2.1 127.0.0.1 2001:db8::1 ::1")
    #expect(certificate.names.text == "mail.office.example localhost 192.0.2.1 127.0.0.1 2001:db8::1 ::1")
    #expect(certificate.subject.text == "CN=mail.office.example")
    #expect(certificate.issuer == certificate.subject)
    #expect(certificate.isSelfSigned)
    #expect(certificate.chainLength == 1)
    #expect(certificate.covers(Bytes("mail.office.example")))
    #expect(certificate.covers(Bytes("MAIL.office.example")))
    #expect(!certificate.covers(Bytes("office.example")))
    #expect(!certificate.covers(Bytes("restante")))
  }

  @Test("one that was made is valid from 1970 to 2049, also where time_t has 32 bits")
  func dates() throws {
    let certificate = try made("localhost")
    #expect(certificate.notBefore == 0)
    #expect(certificate.notAfter == 2_524_607_999)
  }

  @Test("key and certificate that were made together can serve, and no two alike are made")
  func pairs() throws {
    let (one, other) = (try made("localhost"), try made("localhost"))
    #expect(Certificate.problem(one.pem, key: one.pem, now: 1_800_000_000) == nil)
    #expect(Certificate.problem(one.pem, key: other.pem, now: 0)?.text.contains("another certificate") == true)
    #expect(one.fingerprint != other.fingerprint)
    #expect(one.fingerprint.count == 95)
    #expect(Certificate.problem(one.pem, key: one.pem, now: 2_600_000_000)?.text.contains("expired") == true)
  }

  @Test("what has a meaning in OpenSSL's lists of names is a name here, or nothing")
  func oddNames() throws {
    #expect(try made("a,DNS:b.example").names.text == "a,DNS:b.example")
    #expect(try made("@section copy email:x").names.text == "@section copy email:x")
    // Not in ASCII: no name of RFC 5280's, and no subject.
    let umlaut = try made("büro.example localhost")
    #expect(umlaut.names.text == "localhost")
    #expect(umlaut.subject.text == "CN=Restante")
  }

  @Test("a host name longer than a common name may be stands among the names alone")
  func longName() throws {
    let name = Array(repeating: "abcdefghij", count: 8).joined(separator: ".")
    let certificate = try made(name + " localhost")
    #expect(certificate.subject.text == "CN=Restante")
    #expect(certificate.covers(Bytes(name.utf8)))
  }

  @Test("a text cut anywhere is no certificate with its key, and breaks nothing")
  func torn() throws {
    let pem = try made("localhost").pem
    for end in 0..<pem.count - 1 {
      let text = Bytes(pem[..<end])
      _ = Certificate(pem: text)?.names
      _ = Certificate.blocks(of: text, certificates: true)
      // Only the very last characters, the dashes of the end line, may be missing or not.
      if end < pem.count - 30 { #expect(Certificate.problem(text, key: text, now: 0) != nil) }
    }
  }

  @Test("blocks of a text: certificates, or what is none, without what stands around them")
  func blocks() throws {
    let pem = try made("localhost").pem
    let certificates = Certificate.blocks(of: Bytes("Bag Attributes\r\n") + pem, certificates: true)
    let keys = Certificate.blocks(of: pem, certificates: false)
    #expect(certificates.hasPrefix("-----BEGIN CERTIFICATE-----\n") && !certificates.text.contains("KEY"))
    #expect(keys.hasPrefix("-----BEGIN PRIVATE KEY-----\n") && !keys.text.contains("CERTIFICATE"))
    #expect(keys + certificates == pem)
    #expect(Certificate.blocks(of: Bytes("nothing"), certificates: true) == [])
    #expect(Certificate.blocks(of: [], certificates: true) == [])
  }

  @Test("there are no loopback or link-local addresses among the device's own")
  func addresses() {
    for address in Sockets.ownAddresses.split(separator: ASCII.space) {
      let parsed = SocketAddress(Bytes(address), port: 0)
      #expect(parsed != nil && parsed?.isLoopback == false)
      #expect(!Bytes(address).hasPrefix("169.254.") && !Bytes(address).hasPrefix("fe80"))
    }
  }
}
