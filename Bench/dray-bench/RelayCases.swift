import Bytes
import Crypto
import Engine
import Exchange
import Harness
import Load
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
    private let tables: NetworkTables

    /// - Parameter batches: that one of its neighbours may owe acknowledgements for.
    init(_ network: Network, _ index: Int, batches: Int = 1) {
        var config = EngineConfig(geometry: network.geometry, hash: KeyedHash(1, 2))
        config.unackedCapacity = 512 * batches
        config.peerRows = 64
        let tables = NetworkTables(network.nodes)
        let snapshotMemory = network.snapshot(of: index, tables: tables)
        let engineMemory = Memory(Engine.byteCount(for: config))
        let slots = 2 * network.nodes.count
        let booksMemory = Memory(ChannelBooks.byteCount(slots: slots))
        let replayMemory = Memory(ReplaySet.byteCount(capacity: 1_024))
        let reportMemory = Memory(RecordRing.byteCount(capacity: 1 << 18))
        let counterMemory = Memory(Counters.byteCount)
        let slabMemory = Memory(2_048 * 2 * Batch.capacity)
        let seed = Memory(32)
        seed.region.fill(UInt8(index))
        self.tables = tables
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

/// Node 1, a relay, with packets from node 0, what node 2 sends back for them, and the luck of
/// their tickets.
final class RelayBench {
    private static let stride = 2_048
    private let network: Network
    private let relay: EngineNode
    private let memory: Memory
    private let packets: Region
    private let acks: Column<Acknowledgement>
    private let made: Column<Acknowledgement>
    private let keys: Column<Bytes32>
    private let luck: LuckLanes
    private var batch = Batch()
    private let sender: UInt32
    private let next: UInt32
    /// Acknowledgement packets for all batches.
    private let ackPackets: Int
    /// Batches of the largest call.
    private let batches: Int

    init(_ network: Network, batches: Int) {
        self.network = network
        self.batches = batches
        relay = EngineNode(network, 1, batches: batches)
        let count = 64 * batches
        let capacity = network.geometry.ackCapacity
        ackPackets = (count + capacity - 1) / capacity
        memory = Memory((1 << 18) + RelayBench.stride * (count + ackPackets) + 256 * count)
        var arena = Arena(memory.region)
        packets = arena.region(RelayBench.stride * (count + ackPackets))
        acks = arena.column(Acknowledgement.self, count)
        made = arena.column(Acknowledgement.self, count)
        keys = arena.column(Bytes32.self, count)
        luck = LuckLanes(&arena)
        sender = relay.snapshot.node(keyID: network.nodes[0].keyID)
        next = relay.snapshot.node(keyID: network.nodes[2].keyID)
        let signingKey = network.nodes[2].packetKey.signingKey
        for lane in 0..<count {
            let place = packets.slice(lane * RelayBench.stride + 64, network.geometry.packetBytes)
            let built = network.packet(index: UInt64(lane), into: place)
            keys[lane] = built.secrets.ackHalfKeys[1]
            Acknowledgements.make(
                halfKey: keys.region(lane),
                signingKey: signingKey,
                into: acks.region(lane)
            )
            if lane < 64 { wager(lane, built.ticket) }
        }
        makeAnswers()
    }

    /// What the draw of a ticket takes; its hash and opening may be anything.
    private func wager(_ lane: Int, _ ticket: Ticket) {
        luck.hash[lane] = keys[lane]
        luck.opening[lane] = keys[lane]
        luck.response[lane] = keys[lane]
        luck.signature[lane] = ticket.signature
    }

    /// The acknowledgement packets that node 2 sends.
    private func makeAnswers() {
        let node = EngineNode(network, 2)
        for index in 0..<ackPackets {
            let place = (64 * batches + index) * RelayBench.stride + 64
            makeAckPacket(
                node,
                to: node.snapshot.node(keyID: network.nodes[1].keyID),
                index,
                into: packets.slice(place, network.geometry.packetBytes)
            )
        }
    }

    /// A packet with the next acknowledgements out of `keys`.
    private func makeAckPacket(
        _ node: EngineNode,
        to neighbour: UInt32,
        _ index: Int,
        into packet: Region
    ) {
        let capacity = network.geometry.ackCapacity
        let first = index * capacity
        let count = min(capacity, keys.count - first)
        let isMade = node.engine.makeAckPacket(
            to: neighbour,
            halfKeys: keys.region.column(first * Bytes32.count, count: count),
            count: count,
            packet: packet,
            snapshot: node.snapshot
        )
        precondition(isMade, "no acknowledgement packet")
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
    private func take(_ count: Int, from first: Int) -> UInt64 {
        process(count, from: first, source: sender)
        let forwarded = relay.engine.outcome.forwarded
        precondition(forwarded == .first(count), "a packet is not forwarded")
        return UInt64(relay.engine.ackKey(0)[31])
    }

    func forward(_ count: Int) -> UInt64 {
        relay.forget()
        return take(count, from: 0)
    }

    /// Forwards a batch, acknowledges it to the previous hop, takes the next hop's acknowledgements
    /// and draws the luck of the tickets; acknowledgement packets are left out.
    func whole(_ count: Int, _ rule: LuckRule) -> UInt64 {
        let sum = forward(count)
        relay.engine.signAnswers(snapshot: relay.snapshot)
        relay.engine.acknowledge(
            acks.region.column(0, count: count),
            from: next,
            snapshot: relay.snapshot,
            nowNanos: 2_000
        )
        precondition(relay.engine.awaited == 0, "an acknowledgement is refused")
        return sum &+ draw(count, rule)
    }

    private func draw(_ count: Int, _ rule: LuckRule) -> UInt64 {
        switch rule {
        case .commitment: luck.drawCommitment(lanes: .first(count))
        case .vrf:
            let key = network.nodes[1].chainKey
            var domain = network.domain
            domain.withRegion {
                luck.drawVRF(
                    redeemer: key.address,
                    key: key.secretScalar,
                    domain: $0,
                    lanes: .first(count)
                )
            }
        }
        return luck.luck[0]
    }

    /// As a worker does: signed by the batch, made as many at once as may be.
    private func makeAckPackets() {
        let capacity = network.geometry.ackCapacity
        for index in 0..<ackPackets {
            let first = index * capacity
            let count = min(capacity, keys.count - first)
            let isBegun = relay.engine.beginAckPacket(
                to: sender,
                acks: made.region.column(first * Acknowledgements.byteCount, count: count),
                count: count,
                slot: UInt32(64 + index),
                slab: relay.slab,
                snapshot: relay.snapshot
            )
            precondition(isBegun, "no acknowledgement packet")
            guard relay.engine.ackPacketsBegun == Engine.ackPacketsMax || index + 1 == ackPackets
            else { continue }
            let begun = LaneMask.first(relay.engine.ackPacketsBegun)
            let isMade =
                relay.engine.makeAckPackets(slab: relay.slab, snapshot: relay.snapshot) == begun
            precondition(isMade, "an acknowledgement packet is not made")
        }
    }

    /// Several batches with VRF luck, and the packets that their acknowledgements travel in: a
    /// tenth of a packet made and a tenth peeled for each.
    func carried() -> UInt64 {
        relay.forget()
        var sum: UInt64 = 0
        for part in 0..<batches {
            sum &+= take(64, from: 64 * part)
            relay.engine.signAnswers(snapshot: relay.snapshot)
            for lane in 0..<64 { made[64 * part + lane] = relay.engine.acknowledgement(lane) }
            sum &+= draw(64, .vrf)
        }
        makeAckPackets()
        process(ackPackets, from: 64 * batches, source: next)
        precondition(relay.engine.awaited == 0, "an acknowledgement is refused")
        return sum
    }
}

func relayCases(_ network: Network) -> [Case] {
    let relay = RelayBench(network, batches: 1)
    let carrier = RelayBench(network, batches: 5)
    let whole = [1, 8, 64].map { count in
        Case(count == 64 ? "relay.whole" : "relay.whole.batch\(count)", batch: count) {
            relay.whole(count, .commitment)
        }
    }
    return whole + [
        Case("relay.whole.vrf", batch: 64) { relay.whole(64, .vrf) },
        Case("relay.carried", batch: 64, operations: 320) { carrier.carried() },
        Case("relay.forward", batch: 64) { relay.forward(64) },
    ]
}
