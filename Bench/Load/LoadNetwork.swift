public import Bytes
internal import Crypto
internal import Exchange
internal import Tickets
internal import Sphinx

/// The relay under load, its neighbours, and whom the packets are for in the end.
public final class LoadNetwork: Sendable {
    static let price: UInt128 = 100
    static let channelEpoch: UInt32 = 7
    /// The neighbours' addresses: 127.1.0.1 and on. The whole network 127 is this machine.
    static let firstIP: UInt32 = 0x7f01_0001
    static let hash = KeyedHash(3, 4)

    /// What it was made for.
    public let plan: LoadPlan
    /// Port of all neighbours, each with an address of its own.
    public let port: UInt16
    /// The relay.
    public let relay: Identity
    /// Its neighbours, by their links.
    public let neighbours: [Identity]
    /// Where all packets end; no neighbour of the relay.
    public let exit: Identity
    /// Domain separator of the settlement layer.
    public let domain = TicketDomain.separator(chainID: 31_337, contract: Address())
    private let tables: NetworkTables

    /// A network whose neighbours all receive at one port of their addresses.
    public init(_ plan: LoadPlan, port: UInt16) {
        self.plan = plan
        self.port = port
        var source = Source(seed: plan.seed)
        func identity(_ keyID: Int, _ endpoint: Endpoint) -> Identity {
            let seed = Memory(32)
            source.fill(seed.region)
            // Below the order of the curve, and not zero.
            seed.region.store(UInt8(1), 0)
            return Identity(seed: seed.region, keyID: UInt32(keyID), endpoint: endpoint)
        }
        relay = identity(1, Endpoint())
        exit = identity(2, Endpoint())
        neighbours = (0..<plan.links).map { link in
            let ip = LoadNetwork.ip(link)
            return identity(
                100 + link,
                Endpoint(
                    ipv4: UInt8(ip >> 24),
                    UInt8(ip >> 16 & 255),
                    UInt8(ip >> 8 & 255),
                    UInt8(ip & 255),
                    port: port
                )
            )
        }
        tables = NetworkTables([relay] + neighbours)
    }

    /// Address of a neighbour.
    static func ip(_ link: Int) -> UInt32 { firstIP + UInt32(link) }

    /// Link of an address; nil if it is nobody's.
    func link(ip: UInt32) -> Int? {
        let link = Int(ip) - Int(LoadNetwork.firstIP)
        return link >= 0 && link < plan.links ? link : nil
    }

    /// What tickets of a channel are hashed with.
    var ticketDomain: Bytes32 {
        TicketDomain.separator(domain, rule: .commitment, ticketEpoch: 1)
    }

    /// The channel between two nodes.
    func channelID(_ source: Identity, _ destination: Identity) -> Bytes32 {
        TicketDomain.channelID(
            source: source.chainKey.address,
            destination: destination.chainKey.address
        )
    }

    /// Slots of a node's channel books: two for each node it knows.
    func slots(others: Int) -> Int { 2 * others }

    /// What the relay knows: all neighbours, and a channel each way to each of them.
    public func relaySnapshot() -> Memory { snapshot(of: relay, others: neighbours) }

    /// What a next hop knows: the relay and the exit.
    func nextHopSnapshot(_ nextHop: Int) -> Memory {
        snapshot(of: neighbours[plan.link(nextHop: nextHop)], others: [relay, exit])
    }

    /// Slot 2j is paid by node j, slot 2j + 1 pays it.
    private func snapshot(of own: Identity, others: [Identity]) -> Memory {
        var builder = SnapshotBuilder(
            current: PacketIdentity(
                keyID: own.keyID,
                publicKey: own.packetKey.publicKey,
                scalar: own.packetKey.scalar.load(0),
                secretKey: own.packetKey.signingKey.load(0)
            ),
            chainAddress: own.chainKey.address,
            chainKey: own.chainKey.secretScalar.load(0),
            domain: domain,
            policy: Policy(price: LoadNetwork.price),
            hash: LoadNetwork.hash
        )
        builder.signers = tables.signers.tables
        builder.verifiers = tables.verifiers.tables
        for (index, node) in others.enumerated() {
            var row = NodeRow(
                keyID: node.keyID,
                packetKey: node.packetKey.publicKey,
                chainAddress: node.chainKey.address,
                endpoint: node.endpoint
            )
            row.verifier = tables.verifiers.place(of: TableCache.key(row.packetKey))
            builder.nodes.append(row)
            let slot = UInt32(2 * index)
            var incoming = channel(node, own, .incoming, peer: node)
            incoming.signer = tables.signers.place(of: node.chainKey.affine)
            builder.channels[slot] = incoming
            builder.channels[slot + 1] = channel(own, node, .outgoing, peer: node)
        }
        return builder.build()
    }

    private func channel(
        _ from: Identity,
        _ to: Identity,
        _ direction: ChannelDirection,
        peer: Identity
    ) -> ChannelRow {
        ChannelRow(
            direction: direction,
            peer: peer.chainKey.address,
            channelID: channelID(from, to),
            domain: ticketDomain,
            channelEpoch: LoadNetwork.channelEpoch,
            ticketEpoch: 1,
            status: .open,
            rule: .commitment,
            balance: 1 << 60
        )
    }
}
