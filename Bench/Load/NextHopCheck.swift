internal import Bytes
internal import Engine
internal import Exchange
internal import Sphinx

/// Looks at packets that the relay forwarded as their next hop does: with an engine that must
/// accept each, its layer, its ticket and its proof of relay.
final class NextHopCheck {
    private let network: LoadNetwork
    private let trace: LoadTrace

    init(_ network: LoadNetwork, _ trace: LoadTrace) {
        self.network = network
        self.trace = trace
    }

    /// What is wrong with packets of a slab, one line each.
    ///
    /// - Parameter numbers: of the packets that they were made of.
    func faults(_ slab: Slab, _ numbers: Column<Int>, count: Int) -> [String] {
        (0..<network.plan.nextHops).flatMap { nextHop in
            let link = UInt32(network.plan.link(nextHop: nextHop))
            let mine = (0..<count).filter { trace.rows[numbers[$0]].nextLink == link }
            return mine.isEmpty ? [] : check(nextHop, slab, mine)
        }
    }

    private func check(_ nextHop: Int, _ slab: Slab, _ places: [Int]) -> [String] {
        var config = EngineConfig(geometry: network.plan.geometry, hash: LoadNetwork.hash)
        config.unackedCapacity = 512
        config.peerRows = 64
        let memory = Memory(Engine.byteCount(for: config))
        let booksMemory = Memory(ChannelBooks.byteCount(slots: 4))
        let replayMemory = Memory(ReplaySet.byteCount(capacity: 1_024))
        let reports = Memory(RecordRing.byteCount(capacity: 1 << 18))
        let counters = Memory(Counters.byteCount)
        let seed = Memory(32)
        let snapshotMemory = network.nextHopSnapshot(nextHop)
        let snapshot = Snapshot(snapshotMemory.region)
        let books = ChannelBooks(booksMemory.region, slots: 4)
        for slot in [UInt32(1), 3] { books.raiseIndexLimit(slot, to: 1 << 20) }
        let replay = ReplaySet(replayMemory.region, capacity: 1_024, hash: LoadNetwork.hash)
        guard let replay else { return ["no replay set"] }
        var engine = Engine(
            memory.region,
            config: config,
            seed: seed.region,
            books: books,
            replay: replay,
            reports: reports.region,
            counters: counters.region
        )
        var batch = Batch()
        batch.reset(nowNanos: 1_000)
        for place in places {
            batch.append(
                slot: UInt32(place),
                byteCount: UInt32(network.plan.packetBytes),
                source: snapshot.node(keyID: network.relay.keyID)
            )
        }
        engine.process(&batch, slab: slab, snapshot: snapshot)
        withExtendedLifetime([booksMemory, replayMemory, reports, counters, snapshotMemory]) {}
        return places.indices.compactMap { lane in
            let verdict = batch.verdict(lane)
            guard !engine.outcome.forwarded.contains(lane) else { return nil }
            return "next hop \(nextHop) refuses a packet: \(verdict)"
        }
    }
}
