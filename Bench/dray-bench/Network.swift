import Bytes
import Crypto
import Exchange
import Load
import Sphinx
import Tickets

extension Identity {
    init(_ index: Int) {
        let seed = Memory(32)
        seed.region.fill(UInt8(17 + index))
        self.init(
            seed: seed.region,
            keyID: UInt32(100 + index),
            endpoint: Endpoint(ipv4: 127, 0, 0, 1, port: UInt16(9_000 + index))
        )
    }
}

/// A sender (0), three relays (1 to 3) and an exit (4), and packets from the one to the other.
final class Network {
    static let price: UInt128 = 100
    static let channelEpoch: UInt32 = 7
    let geometry = Geometry.head
    let nodes = (0..<5).map { Identity($0) }
    let domain = TicketDomain.separator(chainID: 31_337, contract: Address())
    var source = Source()
    private let buildMemory: Memory
    let building: BuildScratch

    init() {
        var measure = Arena()
        _ = BuildScratch(&measure)
        buildMemory = Memory(measure.used)
        var arena = Arena(buildMemory.region)
        building = BuildScratch(&arena)
    }

    /// The channel between two nodes.
    func channelID(_ from: Int, _ to: Int) -> Bytes32 {
        TicketDomain.channelID(
            source: nodes[from].chainKey.address,
            destination: nodes[to].chainKey.address
        )
    }

    /// What tickets of a channel are hashed with.
    var ticketDomain: Bytes32 {
        TicketDomain.separator(domain, rule: .commitment, ticketEpoch: 1)
    }

    /// The path over all relays to the exit.
    var path: PathNodes {
        var path = PathNodes()
        for node in nodes[1...] {
            _ = path.append(keyID: node.keyID, publicKey: node.packetKey.publicKey)
        }
        return path
    }

    /// A packet for node 1 as its sender knows it.
    struct Packet {
        let secrets: PathSecrets
        let plan: ProofPlan
        let ticket: Ticket
    }

    /// Builds a packet for node 1 with the ticket of that index.
    func packet(index: UInt64, into packet: Region) -> Packet {
        var seed = source.bytes(32)
        let secrets = seed.withRegion { Build.derive(seed: $0, nodes: path, scratch: building) }
        let plan = plan(secrets)
        guard let senderID = SenderID(source.bytes(18)) else { fatalError("length") }
        var padding = source.bytes(222)
        let header = padding.withRegion {
            Build.seal(
                secrets: secrets,
                nodes: path,
                proofs: plan.strings,
                noAck: false,
                reply: false,
                senderID: senderID,
                padding: $0,
                scratch: building
            )
        }
        Build.write(alpha: secrets.alpha, header: header, to: packet)
        let payload = packet.slice(Geometry.payloadOffset, geometry.payloadBytes)
        payload.fill(0)
        payload.store(bytes: [Padding.marker, 0] + source.bytes(800), payload.byteCount - 802)
        Build.encrypt(payload: payload, secrets: secrets, scratch: building)

        var ticket = Ticket.zeroHop(
            to: nodes[1].chainKey.address,
            challenge: plan.firstChallenge
        )
        ticket.index = index
        ticket.channelEpoch = Network.channelEpoch
        ticket.amount = Network.price * 3
        ticket.winProbability = .always
        ticket.sign(
            key: nodes[0].chainKey,
            channelID: channelID(0, 1),
            domain: ticketDomain,
            selector: geometry.ticketSelector
        )
        ticket.write(to: packet.slice(geometry.ticketOffset, Ticket.byteCount))
        return Packet(secrets: secrets, plan: plan, ticket: ticket)
    }

    /// The proof-of-relay strings of a path.
    func plan(_ secrets: PathSecrets) -> ProofPlan {
        var plan = ProofPlan()
        let made = ProofOfRelay.plan(
            ownHalfKeys: secrets.ownHalfKeys,
            ackHalfKeys: secrets.ackHalfKeys,
            count: secrets.count,
            lastChallenge: Address(),
            curve: .shared,
            into: &plan
        )
        precondition(made, "no plan")
        return plan
    }

    /// What a node knows: its neighbours and a channel each way to each of them. Slot 2j is paid by
    /// node j, slot 2j + 1 pays it.
    ///
    /// It names the tables of all issuers and neighbours.
    func snapshot(of own: Int, tables: NetworkTables) -> Memory {
        let me = nodes[own]
        var builder = SnapshotBuilder(
            current: PacketIdentity(
                keyID: me.keyID,
                publicKey: me.packetKey.publicKey,
                scalar: me.packetKey.scalar.load(0),
                secretKey: me.packetKey.signingKey.load(0)
            ),
            chainAddress: me.chainKey.address,
            chainKey: me.chainKey.secretScalar.load(0),
            domain: domain,
            policy: Policy(price: Network.price),
            hash: KeyedHash(3, 4)
        )
        builder.signers = tables.signers.tables
        builder.verifiers = tables.verifiers.tables
        for (index, node) in nodes.enumerated() where index != own {
            var row = NodeRow(
                keyID: node.keyID,
                packetKey: node.packetKey.publicKey,
                chainAddress: node.chainKey.address,
                endpoint: node.endpoint
            )
            row.verifier = tables.verifiers.place(of: TableCache.key(row.packetKey))
            builder.nodes.append(row)
            let slot = UInt32(2 * index)
            var incoming = channel(index, own, .incoming, peer: node)
            incoming.signer = tables.signers.place(of: node.chainKey.affine)
            builder.channels[slot] = incoming
            builder.channels[slot + 1] = channel(own, index, .outgoing, peer: node)
        }
        return builder.build()
    }

    private func channel(
        _ from: Int,
        _ to: Int,
        _ direction: ChannelDirection,
        peer: Identity
    ) -> ChannelRow {
        ChannelRow(
            direction: direction,
            peer: peer.chainKey.address,
            channelID: channelID(from, to),
            domain: ticketDomain,
            channelEpoch: Network.channelEpoch,
            ticketEpoch: 1,
            status: .open,
            rule: .commitment,
            balance: 1_000_000_000
        )
    }
}

extension PacketKey {
    /// The public key where it lies.
    var publicKeyRegion: Region { signingKey.slice(32, 32) }
}
