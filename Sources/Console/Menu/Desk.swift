import Wire

/// Why a dialogue ends before its end.
enum Leaving: Error {
  /// To the question or menu before: nothing was answered, or a dot.
  case back
  /// To the main menu: Ctrl-C.
  case menu
  /// Nothing was typed for so long that the console locks.
  case idle
  /// Nobody is there any more: the line was hung up, or took nothing for too long.
  case hangUp
  /// The console shall end.
  case stop
}

/// Where a dialogue takes place: whoever sits there, and the commands that are run for them.
///
/// The dialogues know nothing else of the world; tests put a script in its place.
class Desk {
  /// How a command's output is shown.
  enum Showing {
    /// In pages.
    case paged
    /// As it comes, until a key is pressed, which ends the command.
    case following
    /// Not at all, unless it fails.
    case quiet
  }

  /// Shows text; lines end in LF.
  func say(_ text: Bytes) throws(Leaving) {}

  /// Asks, and returns what was typed up to the line's end; throws `.back` for Ctrl-D.
  ///
  /// - Parameters:
  ///   - secret: whether stars are shown in its place.
  ///   - fresh: whether only what is typed from now on may answer.
  func ask(_ question: Bytes, secret: Bool, fresh: Bool) throws(Leaving) -> Bytes { throw .hangUp }

  /// As `ask`, at the lock: it may be days until somebody comes.
  func askAtLock(_ question: Bytes, secret: Bool) throws(Leaving) -> Bytes {
    try ask(question, secret: secret, fresh: true)
  }

  /// Whether the head and the question of the lock are shown already.
  var isAsked: Bool { false }

  /// Runs one of the program's own commands and shows what it says; returns how it ended. Whoever leaves meanwhile does
  /// not end it.
  ///
  /// - Parameter input: what it reads on standard input.
  func run(_ words: [Bytes], input: Bytes?, _ showing: Showing) throws(Leaving) -> Int32 { 0 }

  /// Runs one of the program's own commands that answers soon; returns what it says, nil when it fails.
  func capture(_ words: [Bytes]) -> Bytes? { nil }

  /// Lets so many seconds pass, and forgets what is typed meanwhile.
  func pause(seconds: Int) throws(Leaving) {}

  /// Gives the terminal to a shell until it ends.
  func shell() throws(Leaving) {}

  /// Whether whoever sits there may sit idle: at a locked console, that is all there is to do.
  var isPatient = true
}
