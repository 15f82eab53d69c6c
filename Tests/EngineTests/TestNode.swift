import Bytes
import Crypto
import Exchange
import Sphinx
import Tickets

@testable import Engine

/// A node of the test network: keys, tables, memory and an engine.
final class TestNode {
    let index: Int
    let packetKey: PacketKey
    let chainKey: ChainKey
    let keyID: UInt32
    var engine: Engine
    var builder: SnapshotBuilder
    var snapshotMemory: Memory
    let books: ChannelBooks
    let slab: Slab
    var reports: ReportReader
    private let kept: [Memory]

    init(
        _ identity: Identity,
        config: EngineConfig,
        builder: SnapshotBuilder,
        slots: Int,
        replayCapacity: Int,
        reportBytes: Int = 1 << 18
    ) {
        index = identity.index
        packetKey = identity.packetKey
        chainKey = identity.chainKey
        keyID = identity.keyID
        self.builder = builder
        snapshotMemory = builder.build()
        let engineMemory = Memory(Engine.byteCount(for: config))
        let booksMemory = Memory(ChannelBooks.byteCount(slots: slots))
        let replayMemory = Memory(ReplaySet.byteCount(capacity: replayCapacity))
        let reportMemory = Memory(RecordRing.byteCount(capacity: reportBytes))
        let counterMemory = Memory(Counters.byteCount)
        let slabMemory = Memory(4096 * Batch.capacity)
        let seed = Memory(32)
        seed.region.fill(UInt8(index + 1))
        books = ChannelBooks(booksMemory.region, slots: slots)
        slab = Slab(region: slabMemory.region, stride: 4096, offset: 64)
        guard
            let replay = ReplaySet(
                replayMemory.region,
                capacity: replayCapacity,
                hash: config.hash
            )
        else { fatalError("no replay set") }
        engine = Engine(
            engineMemory.region,
            config: config,
            seed: seed.region,
            books: books,
            replay: replay,
            reports: reportMemory.region,
            counters: counterMemory.region
        )
        reports = ReportReader(reportMemory.region)
        kept = [engineMemory, booksMemory, replayMemory, reportMemory, counterMemory, slabMemory]
    }

    var snapshot: Snapshot { Snapshot(snapshotMemory.region) }

    /// Takes a changed `builder` into use.
    func rebuild() { snapshotMemory = builder.build() }

    func channel(_ slot: UInt32, _ change: (inout ChannelRow) -> Void) {
        guard var row = builder.channels[slot] else { fatalError("no channel") }
        change(&row)
        builder.channels[slot] = row
        rebuild()
    }

    struct Result {
        var verdicts: [Drop]
        var outcome: Outcome
        var packets: [[UInt8]]
        var next: [UInt32]
        var ackKeys: [Bytes32]
    }

    /// Everything that a refused packet must leave as it was.
    var state: [[UInt8]] {
        [engine.state.array, books.region.array, engine.replay.region.array]
    }

    /// Runs one batch.
    func process(
        _ packets: [(bytes: [UInt8], from: UInt32)],
        now: UInt64 = 1_000,
        mixerRoom: Int = .max
    ) -> Result {
        var batch = Batch()
        batch.reset(nowNanos: now)
        for (lane, packet) in packets.enumerated() {
            slab.packet(UInt32(lane), 4032).store(bytes: packet.bytes.prefix(4032), 0)
            batch.append(
                slot: UInt32(lane),
                byteCount: UInt32(packet.bytes.count),
                source: snapshot.node(keyID: packet.from)
            )
        }
        engine.process(&batch, slab: slab, snapshot: snapshot, mixerRoom: mixerRoom)
        let size = engine.config.geometry.packetBytes
        var result = Result(
            verdicts: [],
            outcome: engine.outcome,
            packets: [],
            next: [],
            ackKeys: []
        )
        for lane in 0..<packets.count {
            result.verdicts.append(batch.verdict(lane))
            result.packets.append(slab.packet(UInt32(lane), size).array)
            let next = engine.nextNode(lane)
            let isForwarded = engine.outcome.forwarded.contains(lane)
            result.next.append(isForwarded ? snapshot.nodes[Int(next)].keyID : .max)
            result.ackKeys.append(engine.ackKey(lane))
        }
        return result
    }

    /// Runs one packet.
    func process(_ packet: [UInt8], from: UInt32, now: UInt64 = 1_000) -> Result {
        process([(packet, from)], now: now)
    }

    /// The packet that acknowledges to a neighbour.
    func ackPacket(to keyID: UInt32, _ keys: [Bytes32]) -> [UInt8] {
        let memory = Memory(32 * Batch.capacity)
        var arena = Arena(memory.region)
        let column = arena.column(Bytes32.self, keys.count)
        for (index, key) in keys.enumerated() { column[index] = key }
        let packet = Memory(engine.config.geometry.packetBytes)
        let made = engine.makeAckPacket(
            to: snapshot.node(keyID: keyID),
            halfKeys: column,
            count: keys.count,
            packet: packet.region,
            snapshot: snapshot
        )
        precondition(made, "no packet")
        return packet.region.array
    }

    /// All reports there are.
    func drain() -> [Report] {
        var all: [Report] = []
        while let report = reports.next() { all.append(report) }
        return all
    }

    func count(_ drop: Drop) -> UInt64 { engine.counters.value(drop) }
    func count(_ counter: Counter) -> UInt64 { engine.counters.value(counter) }
}

/// Who a node is.
struct Identity {
    let index: Int
    let packetKey: PacketKey
    let chainKey: ChainKey
    let keyID: UInt32
    let endpoint: Endpoint

    init(_ index: Int) {
        self.index = index
        let seed = Memory(32)
        seed.region.fill(UInt8(17 + index))
        packetKey = PacketKey(seed: seed.region)
        guard let chainKey = ChainKey(secret: seed.region) else { fatalError("no scalar") }
        self.chainKey = chainKey
        keyID = UInt32(100 + index)
        endpoint = Endpoint(ipv4: 127, 0, 0, 1, port: UInt16(9_000 + index))
    }

    var packetIdentity: PacketIdentity {
        PacketIdentity(
            keyID: keyID,
            publicKey: packetKey.publicKey,
            scalar: packetKey.scalar.load(0),
            secretKey: packetKey.signingKey.load(0)
        )
    }

    var row: NodeRow {
        NodeRow(
            keyID: keyID,
            packetKey: packetKey.publicKey,
            chainAddress: chainKey.address,
            endpoint: endpoint
        )
    }
}

extension Engine {
    /// The entry that ends first.
    var oldest: UInt32 {
        var budget = 1
        let count = table.over(nowNanos: .max, into: lanes.sought, budget: &budget)
        return count > 0 ? lanes.sought.place[0] : UnackedTable.none
    }
}
