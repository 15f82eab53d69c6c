/// Times in nanoseconds, in classes less than 1 % wide: a hundred and twenty-eight to each power of
/// two. Adding allocates nothing.
public struct LatencyHistogram: Sendable {
    private static let bits = 7
    private static let exponentMax = 40
    private var counts: [UInt64]
    /// Times added.
    public private(set) var count: UInt64 = 0
    /// The longest time added.
    public private(set) var longest: UInt64 = 0

    /// An empty histogram.
    public init() {
        let classes = (LatencyHistogram.exponentMax - LatencyHistogram.bits + 2)
        counts = Array(repeating: 0, count: classes << LatencyHistogram.bits)
    }

    /// The class of a time; those beyond 18 minutes share the last ones.
    static func place(_ nanos: UInt64) -> Int {
        let nanos = min(nanos, 1 << (exponentMax + 1) - 1)
        let shift = max(0, 63 - nanos.leadingZeroBitCount - bits)
        guard shift > 0 || nanos >> UInt64(bits) == 1 else { return Int(nanos) }
        return (shift + 1) << bits + Int(nanos >> UInt64(shift) & (1 << UInt64(bits) - 1))
    }

    /// The largest time of a class.
    static func highest(_ place: Int) -> UInt64 {
        guard place >= 1 << bits else { return UInt64(place) }
        let shift = UInt64(place >> bits - 1)
        return (UInt64(place & (1 << bits - 1)) + 1 + 1 << UInt64(bits)) << shift - 1
    }

    /// Adds a time.
    public mutating func add(_ nanos: UInt64) {
        counts[LatencyHistogram.place(nanos)] += 1
        count += 1
        longest = max(longest, nanos)
    }

    /// The time that a share of all times do not exceed, by nearest rank; 0 if there are none.
    public func quantile(_ share: Double) -> UInt64 {
        var left = UInt64((share * Double(count)).rounded(.up))
        for (place, count) in counts.enumerated() where count > 0 {
            if left <= count { return min(LatencyHistogram.highest(place), longest) }
            left -= count
        }
        return longest
    }
}
