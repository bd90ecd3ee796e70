/// Finds the end of what SMTP's DATA carries and gathers it as it came: CRLF lines, dot-stuffed, ended by `.` CRLF
/// (RFC 5321 §4.1.1.4, §4.5.2). That is byte for byte what POP3's RETR sends later.
///
/// Only CRLF.CRLF ends the content, or `.` CRLF where nothing came before. A bare CR, a bare LF and a dot around them
/// never do: they are noted, and with `BareNewline.normalize` written as CRLF.
///
/// It also takes content that is not stuffed and does not end itself (`DotStuffer`): it is the same work but for what a
/// dot at a line's start means.
///
/// The input may come in any pieces. The scanner never looks back into what it has written.
public struct ContentScanner: Sendable {
  /// Where in a line the last octet left us.
  private enum State: UInt8 {
    /// A dot here was added by the sender.
    case lineStart
    /// A dot here is the message's own: the line before it ended in a bare newline, or nobody has stuffed it yet.
    case rawLineStart
    case dot, dotCR, text, cr, ended
  }

  private var state: State
  private let isStuffed: Bool
  private let policy: BareNewline
  private var header = HeaderWatch()
  /// CRs that came after a CR and are not written yet: with a LF they are all one line end, without it each is its own.
  private var heldCRs: UInt8 = 0
  /// More CRs than this are line ends each, LF or not: what is held must not grow with what is sent.
  private static let mostHeldCRs: UInt8 = 16
  /// Whether `scan` writes what it reads. Without it the end is still found and everything still counted.
  public var collects = true
  /// Whether a bare CR or a bare LF has been seen.
  public private(set) var hasBareNewline = false
  /// The content's size so far as RFC 1939 §11 counts: CRLF as two octets, without stuffing and without the ending line.
  public var octets: Int { Int(clamping: counted) }
  /// In 64 bits on every board: refused content may go on for ever.
  private var counted: Int64 = 0

  /// - Parameter isStuffed: whether the input is in wire format and ends itself, as DATA's is; BDAT's is not.
  public init(bareNewline: BareNewline, isStuffed: Bool = true) {
    policy = bareNewline
    self.isStuffed = isStuffed
    state = isStuffed ? .lineStart : .rawLineStart
  }

  /// Received: lines in the header section so far.
  public var receivedLines: Int { Int(header.receivedLines) }

  /// Reads `input` up to the end of the content, appending to `content`, the ending line too.
  ///
  /// - Returns: how many octets of `input` belong to the content, and whether the last of them ended it.
  public mutating func scan(_ input: Span<UInt8>, into content: inout Bytes) -> (consumed: Int, ended: Bool) {
    // Octets from `run` to `index` go out as they came; in a clean message that is everything, in one append.
    var run = 0
    var index = 0
    while index < input.count, state != .ended {
      let octet = input[index]
      switch state {
      case .lineStart:
        if octet == ASCII.dot {
          header.skipLine()
          counted -= 1
          state = .dot
          index += 1
        } else {
          state = .text
        }

      case .rawLineStart:
        if octet == ASCII.dot {
          header.skipLine()
          write(input.extracting(run..<index), to: &content)
          run = index
          write(".", to: &content)
          counted -= 1
          index += 1
        }
        state = .text

      case .text:
        while header.isCurious, index < input.count, input[index] != ASCII.cr, input[index] != ASCII.lf {
          header.take(input[index])
          index += 1
        }
        index = input.firstIndexOfCROrLF(from: index)
        guard index < input.count else { break }
        if input[index] == ASCII.cr {
          state = .cr
        } else {
          hasBareNewline = true
          if policy == .normalize {
            write(input.extracting(run..<index), to: &content)
            run = index + 1
            write("\r\n", to: &content)
            header.endLine()
            state = .rawLineStart
          }
        }
        index += 1

      case .cr:
        if octet == ASCII.lf {
          heldCRs = 0
          header.endLine()
          state = isStuffed ? .lineStart : .rawLineStart
          index += 1
          break
        }
        hasBareNewline = true
        if policy == .reject {
          if octet != ASCII.cr { state = .text } else { index += 1 }
          break
        }
        write(input.extracting(run..<index), to: &content)
        if octet == ASCII.cr, heldCRs < Self.mostHeldCRs {
          heldCRs += 1
          index += 1
        } else {
          endBareCRs(&content)
        }
        run = index

      case .dot:
        if octet == ASCII.cr {
          state = .dotCR
          index += 1
          if policy == .normalize {
            // Held back: if no LF follows, a dot must come before it.
            write(input.extracting(run..<index - 1), to: &content)
            run = index
          } else {
            // Not counted before it is known to be content: a message of the largest size must not seem larger.
            counted -= 1
          }
        } else if octet == ASCII.lf {
          hasBareNewline = true
          if policy == .normalize {
            write(input.extracting(run..<index), to: &content)
            run = index + 1
            write(".\r\n", to: &content)
            header.endLine()
            state = .rawLineStart
          } else {
            state = .text
          }
          index += 1
        } else {
          state = .text
        }

      case .dotCR:
        if octet == ASCII.lf {
          state = .ended
          index += 1
          if policy == .normalize {
            write("\r", to: &content)
            counted -= 1
          }
          counted -= 1
          break
        }
        hasBareNewline = true
        if policy == .reject {
          counted += 1
          state = .cr
          break
        }
        write(".\r", to: &content)
        state = .cr

      case .ended:
        break
      }
    }
    write(input.extracting(run..<index), to: &content)
    return (index, state == .ended)
  }

  /// Ends content that is not stuffed: its last line, if that is missing its CRLF, and the content itself.
  public mutating func finish(_ content: inout Bytes) {
    switch state {
    case .lineStart, .rawLineStart: break
    case .text, .dot, .dotCR: write("\r\n", to: &content)
    case .cr:
      hasBareNewline = true
      endBareCRs(&content)
    case .ended: return
    }
    write(".\r\n", to: &content)
    counted -= 3
    state = .ended
  }

  /// After one CR that was written and `heldCRs` that were not, something else than a LF came: each was a line end.
  private mutating func endBareCRs(_ content: inout Bytes) {
    write("\n", to: &content)
    header.endLine()
    while heldCRs > 0 {
      write("\r\n", to: &content)
      header.endLine()
      heldCRs -= 1
    }
    state = .rawLineStart
  }

  private mutating func write(_ run: Span<UInt8>, to content: inout Bytes) {
    counted += Int64(run.count)
    if collects { content += run }
  }

  private mutating func write(_ text: StaticString, to content: inout Bytes) {
    counted += Int64(text.utf8CodeUnitCount)
    if collects { content += text }
  }
}

extension Span where Element == UInt8 {
  /// The index of the first CR or LF at or after `start`, or `count`.
  @inline(__always)
  func firstIndexOfCROrLF(from start: Int) -> Int {
    var index = start
    while index < count {
      let octet = self[index]
      // Nearly every octet of a message is past 13: one comparison decides.
      if octet <= ASCII.cr, octet == ASCII.cr || octet == ASCII.lf { return index }
      index += 1
    }
    return count
  }
}
