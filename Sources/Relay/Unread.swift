internal import Bytes
internal import Engine
internal import Exchange
internal import Tickets

extension Worker {
    /// For measurements, in the place of all that reads packets: they go on as they came, and what
    /// is as long as an acknowledgement goes back for each.
    @_noLocks
    mutating func passUnread() {
        engine.passUnread(&batch, slab: slab, snapshot: snapshot)
        var left = engine.outcome.forwarded
        while let lane = left.popFirst() {
            queueAck(snapshot.nodes[Int(batch.source[lane])].keyID, Acknowledgement())
        }
    }
}
