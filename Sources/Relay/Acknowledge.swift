internal import Bytes
internal import Datapath
internal import Engine
internal import Exchange
internal import Tickets

extension Worker {
    /// The way back: acknowledgements of accepted packets, signed together, wait for a full packet
    /// or their time, then go at once. Acknowledgements that came were taken by `settle`; here
    /// come those that another worker could not place.
    @_noLocks
    mutating func acknowledge() {
        engine.signAnswers(snapshot: snapshot)
        var left = engine.outcome.acknowledge
        while let lane = left.popFirst() {
            queueAck(snapshot.nodes[Int(batch.source[lane])].keyID, engine.acknowledgement(lane))
        }
        if var ring = inbox {
            engine.acknowledgeForeign(&ring, snapshot: snapshot, nowNanos: batch.nowNanos)
            inbox = ring
        }
        while acks.oldest != AckQueue.none,
            outgoingCount + engine.ackPacketsBegun < Worker.outgoingMax
        {
            guard stopNanos != 0 || acks.dueNanos(acks.oldest) <= batch.nowNanos else { break }
            sendAcks(acks.oldest)
        }
        putOutAcks()
    }

    /// Queues one acknowledgement. There is always room to send: a batch fills few packets.
    @_noLocks
    mutating func queueAck(_ keyID: UInt32, _ ack: Acknowledgement) {
        let row = acks.row(keyID)
        if !acks.takes(row, keyID) { sendAcks(row) }
        if acks.add(row, keyID, ack, nowNanos: batch.nowNanos) { sendAcks(row) }
    }

    /// Begins a packet of what waits in a row. A neighbour that left the register gets nothing.
    @_noLocks
    private mutating func sendAcks(_ row: UInt32) {
        let keyID = acks.keyID(row)
        let node = snapshot.node(keyID: keyID)
        let count = acks.count(row)
        let made = acks.acks(row)
        acks.remove(row)
        guard node != Snapshot.none, let slot = pool.take(.worker) else { return }
        let isBegun = engine.beginAckPacket(
            to: node,
            acks: made,
            count: count,
            slot: slot,
            slab: slab,
            snapshot: snapshot
        )
        guard isBegun else { return pool.give(slot, from: .worker) }
        notes[Int(slot)] = SlotNote(nextKeyID: keyID, cameNanos: 0)
        if engine.ackPacketsBegun == Engine.ackPacketsMax { putOutAcks() }
    }

    /// Makes the packets that were begun, all of a turn together.
    @_noLocks
    mutating func putOutAcks() {
        let count = engine.ackPacketsBegun
        guard count > 0 else { return }
        let made = engine.makeAckPackets(slab: slab, snapshot: snapshot)
        for lane in 0..<count {
            let slot = engine.ackPacketSlot(lane)
            if made.contains(lane) { putOut(slot) } else { pool.give(slot, from: .worker) }
        }
    }

    /// A packet leaves in this turn.
    @_noLocks
    mutating func putOut(_ slot: UInt32) {
        outgoing[outgoingCount] = slot
        outgoingCount += 1
    }
}
