public import Bytes
internal import Crypto
public import Datapath
public import Engine
public import Exchange
internal import Link
internal import Sphinx

/// What a worker shares with the node: handed over when it is made.
public struct WorkerParts: Sendable {
    /// Channels, shared by all workers.
    public var books: ChannelBooks
    /// Tags under the current packet key, shared by all workers.
    public var replay: ReplaySet
    /// Tags under the previous packet key, while that is served.
    public var previousReplay: ReplaySet?
    /// The worker's reader.
    public var snapshots: SnapshotReader
    /// Ring to control.
    public var reports: Region
    /// Ring from control.
    public var commands: Region
    /// The worker's counters.
    public var counters: Region
    /// The worker's board.
    public var board: WorkerBoard
    /// Ring of acknowledgements that the worker before could not place; nil for a single worker.
    public var inbox: Region?
    /// Ring to the next worker; nil for a single worker.
    public var outbox: Region?

    /// Parts of a single worker.
    public init(
        books: ChannelBooks,
        replay: ReplaySet,
        snapshots: SnapshotReader,
        reports: Region,
        commands: Region,
        counters: Region,
        board: WorkerBoard
    ) {
        self.books = books
        self.replay = replay
        self.snapshots = snapshots
        self.reports = reports
        self.commands = commands
        self.counters = counters
        self.board = board
    }
}

/// One pinned thread's share of the relay.
///
/// Everything below `turn` runs to completion: nothing allocates, locks, retains or throws, and
/// nothing waits but `receive`.
public struct Worker: ~Copyable {
    /// Most packets sent in one turn.
    static var outgoingMax: Int { @_noLocks get { 256 } }

    // The ring ends before the socket closes, and both before the memory goes.
    let ring: Ring
    let socket: DatagramSocket
    let pages: MappedPages

    let config: WorkerConfig
    let packetBytes: Int
    let slab: Slab
    let link: ClearLink
    let wheel: TimingWheel
    let acks: AckQueue
    let budget: PeerBudget
    let notes: Column<SlotNote>
    let sources: Column<DatagramAddress>
    let outgoing: Column<UInt32>
    let lengths: Column<UInt32>
    let counters: Counters
    let board: WorkerBoard

    var engine: Engine
    var batch = Batch()
    var pool: SlotPool
    var snapshots: SnapshotReader
    var snapshot: Snapshot
    var commands: CommandReader
    var inbox: RingReader?
    var random: RandomStream
    var outgoingCount = 0
    var commandsWait = false
    var load = 0
    var stopNanos: UInt64 = 0
    var boardNanos: UInt64 = 0
    var sendErrorsSeen: UInt64 = 0
    var allocatedWarm = -1
    var turns: UInt64 = 0

    /// Takes all the memory that a worker needs. It runs on the thread that calls `start`.
    public init(
        _ config: WorkerConfig,
        socket: consuming DatagramSocket,
        parts: WorkerParts
    ) throws(DatapathError) {
        precondition(config.mixerCapacity <= config.mixerCapacityMax, "mixer too large")
        let pages = try MappedPages(WorkerMemory.byteCount(for: config))
        var arena = Arena(pages.region)
        let memory = WorkerMemory(&arena, config)
        memory.wheel.clear(nowNanos: Host.nanos())
        memory.acks.clear()
        ring = try Ring(
            slab: memory.slab,
            buffers: config.receiveBuffers,
            sends: Worker.outgoingMax
        )
        self.socket = socket
        self.pages = pages
        self.config = config
        packetBytes = config.engine.geometry.packetBytes
        slab = memory.slab
        link = ClearLink(packetBytes: packetBytes)
        wheel = memory.wheel
        acks = memory.acks
        budget = memory.budget
        notes = memory.notes
        sources = memory.sources
        outgoing = memory.outgoing
        lengths = memory.lengths
        counters = Counters(parts.counters)
        board = parts.board
        engine = Worker.makeEngine(config.engine, memory.engine, parts)
        pool = SlotPool(memory.poolMemory, count: config.slots)
        snapshots = parts.snapshots
        snapshot = snapshots.current()
        commands = CommandReader(parts.commands)
        inbox = parts.inbox.map { RingReader($0) }
        let seed = Memory(32)
        Random.fill(seed.region)
        random = RandomStream(in: memory.random, seed: seed.region)
        withExtendedLifetime(seed) {}
    }

    private static func makeEngine(
        _ config: EngineConfig,
        _ memory: Region,
        _ parts: WorkerParts
    ) -> Engine {
        let seed = Memory(32)
        Random.fill(seed.region)
        defer { withExtendedLifetime(seed) {} }
        var engine = Engine(
            memory,
            config: config,
            seed: seed.region,
            books: parts.books,
            replay: parts.replay,
            reports: parts.reports,
            counters: parts.counters
        )
        engine.previousReplay = parts.previousReplay
        engine.others = parts.outbox.map { RingWriter($0) }
        return engine
    }

    deinit { engine.wipe() }

    /// Makes the calling thread the worker's.
    public func start() throws(DatapathError) {
        try ring.start(socket)
        board.set(.running)
    }

    /// Where it receives.
    public var address: DatagramAddress { socket.address }

    /// Ends the wait of `turn` from any thread, as long as the worker lives.
    public var waker: RingWaker { ring.waker }

    /// The life of a packet, top to bottom.
    @_noLocks
    public mutating func turn() {
        receive()
        open()
        admit()
        peel()
        dedupe()
        settle()
        acknowledge()
        hold()
        intake()
        seal()
        send()
        housekeep()
    }

    /// True when it has stopped: drained, or its ring failed.
    public var isDone: Bool { board.state == .done || board.state == .failed }
}
