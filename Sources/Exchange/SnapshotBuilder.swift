public import Bytes
internal import Tickets

/// Builds a snapshot from ordinary values; control plane only.
public struct SnapshotBuilder: Sendable {
    /// Current packet key.
    public var current: PacketIdentity
    /// Packet key still served for its grace.
    public var previous: PacketIdentity?
    /// Our chain address.
    public var chainAddress: Address
    /// Our chain key.
    public var chainKey: Bytes32
    /// Plain domain separator of the settlement layer.
    public var domain: Bytes32
    /// Prices.
    public var policy: Policy
    /// Everybody in the register but ourselves.
    public var nodes: [NodeRow] = []
    /// Channels by their slot in the books.
    public var channels: [UInt32: ChannelRow] = [:]
    /// Key of the hash indices: fresh random words for each process.
    public var hash: KeyedHash

    /// A snapshot without nodes.
    public init(
        current: PacketIdentity,
        chainAddress: Address,
        chainKey: Bytes32,
        domain: Bytes32,
        policy: Policy,
        hash: KeyedHash
    ) {
        self.current = current
        self.chainAddress = chainAddress
        self.chainKey = chainKey
        self.domain = domain
        self.policy = policy
        self.hash = hash
    }

    /// Bytes that `write` needs.
    public var byteCount: Int {
        var arena = Arena()
        _ = layout(&arena, Region.nowhere)
        return arena.used
    }

    /// Writes the snapshot into zeroed memory of `byteCount` bytes on a 64-byte boundary.
    public func write(into region: Region) -> Snapshot {
        var arena = Arena(region)
        let snapshot = layout(&arena, region)
        snapshot.headerColumn[0] = header(byteCount: arena.used)
        for (index, key) in [current, previous ?? current].enumerated() {
            snapshot.scalars[index] = key.scalar
            snapshot.publicKeys[index] = key.publicKey
            snapshot.signingKeys[index] = key.secretKey
        }
        snapshot.chainKey[0] = chainKey
        for (index, node) in nodes.enumerated() {
            var row = node
            row.outgoingID = TicketDomain.channelID(
                source: chainAddress,
                destination: node.chainAddress
            )
            snapshot.nodes[index] = row
        }
        linkChannels(snapshot)
        for index in nodes.indices { link(snapshot, index) }
        return snapshot
    }

    /// Builds into memory of its own, which must be kept as long as the snapshot is used.
    public func build() -> Memory {
        let memory = Memory(byteCount)
        _ = write(into: memory.region)
        return memory
    }

    private var channelCount: Int { Int(channels.keys.max() ?? 0) + 1 }

    private var indexCount: Int {
        var count = 16
        while count < 2 * nodes.count { count *= 2 }
        return count
    }

    private func layout(_ arena: inout Arena, _ region: Region) -> Snapshot {
        Snapshot(
            &arena,
            region: region,
            nodes: nodes.count,
            channels: channelCount,
            index: indexCount
        )
    }

    private func header(byteCount: Int) -> Snapshot.Header {
        Snapshot.Header(
            byteCount: byteCount,
            nodeCount: nodes.count,
            channelCount: channelCount,
            indexCount: indexCount,
            hash: hash,
            keyIDs: [current.keyID, previous?.keyID ?? current.keyID],
            hasPrevious: previous == nil ? 0 : 1,
            chainAddress: chainAddress,
            policy: policy,
            domain: domain
        )
    }

    /// Copies the channels and tells each node its slots.
    private func linkChannels(_ snapshot: Snapshot) {
        var owner: [Address: [Int]] = [:]
        for (index, node) in nodes.enumerated() {
            owner[node.chainAddress, default: []].append(index)
        }
        for indices in owner.values where indices.count > 1 {
            for (place, index) in indices.enumerated() {
                var node = snapshot.nodes[index]
                node.alias = UInt32(indices[(place + 1) % indices.count])
                snapshot.nodes[index] = node
            }
        }
        for (slot, channel) in channels {
            snapshot.channels[Int(slot)] = channel
            for index in owner[channel.peer] ?? [] {
                var node = snapshot.nodes[index]
                if channel.directionValue == ChannelDirection.incoming.rawValue {
                    node.incoming = slot
                } else {
                    node.outgoing = slot
                }
                snapshot.nodes[index] = node
            }
        }
    }

    /// Enters a node into both hash indices; the first of two with the same key wins.
    private func link(_ snapshot: Snapshot, _ index: Int) {
        let mask = indexCount - 1
        let node = nodes[index]
        if snapshot.node(keyID: node.keyID) == Snapshot.none {
            var place = Int(truncatingIfNeeded: hash.hash(UInt64(node.keyID))) & mask
            while snapshot.byKey[place] != 0 { place = (place + 1) & mask }
            snapshot.byKey[place] = UInt32(index) + 1
        }
        guard node.endpoint.family != 0, snapshot.node(endpoint: node.endpoint) == Snapshot.none
        else { return }
        var place = endpointPlace(hash, node.endpoint) & mask
        while snapshot.byEndpoint[place] != 0 { place = (place + 1) & mask }
        snapshot.byEndpoint[place] = UInt32(index) + 1
    }
}
