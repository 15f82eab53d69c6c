public import Bytes

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
    /// Tables that channels name.
    public var signers = KeyTables.none
    /// Tables that nodes name.
    public var verifiers = KeyTables.none
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
        SnapshotWriter.byteCount(nodes: nodes.count, channels: channelCount)
    }

    private var channelCount: Int { Int(channels.keys.max() ?? 0) + 1 }

    /// Writes the snapshot into zeroed memory of `byteCount` bytes on a 64-byte boundary.
    public func write(into region: Region) -> Snapshot {
        let writer = SnapshotWriter(
            region,
            nodes: nodes.count,
            channels: channelCount,
            identity: SnapshotIdentity(
                current: current,
                previous: previous,
                chainAddress: chainAddress,
                chainKey: chainKey,
                domain: domain
            ),
            policy: policy,
            hash: hash
        )
        writer.set(signers: signers, verifiers: verifiers)
        for (index, node) in nodes.enumerated() { writer.set(node: node, index) }
        for (slot, channel) in channels { writer.set(channel: channel, slot: slot) }
        return writer.finish()
    }

    /// Builds into memory of its own, which must be kept as long as the snapshot is used.
    public func build() -> Memory {
        let memory = Memory(byteCount)
        _ = write(into: memory.region)
        return memory
    }
}
