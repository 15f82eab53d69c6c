import Bytes
import Crypto
import Engine
import Exchange
import Harness
import Sphinx
import Tickets

/// A node with its engine and all its memory.
private final class EngineNode {
    let snapshot: Snapshot
    var engine: Engine
    let slab: Slab
    var reports: RingReader
    private let books: ChannelBooks
    private let saved: Memory
    private let kept: [Memory]

    init(_ network: Network, _ index: Int) {
        var config = EngineConfig(geometry: network.geometry, hash: KeyedHash(1, 2))
        config.unackedCapacity = 512
        config.peerRows = 64
        let snapshotMemory = network.snapshot(of: index)
        let engineMemory = Memory(Engine.byteCount(for: config))
        let slots = 2 * network.nodes.count
        let booksMemory = Memory(ChannelBooks.byteCount(slots: slots))
        let replayMemory = Memory(ReplaySet.byteCount(capacity: 1_024))
        let reportMemory = Memory(RecordRing.byteCount(capacity: 1 << 18))
        let counterMemory = Memory(Counters.byteCount)
        let slabMemory = Memory(2_048 * 2 * Batch.capacity)
        let seed = Memory(32)
        seed.region.fill(UInt8(index))
        snapshot = Snapshot(snapshotMemory.region)
        books = ChannelBooks(booksMemory.region, slots: slots)
        slab = Slab(region: slabMemory.region, stride: 2_048, offset: 64)
        let replay = ReplaySet(replayMemory.region, capacity: 1_024, hash: config.hash)
        guard let replay else { fatalError("no replay set") }
        engine = Engine(
            engineMemory.region,
            config: config,
            seed: seed.region,
            books: books,
            replay: replay,
            reports: reportMemory.region,
            counters: counterMemory.region
        )
        reports = RingReader(reportMemory.region)
        for slot in 0..<UInt32(slots) where slot % 2 == 1 {
            books.raiseIndexLimit(slot, to: 1 << 16)
        }
        let (state, replayBytes) = (engine.state, replay.region)
        saved = Memory(state.byteCount + books.region.byteCount + replayBytes.byteCount)
        kept = [
            snapshotMemory, engineMemory, booksMemory, replayMemory, reportMemory, counterMemory,
            slabMemory,
        ]
        saved.region.copy(state, to: 0)
        saved.region.copy(books.region, to: state.byteCount)
        saved.region.copy(replayBytes, to: state.byteCount + books.region.byteCount)
    }

    /// Back to the beginning, so that the same packets may come again. Costs a copy of 300 kB for a
    /// batch, which the measurements include.
    func forget() {
        let start = bring(engine.state, from: 0)
        _ = bring(engine.replay.region, from: bring(books.region, from: start))
        while reports.next() != nil { reports.release() }
    }

    private func bring(_ part: Region, from start: Int) -> Int {
        part.copy(saved.region.slice(start, part.byteCount), to: 0)
        return start + part.byteCount
    }
}

/// Node 1, a relay, with a batch of packets from node 0, and what node 2 sends back for them.
final class RelayBench {
    private let network: Network
    private let relay: EngineNode
    private let memory: Memory
    private let packets: Region
    private let acks: Column<Acknowledgement>
    private let made: Column<Acknowledgement>
    private let keys: Column<Bytes32>
    private var batch = Batch()
    private let sender: UInt32
    private let next: UInt32
    private static let stride = 2_048
    /// Acknowledgement packets that a whole batch is answered with.
    private let ackPackets: Int

    init(_ network: Network) {
        self.network = network
        relay = EngineNode(network, 1)
        ackPackets = (64 + network.geometry.ackCapacity - 1) / network.geometry.ackCapacity
        memory = Memory(1 << 19)
        var arena = Arena(memory.region)
        packets = arena.region(RelayBench.stride * (64 + ackPackets))
        acks = arena.column(Acknowledgement.self, 64)
        made = arena.column(Acknowledgement.self, 64)
        keys = arena.column(Bytes32.self, 64)
        sender = relay.snapshot.node(keyID: network.nodes[0].keyID)
        next = relay.snapshot.node(keyID: network.nodes[2].keyID)
        for lane in 0..<64 {
            let place = packets.slice(lane * RelayBench.stride + 64, network.geometry.packetBytes)
            keys[lane] = network.packet(index: UInt64(lane), into: place).secrets.ackHalfKeys[1]
        }
        let signingKey = network.nodes[2].packetKey.signingKey
        Acknowledgements.make(halfKeys: keys, signingKey: signingKey, lanes: .max, into: acks)
        makeAnswers()
    }

