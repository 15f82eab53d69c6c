public import Bytes
public import Crypto
public import Exchange

/// Slots that wait for their time, in lists by tick.
///
/// A slot is never released before its time, however full the wheel is and however late its owner
/// comes, and at most a tick after it, if the owner comes by that often. Slots of one tick are
/// released in random order: what came first must not go first.
public struct TimingWheel {
    /// Lists, one a tick; the longest delay takes at most half of them.
    public static var spokes: Int { @_noLocks get { 4_096 } }
    static var none: UInt32 { @_noLocks get { .max } }

    private struct Wait: BitwiseCopyable {
        /// The next slot of the list.
        var next: UInt32
        /// When it is due, in grains: the low 32 bits.
        var due: UInt32
    }

    private struct State: BitwiseCopyable {
        /// The first tick that is not yet released.
        var cursor: UInt64 = 0
        var count: UInt64 = 0
    }

    private let heads: Column<UInt32>
    private let waits: Column<Wait>
    private let occupied: Column<UInt64>
    private let state: Column<State>
    private let shift: UInt64
    /// Grains of a tick, as a power of two: as fine as times are kept.
    private let grainShift: UInt64

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
        grainShift = min(8, shift)
        heads = arena.column(UInt32.self, TimingWheel.spokes)
        waits = arena.column(Wait.self, slots)
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
        let nanosShift = shift - grainShift
        put(slot, dueGrains: (dueNanos + (1 << nanosShift - 1)) >> nanosShift)
        state[0].count += 1
    }

    /// Puts a slot into the list of its tick, or into the last one if its tick is beyond it.
    @_noLocks
    private func put(_ slot: UInt32, dueGrains: UInt64) {
        let cursor = state[0].cursor
        let tick = (dueGrains + (1 << grainShift - 1)) >> grainShift
        let last = cursor + UInt64(TimingWheel.spokes - 1)
        let spoke = place(min(max(tick, cursor), last))
        waits[Int(slot)] = Wait(next: heads[spoke], due: UInt32(truncatingIfNeeded: dueGrains))
        heads[spoke] = slot
        occupied[spoke / 64] |= 1 << UInt64(spoke % 64)
    }

    /// When a slot in the list of `tick` is due, in grains. Half of what 32 bits hold is a long
    /// time: 2^23 ticks.
    @_noLocks
    private func dueGrains(_ slot: UInt32, in tick: UInt64) -> UInt64 {
        let start = tick << grainShift
        let ahead = Int32(bitPattern: waits[Int(slot)].due &- UInt32(truncatingIfNeeded: start))
        return start &+ UInt64(bitPattern: Int64(ahead))
    }

    /// Releases slots whose time has come.
    ///
    /// - Parameters:
    ///   - out: where they go, from `from` on; what does not fit waits for the next call.
    ///   - lateness: counts how long after their time they are released.
    /// - Returns: the number of entries of `out` in use.
    @_noLocks
    public func release(
        nowNanos: UInt64,
        into out: Column<UInt32>,
        from: Int,
        random: inout RandomStream,
        lateness: MixLateness? = nil
    ) -> Int {
        var used = from
        let now = nowNanos >> shift
        while let tick = nextTick(), tick <= now, used < out.count {
            state[0].cursor = tick
            let first = used
            used = drain(tick, nowNanos: nowNanos, into: out, from: first, random: &random)
            shuffle(out, first, used, &random)
            if let lateness {
                for index in first..<used {
                    let due = dueGrains(out[index], in: tick) << (shift - grainShift)
                    lateness.add(nowNanos > due ? nowNanos - due : 0)
                }
            }
        }
        // Behind the last tick, unless something of it is left.
        if nextTick().map({ $0 > now }) ?? true { state[0].cursor = max(state[0].cursor, now + 1) }
        return used
    }

    /// Empties the list of a tick into `out`. If it does not fit, chance decides what stays; what
    /// is not due yet, because its tick was beyond the wheel, goes to a later list.
    @_noLocks
    private func drain(
        _ tick: UInt64,
        nowNanos: UInt64,
        into out: Column<UInt32>,
        from first: Int,
        random: inout RandomStream
    ) -> Int {
        let spoke = place(tick)
        let nowGrains = nowNanos >> (shift - grainShift)
        var (slot, left) = (heads[spoke], TimingWheel.none)
        var (used, seen) = (first, 0)
        while slot != TimingWheel.none {
            var moved = slot
            slot = waits[Int(slot)].next
            let due = dueGrains(moved, in: tick)
            if due > nowGrains {
                put(moved, dueGrains: due)
                continue
            }
            seen += 1
            if used < out.count {
                out[used] = moved
                used += 1
                continue
            }
            // Each of those seen so far is as likely to go as any other.
            let place = first + Int(random.next(below: UInt64(seen)))
            if place < used {
                let stays = out[place]
                out[place] = moved
                moved = stays
            }
            waits[Int(moved)].next = left
            left = moved
        }
        heads[spoke] = left
        if left == TimingWheel.none { occupied[spoke / 64] &= ~(1 << UInt64(spoke % 64)) }
        state[0].count -= UInt64(used - first)
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
}
