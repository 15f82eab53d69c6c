internal import Bytes
internal import Engine
internal import Exchange

extension Worker {
    /// The cheap drops: a neighbour over its budget, then what the ticket says in the clear.
    @_noLocks
    mutating func admit() {
        let before = batch.live
        var left = before
        while let lane = left.popFirst() {
            let keyID = snapshot.nodes[Int(batch.source[lane])].keyID
            if !budget.take(keyID, nowNanos: batch.nowNanos) { batch.drop(lane, .peerBudget) }
        }
        countDrops(before)
        engine.admit(&batch, slab: slab, snapshot: snapshot)
    }
}
