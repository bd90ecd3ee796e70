import System

/// Why the spool could not do what it was asked. None of them changes what is stored.
public enum SpoolError: Error, Equatable, Sendable {
  /// There is no room on the disk: 452 to a sender; readers notice nothing.
  case full
  /// The kernel refused.
  case failed(Errno)
  /// The message cannot be read any more.
  case gone
  /// Another process has this spool.
  case held
  /// What was read is not what was written.
  case damaged

  init(_ errno: Errno) { self = errno.isDiskFull ? .full : .failed(errno) }
}
