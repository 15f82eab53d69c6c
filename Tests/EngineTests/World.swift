import Bytes
import Crypto
import Exchange
import Sphinx
import TestSupport
import Tickets

@testable import Engine

/// Five nodes with a channel each way between any two: sender 0, relays 1 to 3, exit 4.
///
/// The channel between a node and node j has slots 2j (j pays) and 2j + 1 (j is paid).
final class World {
    static let price: UInt128 = 100
    let geometry: Geometry
    let domain: Bytes32
    var nodes: [TestNode] = []
    var random: SeededGenerator
    private let scratchMemory: Memory
    private let scratch: BuildScratch
    private let lanes: TicketLanes
    private var nextIndex: [Int: UInt64] = [:]

    init(
        _ name: String,
        geometry: Geometry = .head,
        seed: UInt64? = 1,
        count: Int = 5,
        replayCapacity: Int = 4_096,
        configure: (inout EngineConfig) -> Void = { _ in }
    ) {
        self.geometry = geometry
        random = SeededGenerator(name, seed: seed)
        domain = TicketDomain.separator(chainID: 31_337, contract: Address())
        var measure = Arena()
        _ = BuildScratch(&measure)
        _ = TicketLanes(&measure, curve: .shared, selector: geometry.ticketSelector)
        scratchMemory = Memory(measure.used)
        var arena = Arena(scratchMemory.region)
        scratch = BuildScratch(&arena)
        lanes = TicketLanes(&arena, curve: .shared, selector: geometry.ticketSelector)
        var config = EngineConfig(geometry: geometry, hash: KeyedHash(1, 2))
        config.unackedCapacity = 256
        configure(&config)
        let identities = (0..<count).map(Identity.init)
        for identity in identities {
            nodes.append(
                TestNode(
                    identity,
                    config: config,
                    builder: builder(identity, identities),
                    slots: 2 * count,
                    replayCapacity: replayCapacity
                )
            )
        }
        for node in nodes {
            for slot in 0..<UInt32(2 * count) where slot % 2 == 1 {
                node.books.raiseIndexLimit(slot, to: 1 << 16)
            }
        }
    }

    private func builder(_ own: Identity, _ all: [Identity]) -> SnapshotBuilder {
        var builder = SnapshotBuilder(
            current: own.packetIdentity,
            chainAddress: own.chainKey.address,
            chainKey: own.chainKey.secretScalar.load(0),
            domain: domain,
            policy: Policy(price: World.price),
            hash: KeyedHash(3, 4)
        )
        for other in all where other.index != own.index {
            builder.nodes.append(other.row)
            let slot = UInt32(2 * other.index)
            builder.channels[slot] = channel(other, own, .incoming)
            builder.channels[slot + 1] = channel(own, other, .outgoing)
        }
        return builder
    }

