public import Bytes
internal import Crypto
public import Exchange
internal import Sphinx
public import Tickets

/// The relay without its network: packets in, packets, acknowledgements and reports out.
///
/// Knows no socket, clock or file. All memory is handed in; nothing is allocated, locked or thrown
/// after that. One thread uses an engine; several engines share `ChannelBooks` and `ReplaySet`.
///
/// A batch goes through `admit`, `peel`, `dedupe` and `settle`, or through `process`, which is the
/// four in a row. Until `settle` decides, nothing but scratch memory changes; a refused packet
/// changes nothing but counters.
public struct Engine: ~Copyable {
    /// What it was made for.
    public let config: EngineConfig
    /// Shared by all engines of the node.
    public let books: ChannelBooks
    /// Tags seen under the current packet key.
    public var replay: ReplaySet
    /// Tags seen under the previous packet key, while that is served.
    public var previousReplay: ReplaySet?
    /// Written by this engine.
    public let counters: Counters
    /// To control.
    public var reports: ReportWriter
    /// To the next engine: acknowledgements that this one does not know.
    public var others: RingWriter?
    /// What became of the last batch.
    public internal(set) var outcome = Outcome()
    /// What must survive from batch to batch: for comparing in tests.
    public let state: Region

    var marks = Marks()
    var ackPackets = AckPackets()
    /// Acknowledgements on the desk that `takeCollected` has not seen.
    var collected = 0
    var random: RandomStream
    let tickets: TicketLanes
    let scratch: PeelScratch
    let building: BuildScratch
    let lanes: Lanes
    let nextHop: Column<UInt32>
    let answers: Column<Bytes32>
    let signedAnswers: Column<Acknowledgement>
    let desk: AckDesk
    let keys: KeyNews
    let table: UnackedTable
    let peers: PeerRows
    let ownTable: Region
    var ownTableAddress = Address()
    let entropy: Region
    let wiped: Region
    private let memory: Region

    /// Bytes of memory that an engine needs.
    public static func byteCount(for config: EngineConfig) -> Int {
        measure(config).byteCount
    }

    /// Digest of how an engine's memory is divided (`Arena.layout`).
    public static func layout(for config: EngineConfig) -> UInt64 { measure(config).layout }

    private static func measure(_ config: EngineConfig) -> (byteCount: Int, layout: UInt64) {
        var place = FixedBytes<512>()
        return place.withRegion { place in
            let start = Int(truncatingIfNeeded: (64 &- place.address % 64) % 64)
            let curve = Secp256k1(in: place.slice(start, Secp256k1.byteCount))
            var arena = Arena()
            _ = EngineMemory(&arena, config: config, curve: curve)
            return (arena.used, arena.layout)
        }
    }

    /// Makes an engine.
    ///
    /// - Parameters:
    ///   - memory: `byteCount(for:)` zero bytes on a 64-byte boundary; the engine's alone, not
    ///     moved.
    ///   - adopts: the memory is not zero but another engine's, of the same configuration, that
    ///     has ended between two batches: what it awaited is awaited by this one.
    ///   - seed: 32 random bytes; erased.
    ///   - reports: a ring of `RecordRing.byteCount` bytes, zeroed.
    ///   - counters: `Counters.byteCount` bytes.
    public init(
        _ memory: Region,
        config: EngineConfig,
        adopts: Bool = false,
        seed: Region,
        books: ChannelBooks,
        replay: ReplaySet,
        reports: Region,
        counters: Region
    ) {
        self.config = config
        self.memory = memory
        self.books = books
        self.replay = replay
        self.reports = ReportWriter(reports)
        self.counters = Counters(counters)
        var arena = Arena(memory)
        // The curve's context lies first; the layout must not move it.
        let curve = Secp256k1(in: memory.slice(0, Secp256k1.byteCount))
        let parts = EngineMemory(&arena, config: config, curve: curve)
        if !adopts { parts.table.clear() }
        state = memory.slice(parts.stateStart, parts.stateEnd - parts.stateStart)
        wiped = memory.slice(parts.scratchStart, arena.used - parts.scratchStart)
        random = RandomStream(in: parts.random, seed: seed)
        tickets = parts.tickets
        scratch = parts.scratch
        building = parts.building
        lanes = parts.lanes
        nextHop = parts.nextHop
        answers = parts.answers
        signedAnswers = parts.signedAnswers
        desk = parts.desk
        keys = parts.keys
        table = parts.table
        peers = parts.peers
        ownTable = parts.ownTable
        entropy = parts.entropy
        let blinding = entropy.slice(0, 32)
        random.fill(blinding)
        curve.randomise(seed: blinding)
        zeroize(blinding)
    }

