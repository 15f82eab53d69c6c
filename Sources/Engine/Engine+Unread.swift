package import Bytes
package import Exchange

extension Engine {
    /// For measuring what a relay costs without its cryptography, in the place of `admit`, `peel`,
    /// `dedupe` and `settle`: every packet goes on as it came, to the node whose row of the table
    /// its first four bytes name, modulo its rows.
    @_noLocks
    package mutating func passUnread(_ batch: inout Batch, slab: Slab, snapshot: Snapshot) {
        outcome = Outcome()
        outcome.forwarded = batch.live
        counters.count(.packetsIn, by: UInt64(batch.live.nonzeroBitCount))
        counters.count(.forwarded, by: UInt64(batch.live.nonzeroBitCount))
        if batch.live != 0 { counters.count(.batches) }
        var left = batch.live
        while let lane = left.popFirst() {
            let wish: UInt32 = slab.packet(batch.slot[lane], 4).load(0)
            nextHop[lane] = wish % UInt32(truncatingIfNeeded: snapshot.nodes.count)
        }
    }
}
