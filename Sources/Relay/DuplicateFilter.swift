public import Bytes
internal import Sphinx

/// Packets that were here a moment ago, in front of the curve arithmetic: a plain re-send costs a
/// hash.
///
/// What is kept, and when, decides whether somebody can make another's packet drop: who knows a
/// packet's alpha could send it first, with junk behind it. So the alpha of a packet is remembered
/// only after its replay tag was stored, or was found in the set. The tag follows from alpha and
/// our key; whatever comes with this alpha now is a replay, or its header's MAC is wrong. The
/// filter takes no packet that would have been accepted: it only says so earlier. It forgets after
/// a while, and when it is full; the replay set does not.
///
/// In one batch, where nothing is decided yet, a packet is a copy only if the same neighbour sent
/// the same bytes, all of them.
///
/// Marks are keyed hashes of 64 bits, compared whole. With both generations full of 65,536, one
/// honest packet in 10^14 is taken for a copy.
public struct DuplicateFilter {
    /// A cache line: a head, and marks.
    private static var words: Int { @_noLocks get { 8 } }
    private static var marksMax: Int { @_noLocks get { words - 1 } }

    private struct State: BitwiseCopyable {
        /// Counts from 2, so that zeroed buckets are of no generation that is looked at.
        var generation: UInt64 = 2
        var beganNanos: UInt64 = 0
        var count: UInt64 = 0
    }

    /// Two tables, of the present generation and of the one before. A bucket's head is
    /// generation × 256 + number of marks; one of another generation is empty, so nothing is ever
    /// cleared.
    private let buckets: Column<UInt64>
    private let bucketMask: UInt64
    private let state: Column<State>
    /// Of each lane: its mark, and whether it is no copy.
    private let marks: Column<UInt64>
    private let screened: Column<LaneMask>
    /// Lanes of the batch by the low bits of their marks, plus one: the last, and those before it.
    private let lasts: Column<UInt8>
    private let earlier: Column<UInt8>
    private let touched: Column<UInt64>
    private let capacity: UInt64
    private let spanNanos: UInt64
    private let hash: KeyedHash
    private let packetBytes: Int

    /// Takes memory; call `clear` before use.
    ///
    /// - Parameters:
    ///   - capacity: packets of one generation, in 64 bytes each.
    ///   - spanNanos: a generation is over after this time, or when it is full; so a packet is
    ///     remembered for once to twice as long.
    ///   - packetBytes: of every packet.
    public init(
        _ arena: inout Arena,
        capacity: Int = 1 << 16,
        spanNanos: UInt64 = 4_000_000_000,
        hash: KeyedHash,
        packetBytes: Int
    ) {
        // Two marks to a bucket when full: few buckets overflow.
        var count = 1
        while 2 * count < capacity { count *= 2 }
        buckets = arena.column(UInt64.self, 2 * count * DuplicateFilter.words)
        bucketMask = UInt64(count - 1)
        state = arena.column(State.self, 1)
        marks = arena.column(UInt64.self, Batch.capacity)
        screened = arena.column(LaneMask.self, 1)
        lasts = arena.column(UInt8.self, 256)
        earlier = arena.column(UInt8.self, Batch.capacity)
        touched = arena.column(UInt64.self, 1)
        self.capacity = UInt64(2 * count)
        self.spanNanos = spanNanos
        self.hash = hash
        self.packetBytes = packetBytes
    }

    /// Makes the filter empty and starts it.
    public func clear(nowNanos: UInt64) {
        buckets.region.fill(0)
        state[0] = State(beganNanos: nowNanos)
        screened[0] = 0
    }

    /// Drops the live lanes that are copies (`duplicate`). Call before anything is done for the
    /// batch; all packets have their full length.
    @_noLocks
    public func screen(_ batch: inout Batch, slab: Slab) {
        advance(batch.nowNanos)
        makeMarks(batch, slab)
        screened[0] = 0
        lasts.region.fill(0)
        var left = batch.live
        while let lane = left.popFirst() {
            let mark = marks[lane]
            if isKnown(mark) || isCopy(lane, mark, batch, slab) {
                batch.drop(lane, .duplicate)
                continue
            }
            screened[0] |= 1 << LaneMask(lane)
            earlier[lane] = lasts[Int(mark & 255)]
            lasts[Int(mark & 255)] = UInt8(lane + 1)
        }
    }