    /// The life of a batch, top to bottom.
    ///
    /// - Parameters:
    ///   - batch: lanes with slot, length and previous hop; what comes out stands in `outcome`, in
    ///     the batch's verdicts and in the slots.
    ///   - mixerRoom: most packets that may be forwarded; negative while the node stops.
    @_noLocks
    public mutating func process(
        _ batch: inout Batch,
        slab: Slab,
        snapshot: Snapshot,
        mixerRoom: Int = .max
    ) {
        admit(&batch, slab: slab, snapshot: snapshot)
        peel(&batch, slab: slab, snapshot: snapshot)
        dedupe(&batch, snapshot: snapshot)
        settle(&batch, slab: slab, snapshot: snapshot, mixerRoom: mixerRoom)
    }

    /// Where a forwarded lane goes: a row of the snapshot's node table.
    @_noLocks
    public func nextNode(_ lane: Int) -> UInt32 { nextHop[lane] }

    /// The half-key that acknowledges a lane to its previous hop; valid until the next batch.
    @_noLocks
    public func ackKey(_ lane: Int) -> Bytes32 { answers[lane] }

    /// Makes the acknowledgements of all lanes that want one, signed together; for hosts that make
    /// their packets later (`acknowledgement`).
    @_noLocks
    public func signAnswers(snapshot: Snapshot) {
        guard outcome.acknowledge != 0 else { return }
        Acknowledgements.make(
            halfKeys: answers,
            signingKey: snapshot.signingKeys.region(0),
            lanes: outcome.acknowledge,
            into: signedAnswers
        )
    }

    /// What `signAnswers` made of a lane; valid until the next batch.
    @_noLocks
    public func acknowledgement(_ lane: Int) -> Acknowledgement { signedAnswers[lane] }

    /// Makes one acknowledgement, of a packet that control had decided about.
    @_noLocks
    public func sign(ackKey: Bytes32, snapshot: Snapshot) -> Acknowledgement {
        desk.acks.region(0).store(ackKey, 0)
        Acknowledgements.make(
            halfKey: desk.acks.region(0).slice(0, 32),
            signingKey: snapshot.signingKeys.region(0),
            into: desk.acks.region(1)
        )
        return desk.acks[1]
    }

    /// Acknowledgements that are awaited.
    public var awaited: Int {
        @_noLocks
        get { table.count }
    }

    /// Adds randomness to the engine's own: 32 bytes.
    @_noLocks
    public mutating func mix(seed: Region) { random.mix(seed: seed) }

    /// Serves the next packet key's replay set; the old one stays for the old key's grace.
    public mutating func rotate(to next: ReplaySet) {
        previousReplay = replay
        replay = next
    }

    /// Overwrites all memory; the engine must not be used afterwards.
    public func wipe() {
        zeroize(memory)
    }
}

/// How an engine's memory is divided: context, state that lives, scratch that a batch leaves
/// behind.
struct EngineMemory {
    let random: Region
    let tickets: TicketLanes
    let scratch: PeelScratch
    let building: BuildScratch
    let lanes: Lanes
    let nextHop: Column<UInt32>
    let answers: Column<Bytes32>
    let signedAnswers: Column<Acknowledgement>
    let desk: AckDesk
    let keys: KeyNews
    let table: UnackedTable
    let peers: PeerRows
    let ownTable: Region
    let entropy: Region
    let stateStart: Int
    let stateEnd: Int
    let scratchStart: Int

    init(_ arena: inout Arena, config: EngineConfig, curve: Secp256k1) {
        _ = arena.region(Secp256k1.byteCount)
        random = arena.region(RandomStream.byteCount)
        stateStart = arena.used
        table = UnackedTable(
            &arena,
            capacity: config.unackedCapacity,
            lifeNanos: config.ackTTLNanos,
            hash: config.hash
        )
        peers = PeerRows(&arena, count: config.peerRows, hash: config.hash)
        stateEnd = arena.used
        nextHop = arena.column(UInt32.self, Batch.capacity)
        answers = arena.column(Bytes32.self, Batch.capacity)
        signedAnswers = arena.column(Acknowledgement.self, Batch.capacity)
        desk = AckDesk(&arena, geometry: config.geometry)
        keys = KeyNews(&arena)
        building = BuildScratch(&arena, lanes: AckPackets.most)
        ownTable = arena.region(config.checksOwnTickets ? TicketLanes.ownTableBytes : 0)
        scratchStart = arena.used
        tickets = TicketLanes(
            &arena,
            curve: curve,
            selector: config.geometry.ticketSelector
        )
        scratch = PeelScratch(&arena)
        lanes = Lanes(&arena)
        entropy = arena.region(AckPacket.randomBytes)
    }
}
