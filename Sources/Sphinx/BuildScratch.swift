public import Bytes
internal import Crypto

/// Working memory for building packets, SURBs and replies: columns, one entry a lane.
///
/// `Build` and `Reply` over lanes read what the caller has put into the first columns and leave
/// their results in the next ones. The calls for one packet do the same with lane 0.
///
/// Secrets stay here until `wipe`.
public struct BuildScratch: Sendable {
    /// Paths; `Build.derive` reads them, and `Build.seal` after it.
    public let nodes: Column<PathNodes>
    /// 32 random bytes a path, secret.
    public let seed: Column<Bytes32>
    /// Proof-of-relay strings, one for every node but the last.
    public let proofs: Column<[3 of ProofString]>
    /// Sender ids: of the packet's header, or of the SURB that a reply goes by.
    public let senderID: Column<SenderID>
    /// Random bytes for the header's unused room; `Build.paddingBytes` are read.
    public let padding: Column<FixedBytes<222>>
    /// Sender key of the SURB that a reply goes by, secret.
    public let senderKey: Column<Bytes16>

    /// Alpha of the first node.
    public let alpha: Column<Bytes32>
    /// Shared secrets, first node first.
    public let secrets: Column<[4 of Bytes32]>
    /// Own half-keys, first node first.
    public let ownHalfKeys: Column<[4 of Bytes32]>
    /// Acknowledging half-keys, first node first.
    public let ackHalfKeys: Column<[4 of Bytes32]>

    /// Nodes of each lane's path.
    let count: Column<Int>
    let exponent: Column<Bytes32>
    let alphaNext: Column<Bytes32>
    let publicKey: Column<Bytes32>
    let point: Column<Bytes32>
    let blinding: Column<Bytes32>
    let mac: Column<Bytes16>
    /// Headers in the making; `PeelScratch.headerStride` bytes a lane.
    let headers: Region
    let macKey: PairColumn
    let streamKey: PairColumn
    let streams: PairColumn
    let payloadKey: PairColumn

    /// Takes what is needed for `lanes` packets at once, at most 64, from an arena.
    public init(_ arena: inout Arena, lanes: Int = 1) {
        precondition(lanes >= 1 && lanes <= Batch.capacity)
        nodes = arena.column(PathNodes.self, lanes)
        seed = arena.column(Bytes32.self, lanes)
        proofs = arena.column([3 of ProofString].self, lanes)
        senderID = arena.column(SenderID.self, lanes)
        padding = arena.column(FixedBytes<222>.self, lanes)
        senderKey = arena.column(Bytes16.self, lanes)
        alpha = arena.column(Bytes32.self, lanes)
        secrets = arena.column([4 of Bytes32].self, lanes)
        ownHalfKeys = arena.column([4 of Bytes32].self, lanes)
        ackHalfKeys = arena.column([4 of Bytes32].self, lanes)
        count = arena.column(Int.self, lanes)
        exponent = arena.column(Bytes32.self, lanes)
        alphaNext = arena.column(Bytes32.self, lanes)
        publicKey = arena.column(Bytes32.self, lanes)
        point = arena.column(Bytes32.self, lanes)
        blinding = arena.column(Bytes32.self, lanes)
        mac = arena.column(Bytes16.self, lanes)
        headers = arena.region(lanes * PeelScratch.headerStride)
        macKey = PairColumn(&arena, lanes: lanes, stride: 32)
        streamKey = PairColumn(&arena, lanes: lanes, stride: 44)
        streams = PairColumn(&arena, lanes: lanes, stride: PeelScratch.headerStride)
        payloadKey = PairColumn(&arena, lanes: lanes, stride: 152)
    }

    /// Most lanes of a call.
    public var lanes: Int {
        @_noLocks
        get { nodes.count }
    }

    /// Overwrites every secret of every lane: seeds, sender keys, shared secrets, half-keys, and
    /// whatever was derived from them. Public results (alpha, header, MAC) stay.
    @_noLocks
    public func wipe() {
        zeroize(seed.region)
        zeroize(senderKey.region)
        zeroize(secrets.region)
        zeroize(ownHalfKeys.region)
        zeroize(ackHalfKeys.region)
        zeroize(exponent.region)
        zeroize(point.region)
        zeroize(blinding.region)
        zeroize(macKey.region)
        zeroize(streamKey.region)
        zeroize(streams.region)
        zeroize(payloadKey.region)
    }

    /// Puts what opens one reply into a lane, for `Reply.open`.
    @_noLocks
    public func put(_ opener: borrowing ReplyOpener, lane: Int) {
        count[lane] = opener.count
        secrets[lane] = opener.secrets
        senderID[lane] = opener.senderID
        senderKey[lane] = opener.senderKey
    }

    /// What is known of a lane's path, after `Build.derive` with half-keys.
    @_noLocks
    public func path(lane: Int) -> PathSecrets {
        var path = PathSecrets()
        path.count = count[lane]
        path.alpha = alpha[lane]
        for node in 0..<path.count {
            path.secrets[node] = secrets[lane][node]
            path.ownHalfKeys[node] = ownHalfKeys[lane][node]
            path.ackHalfKeys[node] = ackHalfKeys[lane][node]
        }
        return path
    }

    /// A lane's finished header, after `Build.seal`.
    @_noLocks
    public func sealed(lane: Int) -> SealedHeader {
        var sealed = SealedHeader()
        sealed.bytes = header(lane).load(0)
        sealed.mac = mac[lane]
        return sealed
    }

    /// A lane's header in the making.
    @_noLocks
    func header(_ lane: Int) -> Region {
        headers.slice(lane * PeelScratch.headerStride, PeelScratch.headerStride)
    }

    /// Those of `lanes` whose path has a node of that index.
    @_noLocks
    func reaching(_ node: Int, _ lanes: LaneMask) -> LaneMask {
        var reaching: LaneMask = 0
        var left = lanes
        while let lane = left.popFirst() {
            if count[lane] > node { reaching |= 1 << LaneMask(lane) }
        }
        return reaching
    }
}