    /// The acknowledgement packets that node 2 sends.
    private func makeAnswers() {
        let node = EngineNode(network, 2)
        let capacity = network.geometry.ackCapacity
        for index in 0..<ackPackets {
            let first = index * capacity
            let count = min(capacity, 64 - first)
            for lane in 0..<count { keys[lane] = acks.region(first + lane).load(0) }
            let place = (64 + index) * RelayBench.stride + 64
            let isMade = node.engine.makeAckPacket(
                to: node.snapshot.node(keyID: network.nodes[1].keyID),
                halfKeys: keys,
                count: count,
                packet: packets.slice(place, network.geometry.packetBytes),
                snapshot: node.snapshot
            )
            precondition(isMade, "no acknowledgement packet")
        }
    }

    private func process(_ packetCount: Int, from first: Int, source: UInt32) {
        let start = first * RelayBench.stride
        let bytes = packetCount * RelayBench.stride
        relay.slab.region.copy(packets.slice(start, bytes), to: 0)
        batch.reset(nowNanos: 1_000)
        for lane in 0..<packetCount {
            batch.append(
                slot: UInt32(lane),
                byteCount: UInt32(network.geometry.packetBytes),
                source: source
            )
        }
        relay.engine.process(&batch, slab: relay.slab, snapshot: relay.snapshot)
    }

    /// Packets in, packets for the next hop out; returns the first answer key.
    func forward(_ count: Int) -> UInt64 {
        relay.forget()
        process(count, from: 0, source: sender)
        let forwarded = relay.engine.outcome.forwarded
        precondition(forwarded == .first(count), "a packet is not forwarded")
        return UInt64(relay.engine.ackKey(0)[31])
    }

    /// Forwards a batch, acknowledges it to the previous hop and takes the next hop's
    /// acknowledgements; acknowledgement packets are left out.
    func whole(_ count: Int) -> UInt64 {
        let sum = forward(count)
        for lane in 0..<count { keys[lane] = relay.engine.ackKey(lane) }
        Acknowledgements.make(
            halfKeys: keys,
            signingKey: relay.snapshot.signingKeys.region(0),
            lanes: .first(count),
            into: made
        )
        relay.engine.acknowledge(
            acks.region.column(0, count: count),
            from: next,
            snapshot: relay.snapshot,
            nowNanos: 2_000
        )
        precondition(relay.engine.awaited == 0, "an acknowledgement is refused")
        return sum
    }

    /// The same for 64 packets with the packets that acknowledgements travel in, made and taken.
    func wholeWithPackets() -> UInt64 {
        let sum = forward(64)
        let capacity = network.geometry.ackCapacity
        for index in 0..<ackPackets {
            let count = min(capacity, 64 - index * capacity)
            for lane in 0..<count { keys[lane] = relay.engine.ackKey(index * capacity + lane) }
            let isMade = relay.engine.makeAckPacket(
                to: sender,
                halfKeys: keys,
                count: count,
                packet: relay.slab.packet(UInt32(64 + index), network.geometry.packetBytes),
                snapshot: relay.snapshot
            )
            precondition(isMade, "no acknowledgement packet")
        }
        process(ackPackets, from: 64, source: next)
        precondition(relay.engine.awaited == 0, "an acknowledgement is refused")
        return sum
    }
}

func relayCases(_ network: Network) -> [Case] {
    let relay = RelayBench(network)
    let whole = [1, 8, 64].map { count in
        Case(count == 64 ? "relay.whole" : "relay.whole.batch\(count)", batch: count) {
            relay.whole(count)
        }
    }
    return whole + [
        Case("relay.whole.packets", batch: 64) { relay.wholeWithPackets() },
        Case("relay.forward", batch: 64) { relay.forward(64) },
    ]
}
