/// Where the log ended when it was read.
struct LogEnd: Sendable {
  var segment: UInt32 = 0
  var offset: Int64 = 0
  var sequence: UInt64 = 0
  var nextNumber: UInt32 = 1
  /// Further records may go into that segment.
  var canContinue = false
}
