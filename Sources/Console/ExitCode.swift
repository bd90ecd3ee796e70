/// How a command ended, in the numbers of sysexits(3).
public enum ExitCode: Int32, Sendable {
  case ok = 0
  /// The command line is wrong.
  case usage = 64
  /// What was given to read is wrong.
  case data = 65
  /// A file that was named does not exist or cannot be read.
  case noInput = 66
  /// The account that was named does not exist.
  case noUser = 67
  /// Something that is needed does not run or does not answer.
  case unavailable = 69
  /// This program is wrong.
  case software = 70
  /// A file or an account cannot be made.
  case cannotCreate = 73
  /// Reading or writing failed.
  case io = 74
  /// It may work later.
  case tryAgain = 75
  /// Somebody else may do this.
  case permission = 77
  /// The configuration is wrong.
  case configuration = 78
}
