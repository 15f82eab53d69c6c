public import Bytes
public import Crypto

/// Puts `values[first..<end]` into random order, all orders alike.
@_noLocks
public func shuffle(
    _ values: Column<UInt32>,
    _ first: Int,
    _ end: Int,
    _ random: inout RandomStream
) {
    var last = end - 1
    while last > first {
        let other = first + Int(random.next(below: UInt64(last - first + 1)))
        let kept = values[last]
        values[last] = values[other]
        values[other] = kept
        last -= 1
    }
}
