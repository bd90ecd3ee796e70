import Server
import System
import Wire

/// `network`: the addresses of the device, and what can be reached from it.
struct NetworkCommand {
  let invocation: Invocation
  let output: Output

  func run() throws(Failure) -> ExitCode {
    let words = invocation.operands
    let verb = words.first ?? Bytes("show")
    if verb.equals("dhcp") || verb.equals("static") {
      let settings = verb.equals("static") ? try NetworkSettings(invocation) : nil
      try NetworkTrial.check()
      let interface = try interface()
      try NetworkTrial.begin(interface, NetworkSettings.file(interface, settings))
      output.line(
        """
        The new settings hold now. Unless `restante network confirm` says within two
        minutes that they are right, the old ones come back by themselves.
        """)
      return .ok
    }
    if verb.equals("confirm") {
      try NetworkTrial.confirm()
      output.line("the settings stay")
      return .ok
    }
    if verb.equals("revert") {
      output.line(
        try NetworkTrial.revert() ? "the settings of before hold again" : "there was no change to take back")
      return .ok
    }
    if verb.equals("show") { return show() }
    if verb.equals("port25") { return try port25(words.dropFirst().first) }
    guard words.count == 2 else { throw Failure(.usage, "say of which host: `restante network ping mail.example`") }
    // Not an option of the program that is asked.
    if words[1].first == 0x2D { throw Failure(.usage, "a host's name does not begin with a hyphen") }
    if verb.equals("ping") { return try ping(words[1]) }
    if verb.equals("lookup") { return try lookUp(words[1]) }
    throw Failure(.usage, "there is `network show`, dhcp, static, confirm, revert, ping, lookup and port25")
  }

  // MARK: settings

  /// The interface that is meant: the one there is, unless it was named.
  private func interface() throws(Failure) -> Bytes {
    if let named = invocation.value(.interface) {
      guard Files().exists(Path("/sys/class/net").appending(named)), !named.contains(0x2F) else {
        throw Failure(.data, Bytes("there is no interface ") + named)
      }
      return named
    }
    let names = NetworkCommand.interfaces
    guard names.count == 1 else {
      var text = Bytes(names.isEmpty ? "this device has no network interface" : "say which with --interface:")
      for name in names { text += [ASCII.space] + name }
      throw Failure(.usage, text)
    }
    return names[0]
  }

  /// Those that lead somewhere.
  private static var interfaces: [Bytes] {
    var names = (try? Files().list(Path("/sys/class/net"))) ?? []
    names.removeAll { !Files().exists(Path("/sys/class/net").appending($0).appending("device")) }
    names.shellSort { $0.lexicographicallyPrecedes($1) }
    return names
  }

  private func show() -> ExitCode {
    for name in NetworkCommand.interfaces {
      let place = Bytes("/sys/class/net/") + name
      let file = Bytes("/etc/systemd/network/10-restante-") + name + Bytes(".network")
      let settings = SystemText.read(file)
      var text = name
      text.pad(to: 10)
      text += SystemText.read(place + Bytes("/carrier"))?.equals("1") == true ? "cable connected" : "NO CABLE"
      text +=
        settings.map { SystemText.contains($0, "\nAddress=") } == true
        ? ", fixed addresses" : ", DHCP or as the image has it"
      text += ", "
      text += SystemText.read(place + Bytes("/address")) ?? []
      output.line(text)
    }
    tell("IPv4", NetworkCommand.after("inet", "ip -o -4 addr show"))
    tell("IPv6", NetworkCommand.after("inet6", "ip -o -6 addr show"))
    let gateways = NetworkCommand.after("via", "ip -4 route show default")
    tell("gateway", gateways + NetworkCommand.after("via", "ip -6 route show default"))
    let resolver = SystemText.lines(SystemText.read("/etc/resolv.conf") ?? [])
    tell("DNS", resolver.compactMap { SystemText.value("nameserver", in: $0) })
    if NetworkTrial.isPending {
      output.line(
        "these settings wait for `restante network confirm`; without it the old ones come back in two minutes")
    }
    return .ok
  }

  private func tell(_ name: StaticString, _ words: [Bytes]) {
    var text = Bytes(name)
    text.pad(to: 10)
    if words.isEmpty { text += "none" }
    for (index, word) in words.enumerated() { text += (index > 0 ? [ASCII.space] : []) + word }
    output.line(text)
  }

  /// What `ip` says after a word in each line.
  private static func after(_ word: StaticString, _ command: StaticString) -> [Bytes] {
    var found: [Bytes] = []
    for line in SystemText.lines(Tool.ask(command) ?? []) {
      let words = SystemText.words(line)
      guard let at = words.firstIndex(where: { $0.equals(word) }), at + 1 < words.count else { continue }
      let address = words[at + 1]
      // This machine's own, and those of the cable alone.
      if address.hasPrefix("127.") || address.hasPrefix("::1/") || address.hasPrefix("fe80:") && address.contains(0x2F)
      {
        continue
      }
      found.append(address)
    }
    return found
  }

  // MARK: what can be reached

  private func ping(_ host: Bytes) throws(Failure) -> ExitCode {
    let words = Tool.words("ping -c 4 -W 3") + [host]
    var code = try Tool.run(words)
    if code == nil { code = try Tool.run([Bytes("busybox")] + words) }
    guard let code else {
      throw Failure(.unavailable, "there is no program for pings on this machine")
    }
    if code == 0 { return .ok }
    output.line("no answer; some hosts give none by intention. Try `restante network lookup` and the gateway")
    return .tryAgain
  }

  private func lookUp(_ name: Bytes) throws(Failure) -> ExitCode {
    let found = Sockets.addresses(of: name)
    tell("addresses", found)
    if !found.isEmpty { return .ok }
    output.line("the name has no address, or no DNS server answers: see `restante network show`")
    return .tryAgain
  }

  /// Whether our own port answers on each of our addresses, and that of another host, if one is named.
  private func port25(_ host: Bytes?) throws(Failure) -> ExitCode {
    var isWell = true
    let own = SystemText.words(Sockets.ownAddresses)
    for text in own where !greets(text, "this device") { isWell = false }
    if own.isEmpty { output.line("this device has no address yet: see `restante network show`") }
    if let host {
      let found = Sockets.addresses(of: host)
      if found.isEmpty {
        output.line(Bytes("no address was found for ") + host)
        isWell = false
      } else if !found.contains(where: { greets($0, "the other host") }) {
        output.line("many providers let nobody but themselves reach port 25 outside; receiving does not need it")
        isWell = false
      }
    }
    output.line("whether others reach it from outside cannot be seen from here: the router must pass port 25 on to us")
    return isWell ? .ok : .tryAgain
  }

  private func greets(_ text: Bytes, _ who: StaticString) -> Bool {
    guard let address = SocketAddress(text, port: 25) else { return false }
    var line = Bytes(who)
    line += ", "
    line += address.textWithPort
    line += ": "
    var isWell = false
    do throws(Failure) {
      let dialogue = try DemoDialogue(address, isShown: false, milliseconds: 5000)
      try dialogue.expect("220")
      line += "answers"
      isWell = true
    } catch {
      line += error.text
    }
    output.line(line)
    return isWell
  }
}