    /// Marks of the live lanes. The loop does nothing but read, so that the processor has many
    /// buckets under way.
    @_noLocks
    private func makeMarks(_ batch: borrowing Batch, _ slab: Slab) {
        let generation = state[0].generation
        var sum: UInt64 = 0
        var left = batch.live
        while let lane = left.popFirst() {
            assert(Int(batch.byteCount[lane]) == packetBytes)
            let packet = slab.packet(batch.slot[lane], packetBytes)
            let mark = hash.hash(
                packet.load(0),
                packet.load(8),
                packet.load(16),
                packet.load(24),
                0xa1
            )
            marks[lane] = mark
            sum ^= buckets[bucket(mark, generation)] ^ buckets[bucket(mark, generation - 1)]
        }
        touched[0] = sum
    }

    /// Remembers the packets of the batch whose replay tags are stored. Call when all its verdicts
    /// are known.
    @_noLocks
    public func remember(_ batch: borrowing Batch) {
        var left = screened[0]
        while let lane = left.popFirst() {
            let verdict = batch.verdict(lane)
            // An accepted packet's tag is stored, whatever keeps it here afterwards.
            let isStored =
                verdict.index == Drop.replay.index || PacketStage(verdict: verdict).isAccepted
            if isStored { insert(marks[lane]) }
        }
        screened[0] = 0
    }

    /// The same bytes from the same neighbour, earlier in the batch.
    @_noLocks
    private func isCopy(
        _ lane: Int,
        _ mark: UInt64,
        _ batch: borrowing Batch,
        _ slab: Slab
    ) -> Bool {
        let packet = slab.packet(batch.slot[lane], packetBytes)
        var next = Int(lasts[Int(mark & 255)])
        while next > 0 {
            let other = next - 1
            next = Int(earlier[other])
            guard marks[other] == mark, batch.source[other] == batch.source[lane] else { continue }
            if constantTimeEqual(packet, slab.packet(batch.slot[other], packetBytes)) {
                return true
            }
        }
        return false
    }

    // MARK: the tables

    /// Begins a generation when its time has come, or two after a long pause.
    @_noLocks
    private func advance(_ nowNanos: UInt64) {
        var state = self.state[0]
        let passed = nowNanos > state.beganNanos ? nowNanos - state.beganNanos : 0
        guard passed >= spanNanos || state.count >= capacity else { return }
        state.generation += passed >= 2 * spanNanos ? 2 : 1
        state.beganNanos = nowNanos
        state.count = 0
        self.state[0] = state
    }

    @_noLocks
    private func bucket(_ mark: UInt64, _ generation: UInt64) -> Int {
        let table = (generation & 1) * (bucketMask + 1)
        return Int(table + mark & bucketMask) * DuplicateFilter.words
    }

    /// Marks in a bucket.
    @_noLocks
    private func count(_ bucket: Int, _ generation: UInt64) -> Int {
        let head = buckets[bucket]
        return head >> 8 == generation ? Int(head & 255) : 0
    }

    @_noLocks
    private func has(_ mark: UInt64, _ generation: UInt64) -> Bool {
        let bucket = bucket(mark, generation)
        for place in 0..<count(bucket, generation) where buckets[bucket + 1 + place] == mark {
            return true
        }
        return false
    }

    /// Looks a mark up; one of the generation before is remembered anew.
    @_noLocks
    private func isKnown(_ mark: UInt64) -> Bool {
        let generation = state[0].generation
        if has(mark, generation) { return true }
        guard has(mark, generation - 1) else { return false }
        insert(mark)
        return true
    }

    /// Adds a mark; in a full bucket it takes the place of another.
    @_noLocks
    private func insert(_ mark: UInt64) {
        let generation = state[0].generation
        let bucket = bucket(mark, generation)
        let count = count(bucket, generation)
        let isFull = count == DuplicateFilter.marksMax
        let place = isFull ? Int(mark >> 61) % DuplicateFilter.marksMax : count
        buckets[bucket + 1 + place] = mark
        buckets[bucket] = generation << 8 | UInt64(isFull ? count : count + 1)
        state[0].count += 1
    }
}
