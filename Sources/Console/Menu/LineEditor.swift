import Wire

/// Makes lines of what is typed at a terminal, and what is to be echoed of it.
///
/// Whatever else comes is noise: NUL, controls, arrows and other keys that send a sequence, octets that are no
/// character. A line that grew too long is no answer, however it ends.
struct LineEditor {
  enum Key: Equatable {
    /// A line was ended.
    case line(Bytes)
    /// A line was ended that had been too long; nothing of it counts.
    case tooLong
    /// Ctrl-C.
    case interrupt
    /// Ctrl-D where nothing is typed.
    case end
  }

  /// Octets of a line: far more than any answer has.
  static let limit = 250

  /// How what is typed is shown.
  enum Echo {
    case plain, stars, none
  }

  var echo = Echo.plain
  /// Whether the terminal shows UTF-8; otherwise only ASCII is taken.
  let isUTF8: Bool
  private(set) var text = Bytes()
  /// The beginning of a character.
  private var held = Bytes()
  private var isTooLong = false
  /// CR came last: an LF after it is of the same Enter.
  var followsReturn = false
  private var escape = Escape.none

  /// How far a sequence that began with ESC has come.
  private enum Escape {
    case none, begun, parameters
  }

  init(isUTF8: Bool) { self.isUTF8 = isUTF8 }

  /// Takes an octet; appends to `shown` what the terminal is to show, and returns what it completes.
  mutating func take(_ octet: UInt8, _ shown: inout Bytes) -> Key? {
    let followedReturn = followsReturn
    followsReturn = octet == ASCII.cr
    if octet < ASCII.space || octet == 0x7F {
      held.removeAll()
      escape = octet == 0x1B ? .begun : .none
      return control(octet, followedReturn, &shown)
    }
    switch escape {
    case .begun:
      escape = octet == 0x5B || octet == 0x4F ? .parameters : .none
      return nil
    case .parameters:
      if octet >= 0x40 { escape = .none }
      return nil
    case .none: break
    }
    held.append(octet)
    if octet < 0x80 {
      held = [octet]
    } else if !isUTF8 || held.span.utf8SequenceLength(at: 0) == nil {
      // The rest of the character is yet to come, or it is none.
      if held.count >= 4 || octet >= 0xC0 { held = octet >= 0xC0 && isUTF8 ? [octet] : [] }
      return nil
    }
    if text.count + held.count > Self.limit {
      isTooLong = true
      shown.append(0x07)
    } else {
      text += held
      switch echo {
      case .plain: Printable(isUTF8: isUTF8).append(held, to: &shown)
      case .stars: shown += "*"
      case .none: break
      }
    }
    held.removeAll()
    return nil
  }

  private mutating func control(_ octet: UInt8, _ followedReturn: Bool, _ shown: inout Bytes) -> Key? {
    switch octet {
    case ASCII.lf where followedReturn: return nil
    case ASCII.cr, ASCII.lf:
      shown.appendCRLF()
      let line = text
      let wasTooLong = isTooLong
      clear()
      return wasTooLong ? .tooLong : .line(line)
    case 0x03:
      clear()
      shown += "^C"
      shown.appendCRLF()
      return .interrupt
    case 0x04 where text.isEmpty && !isTooLong:
      shown.appendCRLF()
      return .end
    // Backspace and DEL, whichever key has which.
    case 0x08, 0x7F: rubOut(&shown)
    // Ctrl-U and Ctrl-X: the whole line.
    case 0x15, 0x18:
      while !text.isEmpty { rubOut(&shown) }
      isTooLong = false
    default: break
    }
    return nil
  }

  private mutating func rubOut(_ shown: inout Bytes) {
    while let last = text.popLast() {
      if last & 0xC0 == 0x80 { continue }
      if echo != .none { shown += "\u{8} \u{8}" }
      return
    }
  }

  /// Begins a new line.
  mutating func clear() {
    text.removeAll()
    isTooLong = false
    held.removeAll()
  }
}
