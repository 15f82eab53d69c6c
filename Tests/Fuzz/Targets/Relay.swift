import Bytes
import Crypto
import Engine
import Exchange
import Sphinx
import Tickets

/// A packet through the whole engine of a relay that has channels: profile, options, packet.
///
/// What is refused leaves no trace but in the counters; twins in one batch do not both pass; a
/// neighbour in the batch changes nothing. Option bit 0 sets the header's MAC right.
func fuzzRelay(_ input: [UInt8]) {
    var input = FuzzInput(input)
    let geometry = fuzzGeometry(&input)
    let options = input.byte()
    var packet = input.bytes(geometry.packetBytes)
    if options & 1 == 1 { packet = PacketBench(geometry).sealed(packet) }

    let alone = RelayBench(geometry)
    let before = alone.state
    let verdict = alone.process([packet])[0]
    // A changed payload is found only after all that is paid for: the packet counts as taken.
    let isTaken = verdict == .none || verdict == .payloadTagged
    if !isTaken {
        precondition(alone.state == before, "a refused packet left a trace: \(verdict)")
    } else {
        let again = alone.process([packet])[0]
        precondition(again == .replay || again == .indexReplay, "a packet passed twice")
    }

    var other = packet
    other[Int(options) * other.count / 256] ^= 1
    let mixed = RelayBench(geometry).process([packet, other, packet])
    precondition(mixed[0] == verdict, "a neighbour changed the verdict")
    precondition(!isTaken || mixed[2] == .replay || mixed[2] == .indexReplay, "twins passed")
}

/// The relay of the published negative vectors, with a channel from and to every other node.
private final class RelayBench {
    private struct Peer {
        var keyID: UInt32
        var packetKey: String
        var address: String
    }

    private static let peers = [
        Peer(
            keyID: 0xded7,
            packetKey: "be8e38f39691da5bd9c410417f974ffb33ef36fba1b80a99a707277a1e5ddae5",
            address: "a786a6b51ab7bd29c14dd16f2e86173c4d8b67c7"
        ),
        Peer(
            keyID: 0xd130,
            packetKey: "d9f791faf7e73d06443042ee98865c47deb49451c90cc59dfe895510be99cfcb",
            address: "29b38d64397ab6caf8446eb1c7f1dd5ef46c225e"
        ),
        Peer(
            keyID: 0xb7c1,
            packetKey: "15aec875d1baed79ac9d971d8c7baf84c889d812848c4799a86f3c31d42c1708",
            address: "132ba71e7a653ba7d467edc9ff7c607884848783"
        ),
    ]
    private static let domain: Bytes32 = fixed(
        "dd78ded3f1099305f81a84d44d5161ec54691932c68ca1265d81e12784fef25f"
    )
    private static let chainKey: ChainKey = {
        var secret: Bytes32 = fixed(
            "94a26fb895aa6c463bd10cbd29ec20ca913305cd40c36b7263f2149d3372c77e"
        )
        guard let key = secret.withRegion({ ChainKey(secret: $0) }) else { fatalError("no key") }
        return key
    }()
    private static let slots = 2 * peers.count

    private var engine: Engine
    private let books: ChannelBooks
    private let slab: Slab
    private let snapshot: Snapshot
    private let kept: [Memory]

    init(_ geometry: Geometry) {
        var config = EngineConfig(geometry: geometry, hash: KeyedHash(1, 2))
        config.unackedCapacity = 16
        config.peerRows = 8
        let snapshotMemory = RelayBench.builder().build()
        snapshot = Snapshot(snapshotMemory.region)
        let memory = [
            Engine.byteCount(for: config), ChannelBooks.byteCount(slots: RelayBench.slots),
            ReplaySet.byteCount(capacity: 64), RecordRing.byteCount(capacity: 1 << 15),
            Counters.byteCount, 4 * 4_096, 32,
        ].map { Memory($0) }
        kept = memory + [snapshotMemory]
        books = ChannelBooks(memory[1].region, slots: RelayBench.slots)
        guard let replay = ReplaySet(memory[2].region, capacity: 64, hash: config.hash) else {
            fatalError("no replay set")
        }
        engine = Engine(
            memory[0].region,
            config: config,
            seed: memory[6].region,
            books: books,
            replay: replay,
            reports: memory[3].region,
            counters: memory[4].region
        )
        slab = Slab(region: memory[5].region, stride: 4_096)
        for slot in 0..<UInt32(RelayBench.slots) where slot % 2 == 1 {
            books.raiseIndexLimit(slot, to: 1 << 16)
        }
    }

    /// What a refused packet must leave as it was.
    var state: [[UInt8]] {
        [engine.state.array, books.region.array, engine.replay.region.array]
    }

    /// The verdicts of one batch from the first peer.
    func process(_ packets: [[UInt8]]) -> [Drop] {
        var batch = Batch()
        batch.reset(nowNanos: 1_000)
        for (lane, packet) in packets.enumerated() {
            slab.packet(UInt32(lane), 4_096).store(bytes: packet, 0)
            batch.append(
                slot: UInt32(lane),
                byteCount: UInt32(packet.count),
                source: snapshot.node(keyID: RelayBench.peers[0].keyID)
            )
        }
        engine.process(&batch, slab: slab, snapshot: snapshot)
        return packets.indices.map { batch.verdict($0) }
    }

    private static func fixed<let count: Int>(_ hex: String) -> FixedBytes<count> {
        guard let bytes = FixedBytes<count>(hex: hex) else { fatalError("no hex") }
        return bytes
    }

    private static func builder() -> SnapshotBuilder {
        let key = PacketBench.key
        var builder = SnapshotBuilder(
            current: PacketIdentity(
                keyID: 0x7fc3,
                publicKey: key.publicKey,
                scalar: key.scalar.load(0),
                secretKey: key.signingKey.load(0)
            ),
            chainAddress: chainKey.address,
            chainKey: chainKey.secretScalar.load(0),
            domain: domain,
            policy: Policy(price: 10_000_000_000_000_000),
            hash: KeyedHash(3, 4)
        )
        for (index, peer) in peers.enumerated() {
            let address: Address = fixed(peer.address)
            builder.nodes.append(
                NodeRow(
                    keyID: peer.keyID,
                    packetKey: fixed(peer.packetKey),
                    chainAddress: address,
                    endpoint: Endpoint(ipv4: 127, 0, 0, UInt8(index + 2), port: 9_000)
                )
            )
            let own = chainKey.address
            builder.channels[UInt32(2 * index)] = channel(
                .incoming,
                address,
                from: address,
                to: own
            )
            builder.channels[UInt32(2 * index + 1)] = channel(
                .outgoing,
                address,
                from: own,
                to: address
            )
        }
        return builder
    }

    private static func channel(
        _ direction: ChannelDirection,
        _ peer: Address,
        from source: Address,
        to destination: Address
    ) -> ChannelRow {
        ChannelRow(
            direction: direction,
            peer: peer,
            channelID: TicketDomain.channelID(source: source, destination: destination),
            domain: domain,
            channelEpoch: 3,
            ticketEpoch: 0,
            status: .open,
            rule: .vrf,
            balance: 1_000_000_000_000_000_000
        )
    }
}
