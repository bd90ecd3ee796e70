import System
import Wire

/// A descriptor held back for the moment when there is no other.
struct SpareDescriptor: ~Copyable {
  private let files: Files
  private var held: Descriptor?

  init(_ files: Files) {
    self.files = files
    take()
  }

  /// Lets it go, so that one more descriptor can be had.
  mutating func release() { held = nil }

  /// Gets it back, if it can.
  mutating func take() {
    if held == nil { held = try? files.open(Path("/dev/null"), .read) }
  }
}
