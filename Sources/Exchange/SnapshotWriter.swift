public import Bytes
internal import Crypto

/// Writes a snapshot row by row into memory that is there: allocates nothing.
public struct SnapshotWriter: Sendable {
    private let snapshot: Snapshot

    /// Bytes of a snapshot with this many rows.
    public static func byteCount(nodes: Int, channels: Int) -> Int {
        measure(nodes, channels).used
    }

    /// Digest of how snapshots are divided (`Arena.layout`).
    public static var layout: UInt64 { measure(1, 1).layout }

    private static func measure(_ nodes: Int, _ channels: Int) -> Arena {
        var arena = Arena()
        _ = Snapshot(
            &arena,
            region: .nowhere,
            nodes: nodes,
            channels: channels,
            index: indexCount(nodes)
        )
        return arena
    }

    private static func indexCount(_ nodes: Int) -> Int {
        var count = 16
        while count < 2 * nodes { count *= 2 }
        return count
    }

    /// Begins a snapshot in zeroed memory of `byteCount` bytes on a 64-byte boundary.
    public init(
        _ region: Region,
        nodes: Int,
        channels: Int,
        identity: SnapshotIdentity,
        policy: Policy,
        hash: KeyedHash
    ) {
        var arena = Arena(region)
        let index = SnapshotWriter.indexCount(nodes)
        snapshot = Snapshot(
            &arena,
            region: region,
            nodes: nodes,
            channels: channels,
            index: index
        )
        snapshot.headerColumn[0] = Snapshot.Header(
            byteCount: arena.used,
            nodeCount: nodes,
            channelCount: channels,
            indexCount: index,
            hash: hash,
            keyIDs: [identity.current.keyID, identity.current.keyID],
            hasPrevious: 0,
            chainAddress: identity.chainAddress,
            policy: policy,
            domain: identity.domain
        )
        set(identity: identity)
    }

    /// Reopens a snapshot to change it in place; only where no other thread reads it.
    public init(_ snapshot: Snapshot) { self.snapshot = snapshot }

    /// Sets who we are; the chain address must be the one that the rows were written under.
    public func set(identity: SnapshotIdentity) {
        let previous = identity.previous ?? identity.current
        var header = snapshot.headerColumn[0]
        header.keyIDs = [identity.current.keyID, previous.keyID]
        header.hasPrevious = identity.previous == nil ? 0 : 1
        header.domain = identity.domain
        snapshot.headerColumn[0] = header
        set(identity.current, 0)
        set(previous, 1)
        snapshot.chainKey[0] = identity.chainKey
    }

    /// The snapshot names no tables any more: for memory of another process.
    public func forgetTables() {
        set(signers: .none, verifiers: .none)
        for node in 0..<snapshot.nodes.count { snapshot.nodes[node].verifier = Snapshot.none }
        for slot in 0..<snapshot.channels.count { snapshot.channels[slot].signer = Snapshot.none }
    }

    /// Sets where the tables lie that rows name.
    public func set(signers: KeyTables, verifiers: KeyTables) {
        var header = snapshot.headerColumn[0]
        header.signers = signers
        header.verifiers = verifiers
        snapshot.headerColumn[0] = header
    }

    private func set(_ key: PacketIdentity, _ place: Int) {
        snapshot.scalars[place] = key.scalar
        snapshot.publicKeys[place] = key.publicKey
        snapshot.signingKeys[place] = key.secretKey
    }

    /// Enters a node; each row once, before any channel.
    public func set(node: NodeRow, _ index: Int) {
        var row = node
        row.outgoingID = channelID(to: node.chainAddress)
        let twin = snapshot.node(chainAddress: node.chainAddress)
        if twin != Snapshot.none {
            // Rows of one node form a circle.
            var other = snapshot.nodes[Int(twin)]
            row.alias = other.alias == Snapshot.none ? twin : other.alias
            row.incoming = other.incoming
            row.outgoing = other.outgoing
            other.alias = UInt32(index)
            snapshot.nodes[Int(twin)] = other
        }
        snapshot.nodes[index] = row
        link(index, row)
    }

    private func channelID(to address: Address) -> Bytes32 {
        var (pair, id) = (FixedBytes<40>(), Bytes32())
        pair.withRegion { pair in
            pair.store(snapshot.headerColumn[0].chainAddress, 0)
            pair.store(address, 20)
            id.withRegion { Hash.keccak256(pair, into: $0) }
        }
        return id
    }

    /// Enters a node into the indices; the first of two with the same key stays.
    private func link(_ index: Int, _ node: NodeRow) {
        let hash = snapshot.headerColumn[0].hash
        let mark = UInt32(index) + 1
        if snapshot.node(keyID: node.keyID) == Snapshot.none {
            enter(mark, snapshot.byKey, Int(truncatingIfNeeded: hash.hash(UInt64(node.keyID))))
        }
        if snapshot.node(chainAddress: node.chainAddress) == Snapshot.none {
            enter(mark, snapshot.byAddress, addressPlace(hash, node.chainAddress))
        }
        if node.endpoint.family != 0, snapshot.node(endpoint: node.endpoint) == Snapshot.none {
            enter(mark, snapshot.byEndpoint, endpointPlace(hash, node.endpoint))
        }
    }

    private func enter(_ mark: UInt32, _ table: Column<UInt32>, _ start: Int) {
        let mask = table.count - 1
        var place = start & mask
        while table[place] != 0 { place = (place + 1) & mask }
        table[place] = mark
    }

    /// Enters a channel; its peer's rows learn the slot.
    public func set(channel: ChannelRow, slot: UInt32) {
        snapshot.channels[Int(slot)] = channel
        let first = snapshot.node(chainAddress: channel.peer)
        var index = first
        while index != Snapshot.none {
            var node = snapshot.nodes[Int(index)]
            if channel.directionValue == 0 {
                node.incoming = slot
            } else {
                node.outgoing = slot
            }
            snapshot.nodes[Int(index)] = node
            index = node.alias == first ? Snapshot.none : node.alias
        }
    }

    /// The finished snapshot.
    public func finish() -> Snapshot { snapshot }
}

/// Who we are, secrets included.
public struct SnapshotIdentity: BitwiseCopyable, Sendable {
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

    /// Who we are.
    public init(
        current: PacketIdentity,
        previous: PacketIdentity?,
        chainAddress: Address,
        chainKey: Bytes32,
        domain: Bytes32
    ) {
        self.current = current
        self.previous = previous
        self.chainAddress = chainAddress
        self.chainKey = chainKey
        self.domain = domain
    }
}
