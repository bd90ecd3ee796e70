import Wire

/// What LIST and UIDL have in common: RFC 1939 §5, §7.
enum Listing {
  case sizes
  case uniqueIDs
}

extension Session {
  mutating func list(_ listing: Listing, _ rest: Span<UInt8>, of maildrop: M, reply: inout Bytes) -> Effect {
    let arguments = Arguments(rest)
    guard arguments.count < 2 else { return fail(.noArgument, reply: &reply) }
    guard arguments.count == 1 else {
      let before = reply.count
      say(.listing, maildrop.count - marks.count, maildrop.octets - marks.octets, reply: &reply)
      let effect = tell(listing, from: 1, of: maildrop, reply: &reply)
      guard case .close = effect else { return effect }
      // Nothing of it has been sent yet, so it can be refused as a whole: an empty list would make clients forget
      // which messages they have.
      reply.removeLast(reply.count - before)
      state = .transaction(maildrop)
      refuse(.listFault, reply: &reply)
      return .more
    }
    guard let number = Arguments.number(rest.extracting(arguments.first)) else {
      return fail(.numberNeeded, reply: &reply)
    }
    guard isThere(number, in: maildrop, reply: &reply) else { return .more }
    do throws(MaildropError) {
      let entry = try entry(number, of: maildrop)
      var line = ListingLine(listing, uidPrefix: maildrop.uidPrefix)
      reply += "+OK "
      line.append(number, octets: entry.octets, uid: entry.uid, to: &reply)
    } catch {
      refuse(.listFault, reply: &reply)
    }
    return .more
  }

  /// Goes on with a long listing when what was told so far has been sent.
  public mutating func resume(reply: inout Bytes) -> Effect {
    switch state {
    case .listing(let maildrop, let listing, let next):
      state = .transaction(maildrop)
      return tell(listing, from: next, of: maildrop, reply: &reply)
    case .ended:
      return .close
    default:
      return .more
    }
  }

  /// Appends the lines for the messages from `first` on, as many as a reply may hold. If the index cannot be read
  /// further it ends the session with the listing unfinished: a client takes no conclusion from half a listing, but
  /// forgets what is missing from one that ended in order.
  private mutating func tell(_ listing: Listing, from first: Int, of maildrop: M, reply: inout Bytes) -> Effect {
    let full = Limits.pop3Listing - ListingLine.longest
    guard reply.count < full else {
      state = .listing(maildrop, listing, next: first)
      return .resume
    }
    var line = ListingLine(listing, uidPrefix: maildrop.uidPrefix)
    var next = first
    let skips = !marks.isEmpty
    reply.reserveCapacity(min(Limits.pop3Listing, reply.count + (maildrop.count - first + 2) * ListingLine.longest))
    do throws(MaildropError) {
      if first <= maildrop.count {
        try maildrop.visit(from: first) { [marks] number, octets, uid in
          guard number == next, reply.count < full else { return false }
          next += 1
          if !skips || !marks.contains(number) { line.append(number, octets: octets, uid: uid, to: &reply) }
          return next <= maildrop.count
        }
        guard next > first else { throw .temporary }
      }
    } catch {
      state = .ended
      return .close
    }
    if next <= maildrop.count {
      state = .listing(maildrop, listing, next: next)
      return .resume
    }
    reply += ".\r\n"
    return .more
  }
}
