internal import Bytes
internal import Crypto
internal import Exchange
internal import Sphinx
internal import Tickets

extension Engine {
    /// Signs the tickets for the next hops and turns the accepted packets into theirs.
    @_noLocks
    mutating func issue(_ batch: inout Batch, _ slab: Slab, _ snapshot: Snapshot) {
        guard outcome.forwarded != 0 else { return }
        var paying: LaneMask = 0
        var left = outcome.forwarded
        while let lane = left.popFirst() {
            let slot = lanes.nextChannel[lane]
            guard slot != Snapshot.none else {
                lanes.channelID[lane] = snapshot.nodes[Int(nextHop[lane])].outgoingID
                lanes.domain[lane] = snapshot.headerColumn[0].domain
                continue
            }
            lanes.channelID[lane] = snapshot.channels[Int(slot)].channelID
            lanes.domain[lane] = snapshot.channels[Int(slot)].domain
            paying |= 1 << LaneMask(lane)
        }
        withhold(&batch, outcome.forwarded & ~signIssued(outcome.forwarded, snapshot))
        let forwarded = outcome.forwarded
        counters.count(.forwarded, by: UInt64(forwarded.nonzeroBitCount))
        counters.count(.ticketsIssued, by: UInt64((paying & forwarded).nonzeroBitCount))
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

    /// Signs the tickets of `issued`.
    ///
    /// - Returns: those that may leave: all, but where the configuration asks for the self-check.
    @_noLocks
    mutating func signIssued(_ mask: LaneMask, _ snapshot: Snapshot) -> LaneMask {
        tickets.hash(
            lanes.issued,
            channelIDs: lanes.channelID,
            domains: lanes.domain,
            lanes: mask,
            into: lanes.hash
        )
        let key = snapshot.chainKey.region(0)
        switch config.nonces {
        case .rfc6979:
            _ = tickets.sign(lanes.issued, hashes: lanes.hash, key: key, lanes: mask)
        case .hedged:
            _ = tickets.sign(
                lanes.issued,
                hashes: lanes.hash,
                key: key,
                hedgedBy: &random,
                lanes: mask
            )
        }
        guard config.checksOwnTickets else { return mask }
        let good = verifyIssued(mask, snapshot)
        counters.count(.selfChecksFailed, by: UInt64((mask & ~good).nonzeroBitCount))
        return good
    }

    /// Those whose signature is good, by the table of our own key.
    @_noLocks
    mutating func verifyIssued(_ mask: LaneMask, _ snapshot: Snapshot) -> LaneMask {
        let address = snapshot.headerColumn[0].chainAddress
        if !equal(ownTableAddress, address) {
            ownTableAddress = Address()
            let key = snapshot.chainKey.region(0)
            guard tickets.makeOwnTable(key: key, address: address, into: ownTable) else {
                return 0
            }
            ownTableAddress = address
        }
        return tickets.verifyOwnVariableTime(
            lanes.issued,
            hashes: lanes.hash,
            table: ownTable,
            lanes: mask
        )
    }

    /// Lanes that were accepted and have no good ticket for the next hop. The previous hop still
    /// gets its acknowledgement; its ticket, which nobody will open, is given up in time.
    @_noLocks
    private mutating func withhold(_ batch: inout Batch, _ mask: LaneMask) {
        outcome.forwarded &= ~mask
        batch.drop(mask: mask, .ticketSelfCheck)
    }
}
