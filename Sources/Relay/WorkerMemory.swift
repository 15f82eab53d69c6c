internal import Bytes
internal import Crypto
internal import Datapath
internal import Engine
internal import Exchange
internal import Link
internal import Sphinx
internal import Tickets

/// How a worker's memory is divided: computed and taken at start, never again.
struct WorkerMemory {
    let port: Region
    let slab: Slab
    let engine: Region
    let wheel: TimingWheel
    let delays: DelayDraw
    let queue: FairQueue
    let budget: CPUBudget
    let shed: LinkShed
    let duplicates: DuplicateFilter
    let groups: HopGroups
    let acks: AckQueue
    let pongs: Pongs
    let pace: PaceQueue
    let frames: Region
    let notes: Column<SlotNote>
    let waiting: Column<UInt32>
    let outgoing: Column<UInt32>
    let hops: Column<UInt32>
    let ackText: Region
    let random: Region
    let poolMemory: Region
    let note: Column<WorkerNote>

    static func byteCount(for config: WorkerConfig, links: LinkSize) -> Int {
        var arena = Arena()
        _ = WorkerMemory(&arena, config, links: links)
        return arena.used
    }

    init(_ arena: inout Arena, _ config: WorkerConfig, links: LinkSize) {
        let geometry = config.engine.geometry
        let stride = (geometry.packetBytes + 63) & ~63
        port = arena.region(Port.byteCount(for: config.port))
        slab = Slab(region: arena.region(config.slots * stride), stride: stride)
        poolMemory = arena.region(SlotPool.byteCount(slots: config.slots))
        engine = arena.region(Engine.byteCount(for: config.engine))
        wheel = TimingWheel(
            &arena,
            slots: config.slots,
            tickNanos: config.tickNanos,
            horizonNanos: config.mixing.maxNanos
        )
        delays = DelayDraw(&arena, config.mixing)
        queue = FairQueue(
            &arena,
            slots: config.slots,
            rows: links.peers,
            limits: config.queue,
            costs: config.costs
        )
        budget = CPUBudget(&arena, rows: links.peers, limits: config.budget)
        shed = LinkShed(&arena, rows: links.peers, limits: config.shed)
        duplicates = DuplicateFilter(
            &arena,
            capacity: config.duplicates,
            hash: config.engine.hash,
            packetBytes: geometry.packetBytes
        )
        groups = HopGroups(&arena, rows: links.peers, capacity: Worker.outgoingMax)
        let ackCapacity = geometry.ackCapacity
        let isPaced = config.constantRate > 0
        acks = AckQueue(
            &arena,
            rows: links.peers,
            capacity: isPaced ? ackCapacity * WorkerConfig.pacedAckFrames : ackCapacity,
            waitNanos: config.ackWaitNanos
        )
        pongs = Pongs(&arena, rows: links.peers)
        pace = PaceQueue(
            &arena,
            slots: config.slots,
            rows: links.peers,
            most: isPaced ? config.pacedMax : 0
        )
        frames = arena.region(FrameReader.byteCount(for: config.frames))
        notes = arena.column(SlotNote.self, config.slots)
        waiting = arena.column(UInt32.self, Batch.capacity)
        outgoing = arena.column(UInt32.self, Worker.outgoingMax)
        hops = arena.column(UInt32.self, Worker.outgoingMax)
        ackText = arena.region(Acknowledgements.textBytes(count: ackCapacity))
        random = arena.region(RandomStream.byteCount)
        note = arena.column(WorkerNote.self, 1)
    }
}

/// What is kept of the packet in a slot, from its arrival until it is sent.
struct SlotNote: BitwiseCopyable {
    /// Key id of the neighbour it came from; once it was accepted, of the one it goes to.
    var keyID: UInt32
    /// When it came; 0 for packets of our own.
    var cameNanos: UInt64
    /// Since when it waits for a link; 0 if it does not.
    var waitsNanos: UInt64 = 0

    @_noLocks
    init(keyID: UInt32, cameNanos: UInt64) {
        self.keyID = keyID
        self.cameNanos = cameNanos
    }
}
