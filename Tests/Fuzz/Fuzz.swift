import Wire

/// The targets, by the name under which the program is called.
@MainActor private let targets: [(name: StaticString, run: (Bytes) -> Void)] = [
  ("accounts", fuzzAccounts),
  ("address", fuzzAddress),
  ("aliases", fuzzAliases),
  ("configuration", fuzzConfiguration),
  ("content", fuzzContent),
  ("log", fuzzLog),
  ("pop3", fuzzPOP3),
  ("record", fuzzRecord),
  ("sasl", fuzzSASL),
  ("smtp", fuzzSMTP),
]

@MainActor private var run: (Bytes) -> Void = { _ in }

/// libFuzzer's start: the last part of the program's name says which target this is.
@MainActor
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>>>
) -> Int32 {
  let path = unsafe Bytes(String(cString: arguments.pointee.pointee).utf8)
  let name = path.lastIndex(of: 0x2F).map { Bytes(path[($0 + 1)...]) } ?? path
  guard let target = targets.first(where: { name.equals($0.name) }) else {
    fatalError("there is no target \(name.text); there are \(targets.map { $0.name })")
  }
  run = target.run
  return 0
}

/// One input. It may come in a block that is exactly as long, so that the address sanitizer sees reads past its end.
@MainActor
@_cdecl("LLVMFuzzerTestOneInput")
public func test(_ octets: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  run(unsafe Bytes(UnsafeBufferPointer(start: octets, count: count)))
  return 0
}

/// Ends the run with `what`, for libFuzzer to keep the input, unless `condition` holds. In optimized code too.
@inline(__always)
func require(_ condition: Bool, _ what: @autoclosure () -> String) {
  if !condition { broken(what()) }
}

@inline(never)
private func broken(_ what: String) -> Never { fatalError("promise broken: \(what)") }
