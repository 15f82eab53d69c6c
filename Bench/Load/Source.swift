public import Bytes

/// SplitMix64 from a fixed seed: every run does the same work.
public struct Source: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A source; the same seed gives the same numbers.
    public init(seed: UInt64 = 0x6472_6179_2d62_656e) { state = seed }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }

    /// Random bytes.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    /// Fills a region, eight bytes at a time.
    public mutating func fill(_ region: Region) {
        var place = 0
        while place + 8 <= region.byteCount {
            region.store(next(), place)
            place += 8
        }
        while place < region.byteCount {
            region.store(UInt8(truncatingIfNeeded: next()), place)
            place += 1
        }
    }
}
