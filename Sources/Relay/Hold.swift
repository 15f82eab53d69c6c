internal import Bytes
internal import Datapath
internal import Engine
internal import Exchange

extension Worker {
    /// The mixer: packets whose time has come leave, those just accepted begin to wait. What a
    /// packet has cost is settled with its neighbour.
    @_noLocks
    mutating func hold() {
        release()
        duplicates.remember(batch)
        let forwarded = engine.outcome.forwarded
        for lane in 0..<batch.count {
            let slot = batch.slot[lane]
            charge(lane)
            if forwarded.contains(lane) {
                notes[Int(slot)].keyID = snapshot.nodes[Int(engine.nextNode(lane))].keyID
                mix(slot)
            } else {
                pool.give(slot, from: .worker)
            }
        }
        noteRejects()
    }

    /// A full batch waits, and the turn has not taken as long as a tick of the mixer: what leaves
    /// within a tick leaves together, in longer trains.
    @_noLocks
    mutating func hasAnotherBatch() -> Bool {
        guard queue.count >= Batch.capacity,
            outgoingCount + Batch.capacity <= Worker.outgoingMax
        else { return false }
        let now = port.nanos()
        guard now < turnNanos &+ config.tickNanos else { return false }
        batch.reset(nowNanos: now)
        return true
    }

    @_noLocks
    private mutating func charge(_ lane: Int) {
        let (row, verdict) = (queue.row(batch.slot[lane]), batch.verdict(lane))
        queue.refund(row: row, spentNanos: config.costs.nanos(verdict: verdict))
        budget.settle(row: row, verdict: verdict, costs: config.costs)
    }

    @_noLocks
    private mutating func release() {
        let first = outgoingCount
        outgoingCount = wheel.release(
            nowNanos: batch.nowNanos,
            into: outgoing,
            from: first,
            random: &random,
            lateness: counters.lateness
        )
        for place in first..<outgoingCount {
            pool.move(outgoing[place], from: .mixer, to: .worker)
        }
    }

    /// A packet begins to wait; the mixer has room.
    @_noLocks
    mutating func mix(_ slot: UInt32) {
        if case .none = config.mixing, outgoingCount < Worker.outgoingMax {
            outgoing[outgoingCount] = slot
            outgoingCount += 1
            return
        }
        pool.move(slot, from: .worker, to: .mixer)
        wheel.insert(slot, dueNanos: batch.nowNanos + delays.draw(&random))
    }
}
