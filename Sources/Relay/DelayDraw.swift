public import Bytes
public import Crypto

#if canImport(Glibc)
internal import Glibc
#endif

/// Draws delays by the law of a `MixDelay`, quickly.
///
/// An exponential delay is a number of half-lives, of which each further one is half as likely,
/// and a part of one, read from a table of 256 steps with straight lines between them; they differ
/// from the law by 2 millionths of the mean at most. Longer delays than the longest are drawn
/// again, as the law says.
///
/// 13 ns a draw, of which 9 make the random number; with `log` it is 25, with `expm1` and `log1p`
/// 52 (AMD EPYC).
public struct DelayDraw {
    private static var steps: Int { @_noLocks get { 256 } }
    private static var halfLife: Double { @_noLocks get { 0x1.62e42fefa39efp-1 } }

    private let law: MixDelay
    private let table: Column<Double>

    /// Takes memory; call `fill` before use.
    public init(_ arena: inout Arena, _ law: MixDelay) {
        self.law = law
        table = arena.column(Double.self, DelayDraw.steps + 1)
    }

    /// Fills the table; call before use.
    public func fill() {
        for step in 0...DelayDraw.steps {
            table[step] = -log1p(-Double(step) / Double(2 * DelayDraw.steps))
        }
    }

    /// Draws a delay.
    @_noLocks
    public func draw(_ random: inout RandomStream) -> UInt64 {
        guard case .exponential(let meanNanos, let maxNanos) = law, maxNanos >= meanNanos else {
            return law.draw(&random)
        }
        let mean = Double(meanNanos)
        // Two thirds of the draws are short enough, or more.
        for _ in 0..<64 {
            let bits = random.next()
            var halves = (bits | 1 << 20).trailingZeroBitCount
            if halves == 20 { halves += (random.next() | 1 << 63).trailingZeroBitCount }
            let delay = UInt64(mean * (Double(halves) * DelayDraw.halfLife + part(bits)))
            if delay <= maxNanos { return delay }
        }
        return law.draw(&random)
    }

    /// Less than a half-life, in means: what the high 44 bits say.
    @_noLocks
    func part(_ bits: UInt64) -> Double {
        let step = Int(bits >> 56)
        let share = Double(bits >> 20 & (1 << 36 - 1)) * 0x1p-36
        return table[step] + share * (table[step + 1] - table[step])
    }
}
