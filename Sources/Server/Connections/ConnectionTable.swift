import Wire

/// All connections, by token: the lower half of one is its place here, the upper half is never the same again.
struct ConnectionTable {
  private var places: [Connection?] = []
  private var free: [Int] = []
  private var serial: UInt64 = 0

  private(set) var count = 0
  var isEmpty: Bool { count == 0 }

  /// A token for a connection that is about to be added.
  mutating func token() -> UInt64 {
    serial += 1
    let place = free.last ?? places.count
    return serial << 32 | UInt64(place)
  }

  /// Adds a connection under the token that ``token()`` gave last.
  mutating func add(_ connection: Connection) {
    let place = Int(connection.token & 0xFFFF_FFFF)
    if place == places.count {
      places.append(connection)
    } else {
      free.removeLast()
      places[place] = connection
    }
    count += 1
  }

  mutating func remove(_ token: UInt64) {
    guard self[token] != nil else { return }
    let place = Int(token & 0xFFFF_FFFF)
    places[place] = nil
    free.append(place)
    count -= 1
    if count == 0 {
      places = []
      free = []
    }
  }

  subscript(token: UInt64) -> Connection? {
    let place = Int(token & 0xFFFF_FFFF)
    guard place < places.count, let connection = places[place], connection.token == token else { return nil }
    return connection
  }

  /// All of them as they are now, in no order.
  var all: [Connection] { places.compactMap { $0 } }
}
