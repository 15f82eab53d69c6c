public import Bytes
internal import Crypto

/// What a sender knows about one path: first alpha, and each node's secret and half-keys.
public struct PathSecrets: BitwiseCopyable, Sendable {
    /// Nodes, 1...4.
    public internal(set) var count = 0
    /// Alpha of the first node.
    public internal(set) var alpha = Bytes32()
    /// Shared secrets, first node first.
    public internal(set) var secrets = [4 of Bytes32](repeating: Bytes32())
    /// Own half-keys, first node first.
    public internal(set) var ownHalfKeys = [4 of Bytes32](repeating: Bytes32())
    /// Acknowledging half-keys, first node first.
    public internal(set) var ackHalfKeys = [4 of Bytes32](repeating: Bytes32())

    /// No path.
    @_noLocks
    public init() {}
}

/// One path as the header names it: key ids and public packet keys, first node first.
public struct PathNodes: BitwiseCopyable, Sendable {
    /// Nodes, 1...4, destination included.
    public private(set) var count = 0
    /// Key ids.
    public private(set) var keyIDs = [4 of UInt32](repeating: 0)
    /// Ed25519 public keys.
    public private(set) var publicKeys = [4 of Bytes32](repeating: Bytes32())

    /// No path yet.
    @_noLocks
    public init() {}

    /// Adds a node; false if the path is full.
    @_noLocks
    public mutating func append(keyID: UInt32, publicKey: Bytes32) -> Bool {
        guard count < Geometry.nodesMax else { return false }
        keyIDs[count] = keyID
        publicKeys[count] = publicKey
        count += 1
        return true
    }
}

/// A finished header and its MAC.
public struct SealedHeader: BitwiseCopyable, Sendable {
    /// Encrypted header.
    public internal(set) var bytes = FixedBytes<241>()
    /// Its MAC.
    public internal(set) var mac = Bytes16()

    /// All zero.
    @_noLocks
    public init() {}
}

/// Makes packets. Proof-of-relay strings come from the caller, between the two steps:
/// `derive` the path's secrets, make the strings from the half-keys, `seal` the header.
///
/// Every step there is for one packet, and for up to 64 at once in the columns of `BuildScratch`.
/// The kernels take many lanes in little more time than one, so whoever has many packets to make
/// makes them together. The results are the same bytes.
public enum Build {
    /// Derives a path's secrets from 32 random bytes.
    ///
    /// - Parameter halfKeys: false if nobody will be paid on the path, so that none are needed.
    /// - Returns: no secrets (`count` 0) if a public key is no point.
    /// - Source: Sphinx (2009), forming a message; RFC-0004.
    @_noLocks
    public static func derive(
        seed: Region,
        nodes: PathNodes,
        halfKeys: Bool = true,
        scratch: BuildScratch
    ) -> PathSecrets {
        scratch.seed[0] = seed.load(0)
        scratch.nodes[0] = nodes
        guard derive(lanes: 1, halfKeys: halfKeys, scratch: scratch) == 1 else {
            return PathSecrets()
        }
        var path = scratch.path(lane: 0)
        if !halfKeys {
            // What an earlier path left.
            path.ownHalfKeys = [4 of Bytes32](repeating: Bytes32())
            path.ackHalfKeys = [4 of Bytes32](repeating: Bytes32())
        }
        return path
    }

    /// Makes the header of a path.
    ///
    /// - Parameters:
    ///   - proofs: one string for every node but the last.
    ///   - padding: at least `paddingBytes(nodes: count)` random bytes.
    /// - Source: Sphinx (2009), forming a header; RFC-0004.
    @_noLocks
    public static func seal(
        secrets: borrowing PathSecrets,
        nodes: borrowing PathNodes,
        proofs: borrowing [3 of ProofString],
        noAck: Bool,
        reply: Bool,
        senderID: SenderID,
        padding: Region,
        scratch: BuildScratch
    ) -> SealedHeader {
        let nodeCount = nodes.count
        let secretCount = secrets.count
        assert(secretCount == nodeCount && nodeCount >= 1)
        scratch.count[0] = nodeCount
        scratch.nodes[0] = copy nodes
        scratch.secrets[0] = secrets.secrets
        scratch.proofs[0] = copy proofs
        scratch.senderID[0] = senderID
        scratch.padding.region(0).copy(padding.slice(0, paddingBytes(nodes: nodeCount)), to: 0)
        seal(lanes: 1, noAck: noAck ? 1 : 0, reply: reply ? 1 : 0, scratch: scratch)
        return scratch.sealed(lane: 0)
    }

    /// Random bytes that `seal` needs: the header's unused room.
    @_noLocks
    public static func paddingBytes(nodes: Int) -> Int {
        (Geometry.nodesMax - nodes) * Geometry.entryBytes
    }

    /// Encrypts a padded payload block in place for all nodes of a path.
    @_noLocks
    public static func encrypt(
        payload: Region,
        secrets: borrowing PathSecrets,
        scratch: BuildScratch
    ) {
        scratch.count[0] = secrets.count
        scratch.secrets[0] = secrets.secrets
        let payloads = Payloads(payload, byteCount: payload.byteCount)
        encrypt(lanes: 1, payloads: payloads, scratch: scratch)
    }

    /// Writes alpha, header and MAC to a packet; payload and ticket have their places behind.
    @_noLocks
    public static func write(alpha: Bytes32, header: borrowing SealedHeader, to packet: Region) {
        packet.store(alpha, 0)
        packet.store(header.bytes, Geometry.headerOffset)
        packet.store(header.mac, Geometry.macOffset)
    }
}
