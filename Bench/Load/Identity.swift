public import Bytes
public import Crypto
public import Exchange

/// Who a node is.
public struct Identity: Sendable {
    /// Packet key.
    public let packetKey: PacketKey
    /// Chain key.
    public let chainKey: ChainKey
    /// Key id of the packet key.
    public let keyID: UInt32
    /// Where it receives.
    public let endpoint: Endpoint

    /// A node whose two keys are made of 32 bytes.
    public init(seed: Region, keyID: UInt32, endpoint: Endpoint) {
        guard let chainKey = ChainKey(secret: seed) else { fatalError("no scalar") }
        self.chainKey = chainKey
        packetKey = PacketKey(seed: seed)
        self.keyID = keyID
        self.endpoint = endpoint
    }
}

/// Tables of nodes' keys, as a daemon would have made them.
public final class NetworkTables: Sendable {
    /// Of chain keys.
    public let signers: TableCache
    /// Of packet keys.
    public let verifiers: TableCache
    private let memory: Memory

    /// Makes the tables of all nodes.
    public init(_ nodes: [Identity]) {
        memory = Memory(
            TableCache.byteCount(.signer, places: nodes.count)
                + TableCache.byteCount(.verifier, places: nodes.count)
        )
        var arena = Arena(memory.region)
        let hash = KeyedHash(5, 6)
        signers = TableCache(&arena, .signer, places: nodes.count, hash: hash)
        verifiers = TableCache(&arena, .verifier, places: nodes.count, hash: hash)
        for node in nodes {
            add(node.chainKey.affine, to: signers)
            add(TableCache.key(node.packetKey.publicKey), to: verifiers)
        }
    }

    private func add(_ key: Bytes64, to cache: TableCache) {
        let place = cache.claim(key)
        let isBuilt = cache.build(place)
        precondition(isBuilt, "a key is none")
        cache.finish(place, isBuilt: isBuilt)
    }
}
