public import Bytes
internal import Crypto
public import Datapath
public import Engine
public import Exchange
public import Link
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
    /// Packets from the worker before; nil for a single worker.
    public var spillIn: Region?
    /// Packets to the next worker; nil for a single worker.
    public var spillOut: Region?
    /// How many packets wait at each worker; nil for a single worker.
    public var backlog: BacklogBoard?
    /// Links to neighbours, shared by all workers.
    public var links: LinkTable
    /// The worker's number, among those of `links`.
    public var number: Int
    /// Ring of handshakes to the link desk.
    public var strangers: Region
    /// Memory of the tap; nil for a worker that nobody records.
    public var tap: Region?
    /// 64 random bytes that all its randomness comes from; nil takes them from the system.
    public var seed: Region?
    /// Memory of a suspended worker, in which this one goes on; nil for new memory.
    public var pages: SharedPages?

    /// Parts of a single worker.
    public init(
        books: ChannelBooks,
        replay: ReplaySet,
        snapshots: SnapshotReader,
        reports: Region,
        commands: Region,
        counters: Region,
        board: WorkerBoard,
        links: LinkTable,
        number: Int,
        strangers: Region
    ) {
        self.books = books
        self.replay = replay
        self.snapshots = snapshots
        self.reports = reports
        self.commands = commands
        self.counters = counters
        self.board = board
        self.links = links
        self.number = number
        self.strangers = strangers
    }
}

/// One pinned thread's share of the relay.
///
/// Everything below `turn` runs to completion: nothing allocates, locks, retains or throws, and
/// nothing waits but `receive`.
public struct Worker: ~Copyable {
    /// Most packets sent in one turn.
    static var outgoingMax: Int { @_noLocks get { 256 } }
    /// So few packets leave before their acknowledgements are signed: there is time for both.
    private static var smallBatch: Int { @_noLocks get { 8 } }

    // The port ends before the memory goes.
    let port: Port
    let pages: SharedPages

    let config: WorkerConfig
    let packetBytes: Int
    let slab: Slab
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
    let notes: Column<SlotNote>
    let waiting: Column<UInt32>
    let outgoing: Column<UInt32>
    let hops: Column<UInt32>
    let ackText: Region
    let counters: Counters
    let board: WorkerBoard
    let note: Column<WorkerNote>
    let number: Int
    let backlog: BacklogBoard?
    let gate: LinkGate

    var links: LinkWorker
    var frames: FrameReader
    var strangers: StrangerWriter
    var tap: TapWriter?
    /// Somebody records, in this turn.
    var isTapped = false
    var engine: Engine
    var batch = Batch()
    var pool: SlotPool
    var snapshots: SnapshotReader
    var snapshot: Snapshot
    var commands: CommandReader
    var clock: PaceClock
    var check = TrainCheck()
    var inbox: RingReader?
    var spillIn: SpillReader?
    var spillOut: SpillWriter?
    var random: RandomStream
    /// Arrivals of this turn.
    var arrived = 0
    var outgoingCount = 0
    /// When this turn began.
    var turnNanos: UInt64 = 0
    /// Packets in the mixer that wait for a link.
    var linkless = 0
    var commandsWait = false
    var load = 0
    var stopNanos: UInt64 = 0
    var boardNanos: UInt64 = 0
    var lostSeen: UInt64 = 0
    var allocatedWarm = -1
    var turns: UInt64 = 0
    /// What the workers before this one have counted.
    var past = WorkerNote()
    var isSuspended = false

