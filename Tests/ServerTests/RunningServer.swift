import Server
import Synchronization
import System
import Testing
import Wire

@testable import Server

/// A server in this process, on a thread and a directory of its own, with the accounts anna, bert and small (10 KiB);
/// everybody's password is "pencil".
final class RunningServer: @unchecked Sendable {
  let directory: Path
  private(set) var smtp = SocketAddress.any(.ipv4, port: 0)
  private(set) var pop3 = SocketAddress.any(.ipv4, port: 0)
  private var remote: Server.Remote?
  /// Seconds the server's patience is put forward.
  private let skew = Atomic<Int>(0)
  private let lock = Lock()
  private let condition = Condition()
  private var state = State.starting

  private enum State: Equatable {
    case starting, serving, ended
    case failed(StartFailure)
  }

  static let account =
    " SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
    + ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

  init(_ adjust: @escaping @Sendable (inout Configuration) -> Void = { _ in }) throws {
    directory = try Process.temporaryDirectory(in: Path("/tmp"), prefix: "server")
    let accounts = ["anna", "bert", "small"].map { $0 + Self.account + ($0 == "small" ? " quota=10K\n" : "\n") }
    try write(accounts.joined(), to: directory.appending("accounts"))
    try write("sales: anna, bert\n", to: directory.appending("aliases"))
    try Thread.start(stack: 1 << 20) { [self] in run(adjust) }
    lock.locked { while state == .starting { condition.wait(lock) } }
    if case .failed(let failure) = state { throw failure }
  }

  func write(_ text: String, to path: Path) throws {
    let file = try Files().open(path, [.write, .create, .truncate])
    #expect(Process.write(Bytes(text.utf8), to: file.number))
  }

  /// What the server wrote in its journal so far.
  var journal: String {
    // A line is written at the end of the turn it belongs to.
    try? turn()
    return (try? Files().contents(directory.appending("journal"), limit: 1 << 24).text) ?? ""
  }

  /// Returns when the turn of the server's loop that was under way is over, and another was.
  private func turn() throws {
    for _ in 0..<2 {
      let client = try Client(at: directory.appending("control"))
      try client.ask("STATUS\n", until: "\r\n.\r\n")
    }
  }

  private func run(_ adjust: @Sendable (inout Configuration) -> Void) {
    var configuration = Configuration()
    configuration.device.hostName = Bytes("mail.office.example")
    configuration.device.domains = [Bytes("office.example")]
    configuration.device.stateDirectory = directory
    configuration.device.aliases = directory.appending("aliases")
    let loopback = SocketAddress(Bytes("127.0.0.1"), port: 0)!
    configuration.smtp.listenTLS = []
    configuration.pop3.listenTLS = []
    configuration.smtp.listen = [.address(loopback)]
    configuration.pop3.listen = [.address(loopback)]
    configuration.smtp.listenTLS = []
    configuration.pop3.listenTLS = []
    configuration.spool.keepFree = .percent(0)
    adjust(&configuration)
    do throws(StartFailure) {
      // Held open as long as the server writes in it.
      let file = try? Files().open(directory.appending("journal"), [.write, .create, .append])
      guard let file else { throw StartFailure(73, Bytes("no journal")) }
      let server = try Server(
        configuration, journal: Journal(descriptor: file.number, hasSeverity: true), handlesSignals: false)
      server.skew = { [self] in Int64(skew.load(ordering: .relaxed)) }
      smtp = server.addresses(of: .smtp)[0]
      pop3 = server.addresses(of: .pop3)[0]
      remote = server.remoteControl
      move(to: .serving)
      server.run()
      move(to: .ended)
    } catch {
      move(to: .failed(error))
    }
  }

  private func move(to new: State) {
    lock.locked {
      state = new
      condition.signal()
    }
  }

  /// Lets so many seconds pass for those the server waits for. It looks at them when it next has something to do: poke it.
  func pass(seconds: Int) throws {
    skew.add(seconds, ordering: .relaxed)
    try turn()
  }

  /// Ends the server, as SIGTERM does, and waits for it.
  func stop() {
    remote?.stop()
    waitForEnd()
  }

  func beginToStop() { remote?.stop() }
  func waitForEnd() { lock.locked { while state == .serving { condition.wait(lock) } } }

  deinit {
    stop()
    remove(directory)
  }

  private func remove(_ path: Path) {
    let files = Files()
    for name in (try? files.list(path)) ?? [] {
      let inside = path.appending(name)
      if (try? files.status(inside).isDirectory) == true { remove(inside) } else { try? files.remove(inside) }
    }
    try? files.removeDirectory(path)
  }
}
