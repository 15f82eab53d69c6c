internal import Bytes
internal import Datapath
internal import Exchange
internal import Link

extension Worker {
    /// Datagrams become packets of neighbours: the sender's address must be registered, the length
    /// a packet's. What fails here has cost no arithmetic.
    @_noLocks
    mutating func open() {
        for lane in 0..<batch.count {
            let source = sources[lane]
            batch.source[lane] = snapshot.node(
                endpoint: Endpoint(
                    family: source.family,
                    address: source.address,
                    port: source.port
                )
            )
        }
        let before = batch.live
        link.open(&batch, stranger: Snapshot.none)
        countDrops(before)
    }

    /// Counts the lanes that left since `before`.
    @_noLocks
    func countDrops(_ before: LaneMask) {
        var left = before & ~batch.live
        while let lane = left.popFirst() { counters.count(batch.verdict(lane)) }
    }
}
