public import Crypto

#if canImport(Glibc)
internal import Glibc
#endif

/// How long a packet waits in the mixer.
public enum MixDelay: BitwiseCopyable, Sendable, Equatable {
    /// Not at all, but for the wheel's tick.
    case none
    /// Any time up to the maximum, all equally likely.
    case uniform(maxNanos: UInt64)
    /// Exponential with this mean, cut off at the maximum: longer delays are drawn again, so that
    /// none is more likely for having been cut.
    case exponential(meanNanos: UInt64, maxNanos: UInt64)

    /// No delay is longer.
    public var maxNanos: UInt64 {
        switch self {
        case .none: 0
        case .uniform(let maxNanos): maxNanos
        case .exponential(_, let maxNanos): maxNanos
        }
    }

    /// Draws a delay.
    @_noLocks
    public func draw(_ random: inout RandomStream) -> UInt64 {
        switch self {
        case .none:
            return 0
        case .uniform(let maxNanos):
            return random.next(below: maxNanos &+ 1)
        case .exponential(let meanNanos, let maxNanos):
            let unit = Double(random.next() >> 11) * 0x1p-53
            return min(cutExponential(unit, Double(meanNanos), Double(maxNanos)), maxNanos)
        }
    }
}

/// The delay below which a share `unit` of the cut-off exponential distribution lies.
///
/// `expm1` and `log1p` would keep more digits where delays are short, but no nanosecond more, and
/// take twice as long.
@_semantics("no_performance_analysis")
private func cutExponential(_ unit: Double, _ mean: Double, _ most: Double) -> UInt64 {
    guard mean > 0 else { return 0 }
    let inside = 1 - exp(-most / mean)
    return UInt64(-mean * log(1 - unit * inside))
}
