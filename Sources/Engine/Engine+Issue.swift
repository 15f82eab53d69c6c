internal import Bytes
internal import Exchange
internal import Sphinx
internal import Tickets

extension Engine {
    /// Signs the tickets for the next hops and turns the accepted packets into theirs.
    @_noLocks
    mutating func issue(_ batch: inout Batch, _ slab: Slab, _ snapshot: Snapshot) {
        let forwarded = outcome.forwarded
        guard forwarded != 0 else { return }
        var left = forwarded
        while let lane = left.popFirst() {
            let slot = lanes.nextChannel[lane]
            guard slot != Snapshot.none else {
                lanes.channelID[lane] = snapshot.nodes[Int(nextHop[lane])].outgoingID
                lanes.domain[lane] = snapshot.headerColumn[0].domain
                continue
            }
            lanes.channelID[lane] = snapshot.channels[Int(slot)].channelID
            lanes.domain[lane] = snapshot.channels[Int(slot)].domain
            counters.count(.ticketsIssued)
        }
        tickets.hash(
            lanes.issued,
            channelIDs: lanes.channelID,
            domains: lanes.domain,
            lanes: forwarded,
            into: lanes.hash
        )
        _ = tickets.sign(
            lanes.issued,
            hashes: lanes.hash,
            key: snapshot.chainKey.region(0),
            lanes: forwarded
        )
        Peel.apply(
            batch,
            lanes: forwarded,
            slab: slab,
            geometry: config.geometry,
            scratch: scratch
        )
        tickets.write(
            lanes.issued,
            to: batch,
            slab: slab,
            offset: config.geometry.ticketOffset,
            lanes: forwarded
        )
    }
}
