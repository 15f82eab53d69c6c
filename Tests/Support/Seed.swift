import Bytes

/// A small generator for tests: the seed is printed, so a failure can be run again.
public struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    /// What it started from.
    public let seed: UInt64

    /// Takes `DRAY_SEED` from the environment if set, else a fresh seed; prints it.
    public init(_ name: String, seed: UInt64? = nil) {
        let chosen = seed ?? UInt64.random(in: .min ... .max)
        self.seed = chosen
        state = chosen
        print("\(name): seed \(chosen)")
    }

    /// SplitMix64.
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// Random bytes.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
}
