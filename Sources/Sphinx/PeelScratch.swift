public import Bytes

/// Sender id: pseudonym and SURB id.
public typealias SenderID = FixedBytes<18>
/// What a relay learns about payment: the next ticket's challenge and the hint.
public typealias ProofString = FixedBytes<53>
/// What a sender keeps about payment: path length, acknowledgement challenge, first ticket
/// challenge.
public typealias ProofValues = FixedBytes<54>

/// A node's secret scalar and public packet key, where they lie.
///
/// Both are 32 bytes; the scalar is little-endian and reduced.
public struct PeelKey {
    /// Node scalar, secret.
    public let scalar: Region
    /// Ed25519 public key.
    public let publicKey: Region

    /// Views a key that somebody else owns.
    @_noLocks
    public init(scalar: Region, publicKey: Region) {
        self.scalar = scalar
        self.publicKey = publicKey
    }
}

/// The columns that peeling fills and later stages read, one entry a lane.
public struct PeelScratch: Sendable {
    /// Shared secret.
    public let secret: Column<Bytes32>
    /// Replay tag.
    public let tag: Column<Bytes16>
    /// Prefix byte of the decrypted header.
    public let prefix: Column<PrefixByte>
    /// Next key id; relayed packets only.
    public let nextKeyID: Column<UInt32>
    /// Proof-of-relay string; relayed packets only.
    public let proof: Column<ProofString>
    /// Sender id; final packets only.
    public let senderID: Column<SenderID>
    /// Own half-key, big-endian.
    public let ownHalfKey: Column<Bytes32>
    /// Half-key that acknowledges the packet to the previous hop, big-endian.
    public let ackHalfKey: Column<Bytes32>

    let alphaNext: Column<Bytes32>
    let macKey: Column<Bytes32>
    let mac: Column<Bytes16>
    let streamKey: Column<FixedBytes<44>>
    let payloadKey: Column<FixedBytes<152>>
    /// Key stream, then the decrypted header; `headerStride` bytes a lane.
    let headers: Region

    static var headerStride: Int { @_noLocks get { 320 } }

    /// Takes the columns of one batch from an arena.
    public init(_ arena: inout Arena) {
        let lanes = Batch.capacity
        secret = arena.column(Bytes32.self, lanes)
        tag = arena.column(Bytes16.self, lanes)
        prefix = arena.column(PrefixByte.self, lanes)
        nextKeyID = arena.column(UInt32.self, lanes)
        proof = arena.column(ProofString.self, lanes)
        senderID = arena.column(SenderID.self, lanes)
        ownHalfKey = arena.column(Bytes32.self, lanes)
        ackHalfKey = arena.column(Bytes32.self, lanes)
        alphaNext = arena.column(Bytes32.self, lanes)
        macKey = arena.column(Bytes32.self, lanes)
        mac = arena.column(Bytes16.self, lanes)
        streamKey = arena.column(FixedBytes<44>.self, lanes)
        payloadKey = arena.column(FixedBytes<152>.self, lanes)
        headers = arena.region(lanes * PeelScratch.headerStride)
    }

    /// A lane's decrypted header, extended.
    @_noLocks
    func header(_ lane: Int) -> Region {
        headers.slice(lane * PeelScratch.headerStride, PeelScratch.headerStride)
    }
}

/// First byte of a decrypted header.
public struct PrefixByte: BitwiseCopyable, Sendable, Equatable {
    /// As on the wire.
    public let rawValue: UInt8

    /// Takes the byte as it is.
    @inlinable
    @_noLocks
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Version 1 with these flags.
    @inlinable
    @_noLocks
    public init(noAck: Bool, reply: Bool, pathPosition: Int) {
        rawValue =
            1 << 5 | (noAck ? 1 << 4 : 0) | (reply ? 1 << 3 : 0) | UInt8(pathPosition & 7)
    }

    /// Must be 1.
    @inlinable
    public var version: Int {
        @_noLocks
        get { Int(rawValue >> 5) }
    }

    /// The packet carries acknowledgements and wants none.
    @inlinable
    public var noAck: Bool {
        @_noLocks
        get { rawValue & 1 << 4 != 0 }
    }

    /// The packet was made with a SURB.
    @inlinable
    public var reply: Bool {
        @_noLocks
        get { rawValue & 1 << 3 != 0 }
    }

    /// Nodes still to come; 0 at the destination.
    @inlinable
    public var pathPosition: Int {
        @_noLocks
        get { Int(rawValue & 7) }
    }

    /// True at the destination.
    @inlinable
    public var isFinal: Bool {
        @_noLocks
        get { rawValue & 7 == 0 }
    }
}
