import Bytes
import Crypto
import Datapath
import Engine
import Exchange
import Relay
import Sphinx
import TestSupport
import Tickets

/// A node of the test network before its worker is made: keys, channels, memory.
///
/// The channel between it and node j has slots 2j (j pays) and 2j + 1 (j is paid).
final class TestNode {
    static let price: UInt128 = 100
    static let keyIDBase: UInt32 = 100

    let index: Int
    let count: Int
    let packetKey: PacketKey
    let chainKey: ChainKey
    let books: ChannelBooks
    let replay: ReplaySet
    let domain = TicketDomain.separator(chainID: 31_337, contract: Address())
    private let kept: [Memory]

    init(_ index: Int, of count: Int) {
        self.index = index
        self.count = count
        let seed = Memory(32)
        seed.region.fill(UInt8(17 + index))
        packetKey = PacketKey(seed: seed.region)
        guard let chainKey = ChainKey(secret: seed.region) else { fatalError("no scalar") }
        self.chainKey = chainKey
        let booksMemory = Memory(ChannelBooks.byteCount(slots: 2 * count))
        let replayMemory = Memory(ReplaySet.byteCount(capacity: 1 << 16))
        books = ChannelBooks(booksMemory.region, slots: 2 * count)
        for other in 0..<UInt32(count) { books.raiseIndexLimit(2 * other + 1, to: 1 << 20) }
        let hash = KeyedHash(5, 6)
        guard let set = ReplaySet(replayMemory.region, capacity: 1 << 16, hash: hash) else {
            fatalError("no replay set")
        }
        replay = set
        kept = [booksMemory, replayMemory]
    }

    var keyID: UInt32 { TestNode.keyIDBase + UInt32(index) }

    /// What it sees of the network: everybody else, at the given addresses.
    func snapshot(_ nodes: [TestNode], at addresses: [DatagramAddress?]) -> Memory {
        var builder = SnapshotBuilder(
            current: PacketIdentity(
                keyID: keyID,
                publicKey: packetKey.publicKey,
                scalar: packetKey.scalar.load(0),
                secretKey: packetKey.signingKey.load(0)
            ),
            chainAddress: chainKey.address,
            chainKey: chainKey.secretScalar.load(0),
            domain: domain,
            policy: Policy(price: TestNode.price),
            hash: KeyedHash(3, 4)
        )
        for other in nodes where other.index != index {
            var endpoint = Endpoint()
            if let address = addresses[other.index] {
                endpoint = Endpoint(
                    family: address.family,
                    address: address.address,
                    port: address.port
                )
            }
            builder.nodes.append(
                NodeRow(
                    keyID: other.keyID,
                    packetKey: other.packetKey.publicKey,
                    chainAddress: other.chainKey.address,
                    endpoint: endpoint
                )
            )
            let slot = UInt32(2 * other.index)
            builder.channels[slot] = channel(other, self, .incoming)
            builder.channels[slot + 1] = channel(self, other, .outgoing)
        }
        return builder.build()
    }

    private func channel(
        _ source: TestNode,
        _ destination: TestNode,
        _ direction: ChannelDirection
    ) -> ChannelRow {
        ChannelRow(
            direction: direction,
            peer: direction == .incoming ? source.chainKey.address : destination.chainKey.address,
            channelID: TicketDomain.channelID(
                source: source.chainKey.address,
                destination: destination.chainKey.address
            ),
            domain: TicketDomain.separator(domain, rule: .commitment, ticketEpoch: 1),
            channelEpoch: 7,
            ticketEpoch: 1,
            status: .open,
            rule: .commitment,
            balance: 1 << 60
        )
    }
}

/// Builds packets as an entry does.
final class PacketMaker {
    struct Made {
        var bytes: [UInt8]
        var ackChallenge: Bytes33
    }

    let geometry: Geometry
    var random: SeededGenerator
    private let nodes: [TestNode]
    private let memory: Memory
    private let scratch: BuildScratch
    private let lanes: TicketLanes
    private var nextIndex: [Int: UInt64] = [:]

