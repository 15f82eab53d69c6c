internal import Datapath
internal import Link

/// When a worker's bursts on links of a constant rate are due: some datagrams at a time, as evenly
/// as whole nanoseconds allow.
///
/// A burst, not a datagram: no frame is in two trains, and a packet takes more than one datagram.
/// The workers of a node share a link's rate, each at its own moments.
struct PaceClock {
    /// What a worker's rate is made of.
    struct Plan {
        /// Datagrams a second of one link; 0: links send when there is something to send.
        var perSecond = 0
        var workers = 1
        var packetBytes = 0
    }

    /// Bursts that a worker makes up for at once; those before are missed.
    private static var lateMax: Int { @_noLocks get { 4 } }
    private static var burstNanos: Int { 10_000_000 }

    /// Datagrams of a burst; 0: no constant rate.
    let burst: Int
    /// When the next burst is due; `UInt64.max` without a rate.
    private(set) var nextNanos = UInt64.max
    // From burst to burst: whole nanoseconds, and what remains of the division.
    private let stepNanos: UInt64
    private let remainder: UInt64
    private let divisor: UInt64
    private var rest: UInt64 = 0

    /// The clock of worker `number`.
    init(_ plan: Plan, worker number: Int, nowNanos: UInt64) {
        guard plan.perSecond > 0 else {
            (burst, stepNanos, remainder, divisor) = (0, 0, 0, 1)
            return
        }
        burst = PaceClock.burst(plan)
        divisor = UInt64(plan.perSecond)
        let dividend = UInt64(burst * plan.workers) * 1_000_000_000
        (stepNanos, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
        nextNanos = nowNanos + stepNanos * UInt64(number) / UInt64(plan.workers)
    }

    /// What is due in ten milliseconds, but a packet at least, whatever the size of datagrams.
    private static func burst(_ plan: Plan) -> Int {
        let perDatagram = LinkLimits.datagramBytesMin - LinkLimits.overheadBytes - 4
        let least = (plan.packetBytes + 3 + perDatagram - 1) / perDatagram
        let due = plan.perSecond * burstNanos / 1_000_000_000 / plan.workers
        return min(max(least, due), max(least, LinkLimits.trainDatagramsMax))
    }

    /// The bursts that are due, to be sent now, and those that it is too late for.
    @_noLocks
    mutating func take(nowNanos: UInt64) -> (due: Int, missed: Int) {
        var (due, missed) = (0, 0)
        while nextNanos <= nowNanos {
            if due < PaceClock.lateMax { due += 1 } else { missed += 1 }
            nextNanos += stepNanos
            rest += remainder
            if rest >= divisor {
                rest -= divisor
                nextNanos += 1
            }
        }
        return (due, missed)
    }
}
