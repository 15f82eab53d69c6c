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
        var path = PathSecrets()
        let exponent = Lanes(scratch.exponent)
        let alpha = Lanes(scratch.alpha)
        Kernels.scalarClampReduce(Lanes(seed), out: exponent, live: 1)
        Kernels.edwardsMulBase(scalar: exponent, out: alpha, live: 1)
        path.alpha = scratch.alpha[0]
        for node in 0..<nodes.count {
            scratch.publicKey[0] = nodes.publicKeys[node]
            guard step(scratch, isLast: node == nodes.count - 1) else { return PathSecrets() }
            scratch.secret[node] = scratch.shared[0]
            path.secrets[node] = scratch.shared[0]
        }
        path.count = nodes.count
        guard halfKeys else { return path }
        Kernels.halfKeys(
            secret: Lanes(scratch.secret),
            own: Lanes(scratch.ownHalfKey),
            ack: Lanes(scratch.ackHalfKey),
            live: .first(nodes.count)
        )
        for node in 0..<nodes.count {
            path.ownHalfKeys[node] = scratch.ownHalfKey[node]
            path.ackHalfKeys[node] = scratch.ackHalfKey[node]
        }
        return path
    }

    /// One node of `derive`: its secret to `shared`, then alpha and exponent for the next.
    @_noLocks
    private static func step(_ scratch: BuildScratch, isLast: Bool) -> Bool {
        let publicKey = Lanes(scratch.publicKey)
        let exponent = Lanes(scratch.exponent)
        let point = Lanes(scratch.point)
        guard Kernels.edwardsMul(publicKey, scalar: exponent, out: point, live: 1) == 1 else {
            return false
        }
        Kernels.derive(
            .sphinxSecret,
            salt: publicKey,
            saltBytes: 32,
            key: point,
            keyBytes: 32,
            out: Lanes(scratch.shared),
            outBytes: 32,
            live: 1
        )
        if isLast { return true }
        let blinding = Lanes(scratch.blinding)
        Kernels.derive(
            .sphinxBlinding,
            salt: Lanes(scratch.alpha),
            saltBytes: 32,
            key: point,
            keyBytes: 32,
            out: blinding,
            outBytes: 32,
            live: 1
        )
        Kernels.scalarClampReduce(blinding, out: blinding, live: 1)
        Kernels.scalarMul(exponent, blinding, out: exponent, live: 1)
        // The next alpha lies in the prime-order group, so it is a multiple of the base point.
        Kernels.edwardsMulBase(scalar: exponent, out: Lanes(scratch.alpha), live: 1)
        return true
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
        prepare(secrets, scratch)
        let work = scratch.header
        let last = nodes.count - 1
        let ownBytes = 19 + paddingBytes(nodes: nodes.count)
        work.store(PrefixByte(noAck: noAck, reply: reply, pathPosition: 0), 0)
        work.store(senderID, 1)
        work.copy(padding.slice(0, ownBytes - 19), to: 19)
        xor(work.slice(0, ownBytes), scratch.stream(last).slice(0, ownBytes))
        fill(work.slice(ownBytes, last * Geometry.entryBytes), scratch)
        authenticate(last, scratch)
        for position in 1..<4 where position <= last {
            let node = last - position
            shift(work)
            work.store(PrefixByte(noAck: noAck, reply: reply, pathPosition: position), 0)
            work.storeBigEndian(UInt64(nodes.keyIDs[node + 1]), 1, count: Geometry.keyIDBytes)
            work.store(scratch.mac[0], 5)
            work.store(proofs[node], 21)
            xor(
                work.slice(0, Geometry.headerBytes),
                scratch.stream(node).slice(0, Geometry.headerBytes)
            )
            authenticate(node, scratch)
        }
        var sealed = SealedHeader()
        sealed.bytes = work.load(0)
        sealed.mac = scratch.mac[0]
        return sealed
    }

    /// Key streams and MAC keys of all nodes.
    @_noLocks
    private static func prepare(_ secrets: borrowing PathSecrets, _ scratch: BuildScratch) {
        let live = LaneMask.first(secrets.count)
        for node in 0..<secrets.count { scratch.secret[node] = secrets.secrets[node] }
        let secret = Lanes(scratch.secret)
        let material = Lanes(scratch.payloadKey)
        Kernels.derive(
            .prg,
            key: secret,
            keyBytes: 32,
            out: material,
            outBytes: 44,
            live: live
        )
        Kernels.headerStream(
            material: material,
            out: Lanes(scratch.streams, stride: PeelScratch.headerStride),
            outBytes: Geometry.extendedHeaderBytes,
            live: live
        )
        Kernels.derive(
            .tag,
            key: secret,
            keyBytes: 32,
            out: Lanes(scratch.macKey),
            outBytes: 32,
            live: live
        )
    }

    /// What the last node sees behind its own part: the key streams of all nodes before it, as each
    /// one's shift brings them in.
    @_noLocks
    private static func fill(_ filler: Region, _ scratch: BuildScratch) {
        filler.fill(0)
        var length = 0
        var node = 0
        while length < filler.byteCount {
            length += Geometry.entryBytes
            let start = Geometry.extendedHeaderBytes - length
            xor(filler.slice(0, length), scratch.stream(node).slice(start, length))
            node += 1
        }
    }

    /// Makes room for one entry at the beginning; what is pushed out at the end is filler.
    @_noLocks
    private static func shift(_ work: Region) {
        var index = Geometry.headerBytes - 1
        while index >= Geometry.entryBytes {
            work.store(work.byte(index - Geometry.entryBytes), index)
            index -= 1
        }
    }

    @_noLocks
    private static func authenticate(_ node: Int, _ scratch: BuildScratch) {
        Kernels.headerMAC(
            key: Lanes(scratch.macKey.region(node)),
            Lanes(scratch.header),
            count: Geometry.headerBytes,
            out: Lanes(scratch.mac),
            live: 1
        )
    }

    @_noLocks
    private static func xor(_ target: Region, _ mask: Region) {
        for index in 0..<target.byteCount {
            target.store(target.byte(index) ^ mask.byte(index), index)
        }
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
        encrypt(payload, secrets.secrets, count: secrets.count, scratch)
    }

    @_noLocks
    static func encrypt(
        _ payload: Region,
        _ secrets: borrowing [4 of Bytes32],
        count: Int,
        _ scratch: BuildScratch
    ) {
        var node = count - 1
        while node >= 0 {
            scratch.secret[0] = secrets[node]
            let material = Lanes(scratch.payloadKey)
            Kernels.derive(
                .prp,
                key: Lanes(scratch.secret),
                keyBytes: 32,
                out: material,
                outBytes: 152,
                live: 1
            )
            Kernels.lionessForward(
                material: material,
                block: Lanes(payload),
                count: payload.byteCount,
                live: 1
            )
            node -= 1
        }
    }

    /// Writes alpha, header and MAC to a packet; payload and ticket have their places behind.
    @_noLocks
    public static func write(alpha: Bytes32, header: borrowing SealedHeader, to packet: Region) {
        packet.store(alpha, 0)
        packet.store(header.bytes, Geometry.headerOffset)
        packet.store(header.mac, Geometry.macOffset)
    }
}