    init(_ name: String, _ nodes: [TestNode], geometry: Geometry) {
        self.geometry = geometry
        self.nodes = nodes
        random = SeededGenerator(name, seed: 1)
        var measure = Arena()
        _ = BuildScratch(&measure)
        _ = TicketLanes(&measure, curve: .shared, selector: geometry.ticketSelector)
        memory = Memory(measure.used)
        var arena = Arena(memory.region)
        scratch = BuildScratch(&arena)
        lanes = TicketLanes(&arena, curve: .shared, selector: geometry.ticketSelector)
    }

    /// A packet from node `sender` along a path of node numbers, the last one its destination.
    func make(_ path: [Int], from sender: Int, message: [UInt8] = [0, 1, 2, 3]) -> Made {
        var hops = PathNodes()
        for node in path {
            _ = hops.append(keyID: nodes[node].keyID, publicKey: nodes[node].packetKey.publicKey)
        }
        var seed = random.bytes(32)
        let secrets = seed.withRegion { Build.derive(seed: $0, nodes: hops, scratch: scratch) }
        guard let last = Address(random.bytes(20)) else { fatalError("length") }
        var plan = ProofPlan()
        let planned = ProofOfRelay.plan(
            ownHalfKeys: secrets.ownHalfKeys,
            ackHalfKeys: secrets.ackHalfKeys,
            count: hops.count,
            lastChallenge: last,
            curve: .shared,
            into: &plan
        )
        precondition(planned && secrets.count == hops.count)
        let packet = Memory(geometry.packetBytes)
        seal(packet.region, message, hops, secrets, plan)
        let ticket = ticket(path, sender, plan.firstChallenge)
        ticket.write(to: packet.region.slice(geometry.ticketOffset, Ticket.byteCount))
        return Made(
            bytes: packet.region.array,
            ackChallenge: ProofOfRelay.acknowledgementChallenge(plan.values)
        )
    }

    private func seal(
        _ packet: Region,
        _ message: [UInt8],
        _ hops: PathNodes,
        _ secrets: PathSecrets,
        _ plan: ProofPlan
    ) {
        guard let id = SenderID(random.bytes(18)) else { fatalError("length") }
        var padding = random.bytes(222)
        let header = padding.withRegion {
            Build.seal(
                secrets: secrets,
                nodes: hops,
                proofs: plan.strings,
                noAck: false,
                reply: false,
                senderID: id,
                padding: $0,
                scratch: scratch
            )
        }
        Build.write(alpha: secrets.alpha, header: header, to: packet)
        let payload = packet.slice(Geometry.payloadOffset, geometry.payloadBytes)
        let start = payload.byteCount - message.count
        payload.fill(0)
        payload.store(Padding.marker, start - 1)
        payload.store(bytes: message, start)
        Build.encrypt(payload: payload, secrets: secrets, scratch: scratch)
    }

    private func ticket(_ path: [Int], _ sender: Int, _ challenge: Address) -> Ticket {
        let first = nodes[path[0]]
        let key = nodes[sender].chainKey
        var ticket = Ticket.zeroHop(to: first.chainKey.address, challenge: challenge)
        if path.count > 1 {
            let channel = sender * 16 + first.index
            ticket.index = nextIndex[channel, default: 0]
            nextIndex[channel] = ticket.index + 1
            ticket.channelEpoch = 7
            ticket.amount = TestNode.price * UInt128(path.count - 1)
            ticket.winProbability = .always
        }
        let memory = Memory(4_096)
        var arena = Arena(memory.region)
        let tickets = arena.column(Ticket.self, 1)
        let ids = arena.column(Bytes32.self, 1)
        let domains = arena.column(Bytes32.self, 1)
        let hashes = arena.column(Bytes32.self, 1)
        tickets[0] = ticket
        ids[0] = TicketDomain.channelID(
            source: key.address,
            destination: first.chainKey.address
        )
        domains[0] = TicketDomain.separator(first.domain, rule: .commitment, ticketEpoch: 1)
        lanes.hash(tickets, channelIDs: ids, domains: domains, lanes: 1, into: hashes)
        _ = lanes.sign(tickets, hashes: hashes, key: key.secretScalar, lanes: 1)
        return tickets[0]
    }
}
