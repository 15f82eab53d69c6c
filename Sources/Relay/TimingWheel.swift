public import Bytes
public import Crypto

/// Slots that wait for their time, in lists by tick.
///
/// A slot is never released before its time, and at most a tick after it, if the owner comes by
/// that often. Slots of one tick are released in random order: what came first must not go first.
public struct TimingWheel {
    /// Lists, one a tick; the longest delay takes at most half of them.
    public static var spokes: Int { @_noLocks get { 4_096 } }
    static var none: UInt32 { @_noLocks get { .max } }

    private struct State: BitwiseCopyable {
        /// The first tick that is not yet released.
        var cursor: UInt64 = 0
        var count: UInt64 = 0
    }

    private let heads: Column<UInt32>
    private let links: Column<UInt32>
    private let occupied: Column<UInt64>
    private let state: Column<State>
    private let shift: UInt64

    /// Takes memory for `slots` slots; call `clear` before use.
    ///
    /// - Parameters:
    ///   - tickNanos: rounded up to a power of two.
    ///   - horizonNanos: the longest delay; the tick grows until it fits.
    public init(_ arena: inout Arena, slots: Int, tickNanos: UInt64, horizonNanos: UInt64) {
        var shift: UInt64 = 0
        // Half of the wheel is left for an owner that comes by late.
        while 1 << shift < tickNanos || UInt64(TimingWheel.spokes / 2) << shift < horizonNanos {
            shift += 1
        }
        self.shift = shift
        heads = arena.column(UInt32.self, TimingWheel.spokes)
        links = arena.column(UInt32.self, slots)
        occupied = arena.column(UInt64.self, TimingWheel.spokes / 64)
        state = arena.column(State.self, 1)
    }

    /// Makes the wheel empty and starts it.
    public func clear(nowNanos: UInt64) {
        heads.region.fill(0xff)
        occupied.region.fill(0)
        state[0] = State(cursor: nowNanos >> shift, count: 0)
    }

    /// Nanoseconds from tick to tick.
    public var tickNanos: UInt64 { 1 << shift }

    /// Slots that wait.
    public var count: Int {
        @_noLocks
        get { Int(state[0].count) }
    }

    /// Adds a slot, to be released at `dueNanos` or up to a tick later. Call `release` for this
    /// time first.
    @_noLocks
    public func insert(_ slot: UInt32, dueNanos: UInt64) {
        var state = self.state[0]
        let tick = (dueNanos + (1 << shift - 1)) >> shift
        let last = state.cursor + UInt64(TimingWheel.spokes - 1)
        let spoke = place(min(max(tick, state.cursor), last))
        links[Int(slot)] = heads[spoke]
        heads[spoke] = slot
        occupied[spoke / 64] |= 1 << UInt64(spoke % 64)
        state.count += 1
        self.state[0] = state
    }

    /// Releases slots whose time has come.
    ///
    /// - Parameters:
    ///   - out: where they go, from `from` on; what does not fit waits for the next call.
    /// - Returns: the number of entries of `out` in use.
    @_noLocks
    public func release(
        nowNanos: UInt64,
        into out: Column<UInt32>,
        from: Int,
        random: inout RandomStream
    ) -> Int {
        var used = from
        let now = nowNanos >> shift
        while let tick = nextTick(), tick <= now, used < out.count {
            let spoke = place(tick)
            let first = used
            while used < out.count, heads[spoke] != TimingWheel.none {
                let slot = heads[spoke]
                heads[spoke] = links[Int(slot)]
                out[used] = slot
                used += 1
            }
            shuffle(out, first, used, &random)
            if heads[spoke] == TimingWheel.none {
                occupied[spoke / 64] &= ~(1 << UInt64(spoke % 64))
            }
            state[0] = State(cursor: tick, count: state[0].count - UInt64(used - first))
        }
        // Behind the last tick, unless something of it is left.
        if nextTick().map({ $0 > now }) ?? true {
            state[0] = State(cursor: max(state[0].cursor, now + 1), count: state[0].count)
        }
        return used
    }

    /// When the next slot is due; nil if none waits.
    public var nextNanos: UInt64? {
        @_noLocks
        get {
            guard let tick = nextTick() else { return nil }
            return tick << shift
        }
    }

    @_noLocks
    private func place(_ tick: UInt64) -> Int { Int(tick % UInt64(TimingWheel.spokes)) }

    /// The first tick from the cursor on with anything in it.
    @_noLocks
    private func nextTick() -> UInt64? {
        let cursor = state[0].cursor
        guard state[0].count > 0 else { return nil }
        let start = place(cursor)
        var word = start / 64
        var bits = occupied[word] & (.max << UInt64(start % 64))
        // The word of the cursor is looked at twice: above it first, below it last.
        for _ in 0...occupied.count {
            if bits != 0 {
                let spoke = word * 64 + bits.trailingZeroBitCount
                return cursor + UInt64((spoke - start + TimingWheel.spokes) % TimingWheel.spokes)
            }
            word = (word + 1) % occupied.count
            bits = occupied[word]
        }
        return nil
    }

    @_noLocks
    private func shuffle(
        _ out: Column<UInt32>,
        _ first: Int,
        _ end: Int,
        _ random: inout RandomStream
    ) {
        var last = end - 1
        while last > first {
            let other = first + Int(random.next(below: UInt64(last - first + 1)))
            let kept = out[last]
            out[last] = out[other]
            out[other] = kept
            last -= 1
        }
    }
}
