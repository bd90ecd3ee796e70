import Wire

extension Session {
  /// What the caller is to do next. It may send what is in `reply` at any time before; the content that is in `content`
  /// belongs to the message under way.
  ///
  /// After every effect but ``more`` and ``close`` it calls ``Session/receive(_:now:localOffset:reply:content:)`` again
  /// with the input that was left, even if none was.
  public enum Effect {
    /// Read more and call `receive` with what was left and what came.
    case more
    /// Send `reply`, empty it, and call `receive` again: replies to pipelined commands have piled up.
    case flush
    /// May this transaction begin? Call ``Session/answer(mail:reply:)``. `declaredSize` is what SIZE= says, in octets;
    /// it is within our own limit. From `accepted` on exactly one of ``deliver``, ``discard`` and ``close`` follows.
    case mail(declaredSize: Int?)
    /// Is this recipient ours? Call ``Session/answer(recipient:reply:)``.
    case recipient(Mailbox)
    /// The transaction is over and nothing of it will be delivered: drop what was collected. `content` is empty.
    case discard
    /// The content is complete: make it durable for every accepted recipient, then call
    /// ``Session/answer(delivery:reply:)``.
    case deliver
    /// Is this the name's password? Call ``Session/answer(authentication:reply:)``.
    case authenticate(name: Bytes, password: Bytes)
    /// The client's turn in SCRAM. After its first and its last message call ``Session/answer(challenge:reply:)`` with the
    /// server's, or ``Session/answer(authentication:reply:)`` if there is none; after
    /// ``Wire/SASLExchange/SCRAMMessage/acknowledged`` the latter.
    case scram(SASLExchange.SCRAMMessage)
    /// Send `reply`, begin TLS, and call ``Session/startedTLS()``. Octets received before that must not be offered after
    /// it. A transaction that was under way is over.
    case startTLS
    /// Send `reply` and close the connection. A transaction that was under way is over, too.
    case close
  }

  /// The answer to ``Effect/mail(declaredSize:)``.
  public enum MailAnswer: Sendable {
    case accepted
    /// Who has logged in may not send in this name: 550 5.7.1.
    case notYours
    /// The disk is nearly full: 452 4.3.1.
    case diskLow
    /// A local fault: 451 4.3.0.
    case temporarily
  }

  /// The answer to ``Effect/recipient(_:)``.
  public enum RecipientAnswer: Sendable {
    case accepted
    /// The domain is ours, but nobody has this name: 550 5.1.1.
    case unknown
    /// The domain is not ours, and we never relay: 550 5.7.1.
    case notLocal
    /// The maildrop is full: 452 4.2.2.
    case overQuota
    /// A local fault: 451 4.3.0.
    case temporarily
  }

  /// The answer to ``Effect/authenticate(name:password:)`` and ``Effect/scram(_:)``.
  public enum AuthenticationAnswer: Sendable {
    /// 235 2.7.0.
    case welcome
    /// There is no such user, or the password is wrong; the two must not be told apart, in time either: 535 5.7.8.
    case refused
    /// A local fault: 454 4.7.0.
    case temporarily
    /// Too many wrong passwords came from there, and none is looked at for a while: 454 4.7.0.
    case banned
  }

  /// The answer to ``Effect/deliver``.
  public enum DeliveryAnswer: Sendable {
    /// On disk, under this number: 250 2.6.0.
    case stored(id: UInt64)
    /// A recipient's maildrop has no room for it, nobody got it: 452 4.2.2.
    case overQuota
    /// The disk is full: 452 4.3.1.
    case diskLow
    /// A local fault: 451 4.3.0.
    case temporarily
  }
}
