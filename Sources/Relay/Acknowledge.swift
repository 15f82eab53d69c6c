internal import Bytes
internal import Datapath
internal import Engine
internal import Exchange
internal import Link
internal import Tickets

extension Worker {
    /// The way back: acknowledgements of accepted packets, signed together, wait for company on
    /// their link. Those that came were taken by `open`; here come those that another worker could
    /// not place.
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
    }

    /// Queues one acknowledgement; a neighbour's are sent when they fill a frame or their time has
    /// come. One for a neighbour without a link row can go nowhere.
    @_noLocks
    mutating func queueAck(_ keyID: UInt32, _ ack: Acknowledgement) {
        let row = links.table.peer(keyID: keyID)
        guard row != LinkTable.none else { return counters.count(.ackUnsent) }
        if acks.count(row) > 0, acks.keyID(row) != keyID {
            // The row was a neighbour's that has left the register.
            counters.count(.ackUnsent, by: UInt64(acks.count(row)))
            acks.remove(row)
        }
        if !acks.takes(row, keyID) { packAlone(row) }
        guard acks.takes(row, keyID) else { return counters.count(.ackUnsent) }
        if acks.add(row, keyID, ack, nowNanos: batch.nowNanos) { packAlone(row) }
    }
}
