extension Array {
  /// Sorts by Shell's method, whose last pass has gap 1: the standard library's sort would be 3 KiB of program for each
  /// type of element, and ours are sorted rarely. Not stable.
  public mutating func shellSort(_ precedes: (Element, Element) -> Bool) {
    var gap = count
    while gap > 1 {
      gap = Swift.max(1, gap * 4 / 9)
      for start in gap..<count {
        let element = self[start]
        var index = start
        while index >= gap, precedes(element, self[index - gap]) {
          self[index] = self[index - gap]
          index -= gap
        }
        self[index] = element
      }
    }
  }
}
