internal import Bytes
public import Exchange
internal import Tickets

// Acknowledgements that arrived at another worker's socket.
extension Engine {
    private static var offerBytes: Int { @_noLocks get { 80 } }
    private static var offerKind: UInt32 { @_noLocks get { 1 } }

    /// Hands an acknowledgement that nothing here waits for to the next engine.
    @_noLocks
    mutating func offer(halfKey: Region, hint: Region, keyID: UInt32, turns: Int) {
        guard turns > 0,
            let record = others?.begin(kind: Engine.offerKind, Engine.offerBytes)
        else { return counters.count(.ackUnknown) }
        record.store(keyID, 0)
        record.store(UInt32(truncatingIfNeeded: turns), 4)
        record.copy(halfKey, to: 8)
        record.copy(hint, to: 40)
        others?.end()
        counters.count(.acksOffered)
    }

    /// Takes what the engine before this one does not know; what is unknown here too goes on, until
    /// every engine has been asked.
    @_noLocks
    public mutating func acknowledgeForeign(
        _ ring: inout RingReader,
        snapshot: Snapshot,
        nowNanos: UInt64,
        budget: Int = 256
    ) {
        var left = budget
        while left > 0 {
            let count = gather(&ring, min(left, Batch.capacity), snapshot)
            if count == 0 { return }
            left -= count
            takeForeign(count, snapshot, nowNanos: nowNanos)
        }
    }

    /// Copies up to `most` records to the desk; how many there were.
    @_noLocks
    private func gather(_ ring: inout RingReader, _ most: Int, _ snapshot: Snapshot) -> Int {
        var count = 0
        while count < most, let record = ring.next() {
            desk.acks.region(count).copy(record.slice(8, 32), to: 0)
            desk.hint.region(count).copy(record.slice(40, 33), to: 0)
            desk.keyID[count] = record.load(0)
            desk.turns[count] = record.load(4)
            desk.node[count] = snapshot.node(keyID: desk.keyID[count])
            ring.release()
            count += 1
        }
        return count
    }

    @_noLocks
    private mutating func takeForeign(_ count: Int, _ snapshot: Snapshot, nowNanos: UInt64) {
        var known: LaneMask = 0
        for lane in 0..<count where Int(desk.node[lane]) < snapshot.nodes.count {
            known |= 1 << LaneMask(lane)
        }
        var unknown = LaneMask.first(count) & ~known
        unknown |= open(
            desk.acks,
            hints: desk.hint,
            lanes: known,
            snapshot,
            nowNanos: nowNanos
        )
        while let lane = unknown.popFirst() {
            offer(
                halfKey: desk.acks.region(lane).slice(0, 32),
                hint: desk.hint.region(lane),
                keyID: desk.keyID[lane],
                turns: Int(desk.turns[lane]) - 1
            )
        }
    }
}
