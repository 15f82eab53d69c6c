public import Bytes

/// What the packet path knows about the world: immutable, flat, replaced as a whole.
///
/// Control builds one with `SnapshotBuilder`, publishes it through `SnapshotCell`, and frees it
/// when every worker has moved on. Channels are numbered by their slot in `ChannelBooks`, which
/// outlives snapshots; nodes by their place in the table, which may change from one snapshot to the
/// next, so what is remembered for longer than a batch is the key id.
public struct Snapshot: Sendable {
    /// No node, or no channel.
    @inlinable public static var none: UInt32 { @_noLocks get { .max } }

    /// Fixed-size beginning.
    public struct Header: BitwiseCopyable, Sendable {
        /// Bytes of the whole snapshot.
        public var byteCount: Int
        /// Rows of the node table.
        public var nodeCount: Int
        /// Rows of the channel table.
        public var channelCount: Int
        /// Entries of each hash index, a power of two.
        public var indexCount: Int
        /// Key of the hash indices.
        public var hash: KeyedHash
        /// Key ids of our packet keys: the current one, and the one still served for its grace.
        public var keyIDs: [2 of UInt32]
        /// 1 if the second packet key is served.
        public var hasPrevious: UInt8
        /// Our chain address.
        public var chainAddress: Address
        /// Prices.
        public var policy: Policy
        /// Plain domain separator of the settlement layer; that of zero-hop tickets.
        public var domain: Bytes32
        /// Tables of issuers, which channels name.
        public var signers = KeyTables.none
        /// Tables of neighbours, which nodes name.
        public var verifiers = KeyTables.none
    }

    /// All bytes.
    public let region: Region
    /// The header, one row.
    public let headerColumn: Column<Header>
    /// Sphinx scalars of our packet keys, current and previous; secret.
    public let scalars: Column<Bytes32>
    /// Their public keys.
    public let publicKeys: Column<Bytes32>
    /// Their Ed25519 signing keys (seed ‖ public key); secret.
    public let signingKeys: Column<Bytes64>
    /// Our chain key, one row; secret.
    public let chainKey: Column<Bytes32>
    /// Nodes by index.
    public let nodes: Column<NodeRow>
    /// Channels by slot.
    public let channels: Column<ChannelRow>
    let byKey: Column<UInt32>
    let byEndpoint: Column<UInt32>
    let byAddress: Column<UInt32>

    /// Opens the snapshot that a builder wrote at the start of `region`.
    public init(_ region: Region) {
        let header: Header = region.load(0)
        precondition(header.byteCount <= region.byteCount, "snapshot is cut off")
        var arena = Arena(region)
        self.init(
            &arena,
            region: region,
            nodes: header.nodeCount,
            channels: header.channelCount,
            index: header.indexCount
        )
    }

    init(_ arena: inout Arena, region: Region, nodes: Int, channels: Int, index: Int) {
        self.region = region
        headerColumn = arena.column(Header.self, 1)
        scalars = arena.column(Bytes32.self, 2)
        publicKeys = arena.column(Bytes32.self, 2)
        signingKeys = arena.column(Bytes64.self, 2)
        chainKey = arena.column(Bytes32.self, 1)
        self.nodes = arena.column(NodeRow.self, nodes)
        self.channels = arena.column(ChannelRow.self, channels)
        byKey = arena.column(UInt32.self, index)
        byEndpoint = arena.column(UInt32.self, index)
        byAddress = arena.column(UInt32.self, index)
    }

    /// The header.
    public var header: Header {
        @_noLocks
        get { headerColumn[0] }
    }

    /// Our packet keys, the current one first.
    public var identities: [PacketIdentity] {
        (0..<(header.hasPrevious == 1 ? 2 : 1)).map {
            PacketIdentity(
                keyID: header.keyIDs[$0],
                publicKey: publicKeys[$0],
                scalar: scalars[$0],
                secretKey: signingKeys[$0]
            )
        }
    }

    /// Changes the prices in place; only where no other thread reads the snapshot.
    public func update(policy: Policy) {
        var header = headerColumn[0]
        header.policy = policy
        headerColumn[0] = header
    }

    /// Where in the node table a key id stands; `none` if unknown.
    @_noLocks
    public func node(keyID: UInt32) -> UInt32 {
        let mask = byKey.count - 1
        var place = Int(truncatingIfNeeded: headerColumn[0].hash.hash(UInt64(keyID))) & mask
        while byKey[place] != 0 {
            let index = byKey[place] - 1
            if nodes[Int(index)].keyID == keyID { return index }
            place = (place + 1) & mask
        }
        return Snapshot.none
    }

    /// The node registered at an address; `none` if nobody is.
    @_noLocks
    public func node(endpoint: Endpoint) -> UInt32 {
        let mask = byEndpoint.count - 1
        var place = endpointPlace(headerColumn[0].hash, endpoint) & mask
        while byEndpoint[place] != 0 {
            let index = byEndpoint[place] - 1
            if nodes[Int(index)].endpoint.equals(endpoint) { return index }
            place = (place + 1) & mask
        }
        return Snapshot.none
    }

    /// The first row of the node with a chain address; `none` if there is none.
    public func node(chainAddress: Address) -> UInt32 {
        let mask = byAddress.count - 1
        var place = addressPlace(headerColumn[0].hash, chainAddress) & mask
        while byAddress[place] != 0 {
            let index = byAddress[place] - 1
            if nodes[Int(index)].chainAddress == chainAddress { return index }
            place = (place + 1) & mask
        }
        return Snapshot.none
    }
}

func addressPlace(_ hash: KeyedHash, _ address: Address) -> Int {
    var address = address
    return address.withRegion { bytes in
        let last = bytes.bigEndian(16, count: 4)
        return Int(
            truncatingIfNeeded: hash.hash(
                bytes.bigEndian(0, count: 8),
                bytes.bigEndian(8, count: 8),
                last
            )
        )
    }
}

@_noLocks
func endpointPlace(_ hash: KeyedHash, _ endpoint: Endpoint) -> Int {
    let words = endpoint.words
    let rest = UInt64(endpoint.port) << 8 | UInt64(endpoint.family)
    return Int(truncatingIfNeeded: hash.hash(words.0, words.1, rest))
}
