import Accounts
import System
import Testing
import Wire

@Suite("Verifiers")
struct VerifierTests {
  @Test("RFC 7677 §3: the example's proof and signature come out")
  func example() throws {
    let salt = try #require(unbase64("W22ZaJ0SNY7soEsUEjb6gQ=="))
    let verifier = try Verifier(password: Bytes("pencil"), salt: salt, iterations: 4096)
    let message = Bytes(
      """
      n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
      s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0
      """)
    let signature = try Crypto.hmac(key: verifier.serverKey, message)
    #expect(unbase64("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") == signature)
    let proof = try #require(unbase64("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="))
    let clientSignature = try Crypto.hmac(key: verifier.storedKey, message)
    let clientKey = zip(proof, clientSignature).map { $0 ^ $1 }
    #expect(try Crypto.sha256(clientKey) == verifier.storedKey)
  }

  @Test("the password is accepted, and no other")
  func accepts() throws {
    let verifier = try Verifier.make(password: Bytes("Grüße 郵便"))
    #expect(try verifier.accepts(Bytes("Grüße 郵便")))
    for wrong: StaticString in ["", "Grüße", "Grüße 郵便 ", "grüße 郵便", "Grüße 郵便\0"] {
      #expect(try !verifier.accepts(Bytes(wrong)))
    }
  }

  @Test("a password of the longest kind is accepted, and not with more behind it")
  func longest() throws {
    let longest = Bytes(repeating: 0x78, count: Limits.password)
    let verifier = try Verifier.make(password: longest)
    #expect(try verifier.accepts(longest))
    #expect(try !verifier.accepts(longest + [0x78]))
    #expect(try !verifier.accepts(longest.dropLast()))
  }

  @Test("two verifiers of one password differ: each has a salt of its own")
  func salts() throws {
    let (a, b) = (try Verifier.make(password: Bytes("same")), try Verifier.make(password: Bytes("same")))
    #expect(a.salt != b.salt && a.storedKey != b.storedKey && a.serverKey != b.serverKey)
    #expect(a.salt.count == 16 && a.iterations == Limits.passwordIterations)
  }

  @Test("passwords that no mail program can send are refused, with the reason")
  func refused() {
    func why(_ password: Bytes) -> PasswordProblem? {
      do throws(PasswordProblem) {
        _ = try Verifier.make(password: password)
        return nil
      } catch {
        #expect(!error.text.isEmpty)
        return error
      }
    }
    #expect(why([]) == .empty)
    #expect(why(Bytes(repeating: 0x61, count: Limits.password + 1)) == .tooLong)
    #expect(why(Bytes("a\0b")) == .controlCharacter)
    #expect(why(Bytes("a\tb")) == .controlCharacter)
    #expect(why(Bytes("a\u{7F}")) == .controlCharacter)
    #expect(why([0x61, 0xFC]) == .notUTF8)
    #expect(why(Bytes(" ")) == nil)
  }

  @Test("the text form reads back the same")
  func text() throws {
    let verifier = try Verifier.make(password: Bytes("secret"))
    var text = Bytes()
    verifier.append(to: &text)
    #expect(text.hasPrefix("SCRAM-SHA-256$4096:"))
    #expect(read(text) == verifier)
  }

  @Test("every change of one octet in the text form, every octet less and every cut is another verifier or none")
  func mutations() {
    let verifier = someVerifier()
    var text = Bytes()
    verifier.append(to: &text)
    for index in text.indices {
      #expect(read(Bytes(text[..<index])) == nil)
      var shorter = text
      shorter.remove(at: index)
      #expect(read(shorter) != verifier)
      for octet in UInt8.min...UInt8.max where octet != text[index] {
        var changed = text
        changed[index] = octet
        #expect(read(changed) != verifier)
      }
      var longer = text
      longer.insert(0x20, at: index)
      #expect(read(longer) == nil)
    }
  }

  @Test("rounds and salts that are out of range are refused")
  func ranges() {
    var rest = Bytes("$")
    Base64.encode(Bytes(repeating: 1, count: 32).span, to: &rest)
    rest += ":"
    Base64.encode(Bytes(repeating: 2, count: 32).span, to: &rest)
    for rounds: StaticString in ["0", "1000001", "99999999999999999999", "-1", "", "4096 "] {
      #expect(read(Bytes("SCRAM-SHA-256$") + Bytes(rounds) + Bytes(":c2FsdA==") + rest) == nil)
    }
    #expect(read(Bytes("SCRAM-SHA-256$1:c2FsdA==") + rest) != nil)
    #expect(read(Bytes("SCRAM-SHA-256$4096:") + rest) == nil)
    #expect(read(Bytes("SCRAM-SHA-1$4096:c2FsdA==") + rest) == nil)
  }

  @Test("a decoy accepts nothing, and is the same each time for a name and key")
  func decoy() throws {
    let key = try Crypto.random(32)
    let decoy = try Verifier.decoy(for: Bytes("nobody"), key: key)
    #expect(try decoy == Verifier.decoy(for: Bytes("nobody"), key: key))
    #expect(try decoy.salt != Verifier.decoy(for: Bytes("somebody"), key: key).salt)
    #expect(decoy.salt.count == 16 && decoy.iterations == Limits.passwordIterations)
    #expect(try !decoy.accepts(Bytes("")) && !decoy.accepts(Bytes("nobody")))
  }
}

@Suite("Passwords that were right")
struct PasswordCacheTests {
  func account(_ name: String, _ seed: UInt8 = 7) -> Account {
    Account(name: Bytes(name.utf8), verifier: someVerifier(seed), created: 0)
  }

  @Test("one that was right is known, another is not, nor the same one of another account")
  func known() throws {
    var cache = try PasswordCache()
    #expect(!cache.knows(Bytes("secret"), of: account("anna")))
    cache.remember(Bytes("secret"), of: account("anna"))
    #expect(cache.knows(Bytes("secret"), of: account("anna")))
    #expect(!cache.knows(Bytes("secreT"), of: account("anna")))
    #expect(!cache.knows(Bytes(""), of: account("anna")))
    #expect(!cache.knows(Bytes("secret"), of: account("bert")))
  }

  @Test("a changed verifier makes it forget, and the old one's password does not come back")
  func changed() throws {
    var cache = try PasswordCache()
    cache.remember(Bytes("secret"), of: account("anna", 1))
    #expect(!cache.knows(Bytes("secret"), of: account("anna", 2)))
    cache.remember(Bytes("newer"), of: account("anna", 2))
    #expect(cache.knows(Bytes("newer"), of: account("anna", 2)))
    #expect(!cache.knows(Bytes("secret"), of: account("anna", 1)))
  }

  @Test("it is bounded: the oldest goes first")
  func bounded() throws {
    var cache = try PasswordCache(limit: 3)
    for name in ["a", "b", "c", "d", "c", "e"] { cache.remember(Bytes("x"), of: account(name)) }
    let known = ["a", "b", "c", "d", "e"].filter { cache.knows(Bytes("x"), of: account($0)) }
    #expect(known == ["c", "d", "e"])
  }
}
