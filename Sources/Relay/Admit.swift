internal import Bytes
internal import Datapath
internal import Engine
internal import Exchange

extension Worker {
    /// A batch of those that wait, neighbour by neighbour in fair turns; then the cheap drops: what
    /// came twice, a neighbour over its budget, what the ticket says in the clear.
    @_noLocks
    mutating func admit() {
        while let slot = queue.popAged(nowNanos: batch.nowNanos) { dropQueued(slot, .queueAge) }
        let count = queue.take(into: waiting, most: Batch.capacity)
        if config.mixerCapacity - heldCount < Batch.capacity {
            // Some will find no room in the mixer: chance decides which.
            shuffle(waiting, 0, count, &random)
        }
        for place in 0..<count {
            let slot = waiting[place]
            pool.move(slot, from: .queue, to: .worker)
            batch.append(
                slot: slot,
                byteCount: UInt32(truncatingIfNeeded: packetBytes),
                source: snapshot.node(keyID: notes[Int(slot)].keyID)
            )
        }
        let before = batch.live
        var left = before
        while let lane = left.popFirst() { admit(lane) }
        duplicates.screen(&batch, slab: slab)
        countDrops(before)
        if !config.isUnread { engine.admit(&batch, slab: slab, snapshot: snapshot) }
    }

    /// Links are of registered neighbours; but the register may have changed meanwhile.
    @_noLocks
    private mutating func admit(_ lane: Int) {
        if batch.source[lane] == Snapshot.none {
            batch.drop(lane, .sourceUnknown)
        } else if !budget.mayPass(row: queue.row(batch.slot[lane]), nowNanos: batch.nowNanos) {
            batch.drop(lane, .peerBudget)
        }
    }

    /// A packet leaves the queue for good.
    @_noLocks
    mutating func dropQueued(_ slot: UInt32, _ reason: Drop) {
        counters.count(reason)
        counters.rejects.note(keyID: notes[Int(slot)].keyID, reason)
        pool.give(slot, from: .queue)
    }
}
