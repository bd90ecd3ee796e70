import CLinux

/// The owner of an open descriptor: closes it when it goes.
public struct Descriptor: ~Copyable, Sendable {
  /// The kernel's number for it.
  public let number: Int32

  /// Takes over `number`.
  public init(_ number: Int32) { self.number = number }

  deinit {
    _ = cl_close(number)
  }
}
