public import Bytes

/// Working memory for building one packet or SURB at a time.
public struct BuildScratch: Sendable {
    let work: Region

    /// Takes what one build needs from an arena.
    public init(_ arena: inout Arena) {
        work = arena.region(4096)
    }
}

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
public enum Build {
    /// Derives a path's secrets from 32 random bytes.
    ///
    /// - Returns: no secrets (`count` 0) if a public key is no point.
    @_noLocks
    public static func derive(
        seed: Bytes32,
        nodes: PathNodes,
        scratch: BuildScratch
    ) -> PathSecrets {
        PathSecrets()
    }

    /// Makes the header of a path.
    ///
    /// - Parameters:
    ///   - proofs: one string for every node but the last.
    ///   - padding: at least `paddingBytes(nodes: count)` random bytes.
    @_noLocks
    public static func seal(
        secrets: PathSecrets,
        nodes: PathNodes,
        proofs: [3 of ProofString],
        noAck: Bool,
        reply: Bool,
        senderID: SenderID,
        padding: Region,
        scratch: BuildScratch
    ) -> SealedHeader {
        SealedHeader()
    }

    /// Random bytes that `seal` needs: the header's unused room.
    @_noLocks
    public static func paddingBytes(nodes: Int) -> Int {
        (Geometry.nodesMax - nodes) * Geometry.entryBytes
    }

    /// Encrypts a padded payload block in place for all nodes of a path.
    @_noLocks
    public static func encrypt(payload: Region, secrets: PathSecrets, scratch: BuildScratch) {
    }

    /// Writes alpha, header and MAC to a packet; payload and ticket have their places behind.
    @_noLocks
    public static func write(alpha: Bytes32, header: SealedHeader, to packet: Region) {
        packet.store(alpha, 0)
        packet.store(header.bytes, Geometry.headerOffset)
        packet.store(header.mac, Geometry.macOffset)
    }

    /// Random bytes of one acknowledgement packet: seed, ticket challenge, sender id, padding.
    @inlinable public static var ackRandomBytes: Int { @_noLocks get { 32 + 20 + 18 + 222 } }

    /// Makes a packet that carries acknowledgements to a neighbour: one node, no SURB, none wanted back.
    ///
    /// - Parameters:
    ///   - plainText: u16 count and acknowledgements, at most `geometry.messageBytesMax` bytes.
    ///   - random: `ackRandomBytes`, used in the order seed, challenge, sender id, padding.
    ///   - packet: `geometry.packetBytes`; all is written but the ticket.
    /// - Returns: the challenge for the packet's ticket; nil if `publicKey` is no point.
    @_noLocks
    public static func ackPacket(
        to publicKey: Bytes32,
        plainText: Region,
        random: Region,
        geometry: Geometry,
        packet: Region,
        scratch: BuildScratch
    ) -> Address? {
        nil
    }
}