    /// Takes all the memory that a worker needs, or takes over what a suspended one left. It runs
    /// on the thread that calls `start`.
    public init(
        _ config: WorkerConfig,
        socket: consuming DatagramSocket,
        parts: WorkerParts
    ) throws(DatapathError) {
        let links = parts.links
        let pages = try parts.memory(config)
        var arena = Arena(pages.region)
        let memory = WorkerMemory(&arena, config, links: links.size)
        let port = try Port(config.port, socket: socket, memory: memory.port)
        let now = port.nanos()
        let adopts = parts.pages != nil
        pool = adopts ? try memory.adoptPool() : memory.makePool(nowNanos: now)
        memory.delays.fill()
        frames = FrameReader(memory.frames, limits: config.frames)
        if !adopts { frames.clear(hash: config.engine.hash) }
        self.port = port
        self.pages = pages
        self.config = config
        packetBytes = config.engine.geometry.packetBytes
        slab = memory.slab
        wheel = memory.wheel
        delays = memory.delays
        queue = memory.queue
        budget = memory.budget
        shed = memory.shed
        duplicates = memory.duplicates
        groups = memory.groups
        acks = memory.acks
        pongs = memory.pongs
        pace = memory.pace
        notes = memory.notes
        waiting = memory.waiting
        outgoing = memory.outgoing
        hops = memory.hops
        ackText = memory.ackText
        counters = Counters(parts.counters)
        board = parts.board
        note = memory.note
        number = parts.number
        backlog = parts.backlog
        gate = LinkGate(links)
        let bytes = packetBytes
        spillIn = parts.spillIn.map { SpillReader($0, packetBytes: bytes) }
        spillOut = parts.spillOut.map { SpillWriter($0, packetBytes: bytes) }
        self.links = LinkWorker(links, worker: parts.number)
        strangers = StrangerWriter(parts.strangers)
        tap = parts.tap.map { TapWriter($0) }
        let seed = Worker.makeSeed(parts)
        engine = Worker.makeEngine(config.engine, memory.engine, parts, seed.region.slice(0, 32))
        snapshots = parts.snapshots
        snapshot = snapshots.current()
        commands = CommandReader(parts.commands)
        clock = PaceClock(config.pace, worker: parts.number, nowNanos: now)
        inbox = parts.inbox.map { RingReader($0) }
        random = RandomStream(in: memory.random, seed: seed.region.slice(32, 32))
        withExtendedLifetime(seed) {}
        if adopts { resume(memory, nowNanos: now) }
    }

    private static func makeSeed(_ parts: WorkerParts) -> Memory {
        let seed = Memory(64)
        if let given = parts.seed {
            seed.region.copy(given.slice(0, 64), to: 0)
        } else {
            Random.fill(seed.region)
        }
        return seed
    }

    private static func makeEngine(
        _ config: EngineConfig,
        _ memory: Region,
        _ parts: WorkerParts,
        _ seed: Region
    ) -> Engine {
        var engine = Engine(
            memory,
            config: config,
            adopts: parts.pages != nil,
            seed: seed,
            books: parts.books,
            replay: parts.replay,
            reports: parts.reports,
            counters: parts.counters
        )
        engine.previousReplay = parts.previousReplay
        engine.others = parts.outbox.map { RingWriter($0) }
        return engine
    }

    deinit { if !isSuspended { engine.wipe() } }

    /// Makes the calling thread the worker's.
    public mutating func start() throws(DatapathError) {
        try port.start()
        board.cells.store(port.features.word, WorkerBoard.Cell.features)
        links.enter()
        board.set(.running)
    }

    /// Where it receives.
    public var address: DatagramAddress { port.socket.address }

    func duplicateSocket() throws(DatapathError) -> DatagramSocket {
        try port.socket.duplicate()
    }

    /// Ends the wait of `turn`, and outlives the worker.
    func makeBell() throws(DatapathError) -> BellKeeper { try port.makeBell() }

    /// Ends the wait of `turn` from any thread, as long as the worker lives.
    public var waker: PortWaker { port.waker }

    /// The life of a packet, top to bottom.
    @_noLocks
    public mutating func turn() {
        receive()
        open()
        spill()
        var isSmall = false
        repeat {
            admit()
            if config.isUnread {
                passUnread()
            } else {
                peel()
                dedupe()
                settle()
                isSmall = batch.count <= Worker.smallBatch
                if !isSmall { acknowledge() }
            }
            hold()
        } while hasAnotherBatch()
        intake()
        seal()
        send()
        if isSmall {
            acknowledge()
            send()
        }
        housekeep()
    }

    /// Packets that were accepted or made here and wait to leave.
    var heldCount: Int { @_noLocks get { wheel.count + pace.count } }

    /// True when it has stopped: drained, suspended, or its ring failed.
    public var isDone: Bool { isSuspended || board.state == .done || board.state == .failed }
}
