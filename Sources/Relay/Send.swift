internal import Bytes
internal import Datapath
internal import Exchange

extension Worker {
    /// Hands the datagrams to the kernel; their slots are free again.
    ///
    /// A next hop that left the register, or has no address, while its packet waited: `noForward`.
    @_noLocks
    mutating func send() {
        guard outgoingCount > 0 else { return }
        var sent = 0
        var bytes = 0
        for place in 0..<outgoingCount where queue(place) {
            sent += 1
            bytes += Int(lengths[place])
        }
        if !ring.submit() { board.set(.failed) }
        for place in 0..<outgoingCount { pool.give(outgoing[place], from: .worker) }
        outgoingCount = 0
        counters.count(.packetsOut, by: UInt64(sent))
        counters.count(.bytesOut, by: UInt64(bytes))
    }

    @_noLocks
    private func queue(_ place: Int) -> Bool {
        let slot = outgoing[place]
        let note = notes[Int(slot)]
        let node = snapshot.node(keyID: note.nextKeyID)
        guard node != Snapshot.none else { return refuse(.noForward) }
        let endpoint = snapshot.nodes[Int(node)].endpoint
        guard endpoint.family != 0 else { return refuse(.noForward) }
        let queued = ring.send(
            slot,
            offset: slab.offset,
            byteCount: Int(lengths[place]),
            to: DatagramAddress(
                family: endpoint.family,
                address: endpoint.address,
                port: endpoint.port
            )
        )
        guard queued else { return refuse(.sendFailed) }
        if note.cameNanos != 0 { counters.latency.add(batch.nowNanos - note.cameNanos) }
        return true
    }

    @_noLocks
    private func refuse(_ reason: Drop) -> Bool {
        counters.count(reason)
        return false
    }
}
