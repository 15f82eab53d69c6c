public import Bytes
public import Exchange
public import Tickets

// Acknowledgements that came outside packets, of however many neighbours: looked at up to 64 at a
// time. Between the first `collect` and `takeCollected` nothing else uses the desk.
extension Engine {
    /// Keeps one until `takeCollected`, which this calls when 64 are there.
    ///
    /// - Parameter node: row of the node table; one that is out of range, or owes nothing, is
    ///   counted as unexpected.
    @_noLocks
    public mutating func collect(
        _ acknowledgement: Acknowledgement,
        from node: UInt32,
        snapshot: Snapshot,
        nowNanos: UInt64
    ) {
        counters.count(.acksIn)
        guard Int(node) < snapshot.nodes.count, isExpected(node, snapshot) else {
            return counters.count(.ackUnexpected)
        }
        desk.acks[collected] = acknowledgement
        desk.node[collected] = node
        collected += 1
        if collected == Batch.capacity { takeCollected(snapshot: snapshot, nowNanos: nowNanos) }
    }

    /// Takes what was collected; what it opens is reported.
    @_noLocks
    public mutating func takeCollected(snapshot: Snapshot, nowNanos: UInt64) {
        let count = collected
        guard count > 0 else { return }
        collected = 0
        checkWaiting(count, resultsFrom: desk.spare, snapshot)
        var good: LaneMask = 0
        for lane in 0..<count {
            let code = Drop(index: desk.code[desk.spare + lane])
            if code.index == 0 { good |= 1 << LaneMask(lane) } else { counters.count(code) }
        }
        var left = good
        while let lane = left.popFirst() {
            tellVerifier(desk.node[lane], snapshot, nowNanos: nowNanos)
        }
        let hints = desk.hints(from: desk.spare, count: count)
        var unknown = open(desk.acks, hints: hints, lanes: good, snapshot, nowNanos: nowNanos)
        while let lane = unknown.popFirst() {
            offer(
                halfKey: desk.acks.region(lane).slice(0, 32),
                hint: hints.region(lane),
                keyID: snapshot.nodes[Int(desk.node[lane])].keyID,
                turns: config.workers - 1
            )
        }
    }
}
