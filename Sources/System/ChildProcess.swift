import CLinux
import Wire

/// Another program that this one started. It goes on by itself when nobody waits for it.
public struct ChildProcess: ~Copyable {
  /// The kernel's number for it.
  public let identifier: Int32

  /// This very program, to be started again with other arguments.
  public static let ownProgram = Bytes("/proc/self/exe")

  /// Starts the program `words[0]`, which is looked for in PATH unless it has a slash, with the other words.
  ///
  /// The descriptors become its standard ones; what is nil is /dev/null. It gets no other descriptor of ours, and our
  /// real user's rights. With `ownSession` the hang-up of a terminal does not reach it.
  public init(
    _ words: [Bytes], input: Int32? = nil, output: Int32? = nil, error: Int32? = nil, ownSession: Bool = false
  ) throws(Errno) {
    var all = Bytes()
    for word in words {
      // What came after a NUL the program would take for words of its own.
      all += Path(word).bytes
      all.append(0)
    }
    if words.isEmpty { throw .invalid }
    let result = unsafe all.withUnsafeBytes {
      unsafe cl_spawn(
        $0.baseAddress!.assumingMemoryBound(to: CChar.self), Int32(words.count), input ?? -1, output ?? -1, error ?? -1,
        ownSession ? 1 : 0)
    }
    identifier = try Errno.check(result)
  }

  /// Waits for its end; returns its exit code, or 128 and the number of the signal that ended it.
  public func wait() throws(Errno) -> Int32 { try Errno.check(cl_wait_child(identifier, 1)) }

  /// How it ended; nil while it runs. Can be asked for its end once.
  public func ended() throws(Errno) -> Int32? {
    let result = cl_wait_child(identifier, 0)
    return result == -Errno.again.code ? nil : try Errno.check(result)
  }

  /// A descriptor that is readable once it has ended.
  public func endDescriptor() throws(Errno) -> Descriptor {
    try Descriptor(Errno.check(cl_process_descriptor(identifier)))
  }

  /// Asks it to end (SIGTERM), or ends it.
  public func end(atOnce: Bool = false) {
    _ = cl_kill(identifier, Int32(atOnce ? CL_SIGKILL : CL_SIGTERM))
  }

  /// Asks it and whatever it has started to end, where it was given a session of its own.
  public func endSession() { _ = cl_kill(-identifier, Int32(CL_SIGTERM)) }
}

/// A pipe: what is written into one end comes out of the other. Both are closed when a program is started.
public struct Pipe: ~Copyable {
  public let readingEnd: Descriptor
  public let writingEnd: Descriptor

  public init() throws(Errno) {
    var ends: (Int32, Int32) = (-1, -1)
    let result = unsafe withUnsafeMutableBytes(of: &ends) {
      unsafe cl_pipe($0.baseAddress!.assumingMemoryBound(to: Int32.self))
    }
    try Errno.check(result)
    readingEnd = Descriptor(ends.0)
    writingEnd = Descriptor(ends.1)
  }

  /// Closes the end that is written to, so that who reads comes to the end; the other one stays.
  public consuming func reading() -> Descriptor { readingEnd }

  /// Closes the end that is read.
  public consuming func writing() -> Descriptor { writingEnd }
}

extension ChildProcess {
  /// What a program said on standard output, and how it ended.
  public struct Answer: Sendable {
    public var code: Int32
    public var text: Bytes
  }

  /// Runs a program to its end and returns what it says on standard output (and on standard error, with `errors`), at
  /// most `limit` octets of it: more is read and dropped.
  ///
  /// - Parameter milliseconds: how long it may be silent; then it is ended, as by SIGKILL.
  public static func ask(
    _ words: [Bytes], errors: Bool = false, limit: Int = 64 * 1024, milliseconds: Int = 10_000
  ) throws(Errno) -> Answer {
    let pipe = try Pipe()
    let writing = pipe.writingEnd.number
    let child = try ChildProcess(words, output: writing, error: errors ? writing : nil)
    let reading = pipe.reading()
    var poll = try Poll()
    try poll.add(reading.number, .read, token: 0)
    var answer = Answer(code: 0, text: [])
    while true {
      var isReady = false
      let begun = Clock.monotonic
      try poll.wait(milliseconds: milliseconds) { _, _ in isReady = true }
      if !isReady {
        // Waiting may also be interrupted.
        if Clock.monotonic - begun < Int64(milliseconds) { continue }
        child.end(atOnce: true)
        break
      }
      let piece = try Process.read(reading.number, count: 4096)
      if piece.isEmpty { break }
      answer.text += piece.span.extracting(0..<min(piece.count, max(0, limit - answer.text.count)))
    }
    answer.code = try child.wait()
    return answer
  }
}