    private func channel(
        _ source: Identity,
        _ destination: Identity,
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
            balance: 1_000_000
        )
    }

    /// What a packet is made of; the tests change it before `build`.
    struct Recipe {
        var path: [Int]
        var message: [UInt8]
        var noAck = false
        var reply = false
        /// Changes the header's idea of who comes next.
        var keyIDs: [UInt32]?
        var ticket: (inout Ticket) -> Void = { _ in }
        var signer: ChainKey?
        /// Changes the proof-of-relay strings.
        var proofs: (inout ProofPlan) -> Void = { _ in }
        /// Changes the padded payload.
        var payload: (inout [UInt8]) -> Void = { _ in }

        init(_ path: [Int], message: [UInt8] = [0, 1, 2, 3]) {
            self.path = path
            self.message = message
        }
    }

    struct Built {
        var bytes: [UInt8]
        var ackChallenge: Bytes33
        var senderID: SenderID
        var ticket: Ticket
        var tag: Bytes32
    }

    /// Builds a packet from node 0, or from `sender`, along a path of node numbers.
    func build(_ recipe: Recipe, sender: Int = 0) -> Built {
        var path = PathNodes()
        for (place, node) in recipe.path.enumerated() {
            _ = path.append(
                keyID: recipe.keyIDs?[place] ?? nodes[node].keyID,
                publicKey: nodes[node].packetKey.publicKey
            )
        }
        var seed = random.bytes(32)
        let secrets = seed.withRegion { Build.derive(seed: $0, nodes: path, scratch: scratch) }
        guard let lastChallenge = Address(random.bytes(20)), let id = SenderID(random.bytes(18))
        else { fatalError("lengths") }
        var plan = ProofPlan()
        let planned = ProofOfRelay.plan(
            ownHalfKeys: secrets.ownHalfKeys,
            ackHalfKeys: secrets.ackHalfKeys,
            count: path.count,
            lastChallenge: lastChallenge,
            curve: .shared,
            into: &plan
        )
        precondition(planned && secrets.count == path.count)
        recipe.proofs(&plan)
        let packet = Memory(geometry.packetBytes)
        seal(packet.region, recipe, path, secrets, plan, id)
        let ticket = sign(recipe, sender: sender, challenge: plan.firstChallenge)
        ticket.write(to: packet.region.slice(geometry.ticketOffset, Ticket.byteCount))
        return Built(
            bytes: packet.region.array,
            ackChallenge: ProofOfRelay.acknowledgementChallenge(plan.values),
            senderID: id,
            ticket: ticket,
            tag: secrets.secrets[0]
        )
    }

    private func seal(
        _ packet: Region,
        _ recipe: Recipe,
        _ path: PathNodes,
        _ secrets: PathSecrets,
        _ plan: ProofPlan,
        _ id: SenderID
    ) {
        var padding = random.bytes(222)
        let header = padding.withRegion {
            Build.seal(
                secrets: secrets,
                nodes: path,
                proofs: plan.strings,
                noAck: recipe.noAck,
                reply: recipe.reply,
                senderID: id,
                padding: $0,
                scratch: scratch
            )
        }
        Build.write(alpha: secrets.alpha, header: header, to: packet)
        let payload = packet.slice(Geometry.payloadOffset, geometry.payloadBytes)
        var padded = [UInt8](repeating: 0, count: geometry.payloadBytes)
        padded.replaceSubrange(
            (padded.count - recipe.message.count)...,
            with: recipe.message
        )
        padded[padded.count - recipe.message.count - 1] = Padding.marker
        recipe.payload(&padded)
        payload.store(bytes: padded, 0)
        Build.encrypt(payload: payload, secrets: secrets, scratch: scratch)
    }

    private func sign(_ recipe: Recipe, sender: Int, challenge: Address) -> Ticket {
        let first = nodes[recipe.path[0]]
        var ticket = Ticket.zeroHop(to: first.chainKey.address, challenge: challenge)
        if recipe.path.count > 1 {
            let key = sender * 16 + first.index
            let index = nextIndex[key, default: 0]
            nextIndex[key] = index + 1
            ticket.index = index
            ticket.channelEpoch = 7
            ticket.amount = World.price * UInt128(recipe.path.count - 1)
            ticket.winProbability = .always
        }
        recipe.ticket(&ticket)
        return signed(ticket, by: recipe.signer ?? nodes[sender].chainKey, to: first)
    }

    /// Signs as the channel from the key's owner to a node demands.
    func signed(_ ticket: Ticket, by key: ChainKey, to node: TestNode) -> Ticket {
        let memory = Memory(4096)
        var arena = Arena(memory.region)
        let tickets = arena.column(Ticket.self, 1)
        let ids = arena.column(Bytes32.self, 1)
        let domains = arena.column(Bytes32.self, 1)
        let hashes = arena.column(Bytes32.self, 1)
        tickets[0] = ticket
        ids[0] = TicketDomain.channelID(
            source: key.address,
            destination: node.chainKey.address
        )
        domains[0] = TicketDomain.separator(domain, rule: .commitment, ticketEpoch: 1)
        lanes.hash(tickets, channelIDs: ids, domains: domains, lanes: 1, into: hashes)
        _ = lanes.sign(tickets, hashes: hashes, key: key.secretScalar, lanes: 1)
        return tickets[0]
    }

    /// A packet whose first node is 1, built from the sender's side.
    func packet(_ recipe: Recipe) -> [UInt8] { build(recipe).bytes }

    /// Runs one packet at a node and returns its verdict; checks that a refusal changed nothing.
    func verdict(
        _ recipe: Recipe,
        at node: Int = 1,
        from: Int = 0,
        now: UInt64 = 1_000
    ) -> (code: Drop, changed: Bool) {
        verdict(packet(recipe), at: node, from: from, now: now)
    }

    /// The same for bytes.
    func verdict(
        _ bytes: [UInt8],
        at node: Int = 1,
        from: Int = 0,
        now: UInt64 = 1_000
    ) -> (code: Drop, changed: Bool) {
        let before = nodes[node].state
        let reported = nodes[node].drain().count
        let result = nodes[node].process(bytes, from: nodes[from].keyID, now: now)
        let after = nodes[node].state
        let told = nodes[node].drain().count
        precondition(reported == 0 || told >= 0)
        return (result.verdicts[0], before != after || told != 0)
    }
}
