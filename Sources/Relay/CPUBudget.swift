public import Bytes

/// What one neighbour may cost a worker: a bucket of CPU time each, and one of packets.
///
/// A packet that comes is let through while its neighbour has time left. Each stage that it then
/// reaches is charged, and an accepted packet gets a share back: a neighbour is slowed down by what
/// it costs in vain, never shut out. Costs are known after the fact, so a bucket may be overdrawn
/// by what is on its way; in the long run nobody costs more than `nanosPerSecond`.
///
/// Only what a link has authenticated may be charged, or a stranger could use up a neighbour's
/// time. Rows are link rows: no neighbour shares one with another.
public struct CPUBudget {
    /// What a neighbour may use.
    public struct Limits: BitwiseCopyable, Sendable, Equatable {
        /// Nanoseconds of CPU a second, at least 1,000; 0 for any number.
        public var nanosPerSecond: UInt64 = 0
        /// Nanoseconds of CPU that may be saved for a burst.
        public var burstNanos: UInt64 = 50_000_000
        /// What an accepted packet gets back of its charge, in 256ths.
        public var refundShare: UInt64 = 192
        /// Packets a second; 0 for any number.
        public var packetsPerSecond: UInt64 = 0

        /// No limits.
        public init() {}
    }

    /// All in nanoseconds that must pass to earn it.
    private struct Row: BitwiseCopyable {
        var seenNanos: UInt64 = 0
        /// Negative: overdrawn.
        var time: Int64 = 0
        var packets: Int64 = 0
    }

    /// Longest burst of packets.
    private static var packetBurstNanos: UInt64 { @_noLocks get { 100_000_000 } }
    /// A charge is never larger: an eighth of a second of CPU.
    private static var chargeMaxNanos: UInt64 { @_noLocks get { 1 << 27 } }

    private let rows: Column<Row>
    private let limits: Limits
    /// Nanoseconds that must pass for one of CPU, in 65,536ths; 0 without a limit.
    private let passPerNano: UInt64
    private let timeBurst: Int64
    private let passPerPacket: Int64
    private let packetBurst: Int64

    /// Takes memory for neighbours with link rows below `rows`; zeroed memory is ready for use.
    public init(_ arena: inout Arena, rows: Int, limits: Limits = Limits()) {
        precondition(limits.nanosPerSecond == 0 || limits.nanosPerSecond >= 1_000)
        precondition(limits.refundShare <= 256)
        precondition(limits.burstNanos > 0 && limits.burstNanos <= 1 << 36)
        self.rows = arena.column(Row.self, rows)
        self.limits = limits
        passPerNano =
            limits.nanosPerSecond == 0
            ? 0 : max(1, (1_000_000_000 << 16) / limits.nanosPerSecond)
        timeBurst = CPUBudget.pass(limits.burstNanos, passPerNano)
        passPerPacket =
            limits.packetsPerSecond == 0 ? 0 : Int64(1_000_000_000 / limits.packetsPerSecond)
        packetBurst = max(Int64(CPUBudget.packetBurstNanos), passPerPacket)
    }

    /// Nanoseconds that must pass for `nanos` of CPU.
    @_noLocks
    private static func pass(_ nanos: UInt64, _ perNano: UInt64) -> Int64 {
        let wide = nanos.multipliedFullWidth(by: perNano)
        return Int64(truncatingIfNeeded: wide.high << 48 | wide.low >> 16)
    }

    /// Forgets a neighbour: its row is another's from now on.
    @_noLocks
    public func reset(row: UInt32) { rows[Int(row)] = Row() }

    /// True if a packet of the neighbour may go on (else `peerBudget`); it has used one of its
    /// packets then.
    @_noLocks
    public func mayPass(row: UInt32, nowNanos: UInt64) -> Bool {
        guard passPerNano > 0 || passPerPacket > 0 else { return true }
        var bucket = rows[Int(row)]
        earn(&bucket, nowNanos)
        let passes =
            (passPerNano == 0 || bucket.time > 0)
            && (passPerPacket == 0 || bucket.packets >= passPerPacket)
        if passes { bucket.packets -= passPerPacket }
        rows[Int(row)] = bucket
        return passes
    }

    /// True if neighbours are limited at all.
    var isLimited: Bool {
        @_noLocks
        get { passPerNano > 0 || passPerPacket > 0 }
    }

    /// True if a packet of the neighbour that came now would not pass.
    @_noLocks
    public func isSpent(row: UInt32, nowNanos: UInt64) -> Bool {
        guard isLimited else { return false }
        var bucket = rows[Int(row)]
        earn(&bucket, nowNanos)
        return passPerNano > 0 && bucket.time <= 0
            || passPerPacket > 0 && bucket.packets < passPerPacket
    }

    @_noLocks
    private func earn(_ bucket: inout Row, _ nowNanos: UInt64) {
        // A neighbour that was never seen has saved all it may.
        guard bucket.seenNanos > 0 else {
            bucket = Row(seenNanos: max(1, nowNanos), time: timeBurst, packets: packetBurst)
            return
        }
        guard nowNanos > bucket.seenNanos else { return }
        let passed = Int64(truncatingIfNeeded: min(nowNanos - bucket.seenNanos, 1 << 60))
        bucket.seenNanos = nowNanos
        bucket.time = min(timeBurst, bucket.time + passed)
        bucket.packets = min(packetBurst, bucket.packets + passed)
    }

    /// A neighbour's packet has used CPU time.
    @_noLocks
    public func charge(row: UInt32, nanos: UInt64) {
        guard passPerNano > 0 else { return }
        rows[Int(row)].time -= CPUBudget.pass(min(nanos, CPUBudget.chargeMaxNanos), passPerNano)
    }

    /// A neighbour's packet, charged `nanos` in all, was accepted: it gets its share back.
    @_noLocks
    public func refund(row: UInt32, nanos: UInt64) {
        guard passPerNano > 0 else { return }
        let share = min(nanos, CPUBudget.chargeMaxNanos) * limits.refundShare / 256
        let time = rows[Int(row)].time + CPUBudget.pass(share, passPerNano)
        rows[Int(row)].time = min(timeBurst, time)
    }

    /// Charges a packet by its verdict (`none`: accepted), and refunds it if it was accepted.
    @_noLocks
    public func settle(row: UInt32, verdict: Drop, costs: PacketCosts) {
        let nanos = costs.nanos(verdict: verdict)
        charge(row: row, nanos: nanos)
        if verdict.index == 0 { refund(row: row, nanos: nanos) }
    }

    /// Nanoseconds of CPU that a neighbour has left, where they are limited; negative if it has
    /// overdrawn.
    func leftNanos(row: UInt32) -> Int64 {
        Int64(Double(rows[Int(row)].time) * 65_536 / Double(passPerNano))
    }
}
