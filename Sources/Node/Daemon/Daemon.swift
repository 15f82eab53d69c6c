internal import Bytes
internal import Chain
internal import Channels
internal import Datapath
internal import Exchange
internal import Sphinx
internal import Store
internal import Synchronization
internal import Tickets

/// A running node: the one place where all parts meet.
///
/// Threads: the workers; money (reports, claims, channels) and its follower of the ledger; the
/// gateway; the admin socket; and the caller of `run`, who keeps house.
public final class Daemon: Sendable {
    /// Memory in use: bytes allocated and bytes resident; nil if nobody counts.
    public typealias MemoryProbe = @Sendable () -> (allocated: Int, resident: Int)?

    /// Channels that a node can have in its life.
    static let channelSlots = 1_024

    let configuration: Configuration
    let logger: Logger
    let keys: KeyRing
    let layer: LedgerClient
    let books: ChannelBooks
    let runtime: ChannelRuntime
    let press: SnapshotPress
    let gateway: GatewayDesk
    let money: MoneyDesk
    let links: LinkHouse
    let trace: TraceDesk
    let geometry: Geometry
    let listen: Endpoint
    let probe: MemoryProbe
    let startNanos: UInt64
    let threadsBox: Mutex<PacketThreads?>
    let outlet = Outlet()
    let pastSums: Mutex<WorkerSums>
    /// From the program that became this one, if one did.
    let resumption: Resumption?
    let upgrades: Mutex<UpgradeRecord>
    /// What an upgrade starts instead of this program.
    let program = Mutex<RunningProgram?>(nil)
    /// The program to become.
    let wish = Mutex<String?>(nil)
    let booksMemory: SharedPages
    private let store: NodeStore

    /// Takes what a node needs, in the order in which things can go wrong: keys, folder, port,
    /// ledger. Nothing runs yet; but if another program became this one, packet threads go on first
    /// of all.
    public init(
        _ configuration: Configuration,
        resumption: Resumption? = nil,
        probe: @escaping MemoryProbe = { nil }
    ) throws(StartError) {
        self.configuration = configuration
        self.probe = probe
        self.resumption = resumption
        logger = Logger(level: configuration.node.logLevel)
        trace = TraceDesk(logger: logger)
        geometry = try Startup.geometry(configuration.packet)
        if resumption == nil {
            try Startup.memory(configuration, geometry, available: FreeMemory.bytes)
        }
        keys = try Startup.keys(configuration, resumption, logger)
        let inherited = try Startup.inherit(resumption, configuration, geometry, keys, logger)
        let state = inherited?.whole.state
        threadsBox = Mutex(inherited?.threads)
        startNanos = state?.startNanos ?? MonotonicClock.nanos()
        pastSums = Mutex(state?.pastSums ?? WorkerSums([]))
        upgrades = Mutex(resumption?.note.upgrades ?? UpgradeRecord())
        store = try Startup.store(
            configuration.node.data,
            checked: state?.storeTransaction ?? resumption.map { _ in 0 }
        )
        listen =
            resumption == nil
            ? try Startup.port(configuration.node.listen)
            : try Startup.endpoint(configuration.node.listen)
        layer = LedgerClient(socket: configuration.ledgerSocket)
        let parameters: LedgerParameters
        if let inherited {
            parameters = inherited.whole.channels.parameters
        } else {
            parameters = try Startup.parameters(layer, geometry)
        }
        if let inherited {
            booksMemory = inherited.booksMemory
        } else {
            booksMemory = try Startup.booksMemory()
        }
        books = ChannelBooks(booksMemory.region, slots: Daemon.channelSlots)
        let worlds = Worlds(
            try SnapshotPress(
                keys: keys,
                policy: Startup.policy(configuration.tickets),
                domain: parameters.domain,
                tables: configuration.tables
            )
        )
        press = worlds.press
        runtime = try Startup.runtime(
            configuration,
            keys,
            store,
            layer,
            books,
            worlds,
            logger,
            handover: inherited?.whole.channels,
            lost: inherited == nil ? resumption?.note.losses ?? [:] : [:]
        )
        gateway = try Startup.gateway()
        if let inherited {
            links = inherited.links
        } else {
            links = try Startup.links(configuration, geometry, parameters.domain, keys, logger)
        }
        money = MoneyDesk(runtime: runtime, gateway: gateway, press: press)
        worlds.connect(self)
        noteUpgrade(inherited)
        if let inherited {
            join(inherited.threads, Snapshot(inherited.whole.snapshot.region).identities)
        }
    }

    /// Gives the store up for another program.
    func closeStore() { store.close() }

    /// The store's last change.
    var storeTransaction: UInt64 { store.lastTransaction }

    /// Register or channels have changed. On the control thread.
    func update(_ world: World) {
        outlet.update(world)
        links.update(world)
    }

    /// What all packet threads did, those before a rotation included.
    var sums: WorkerSums {
        var sums = WorkerSums(threads?.counters ?? [])
        sums.add(pastSums.withLock { $0 })
        return sums
    }

    /// The packet threads.
    var threads: PacketThreads? { threadsBox.withLock { $0 } }

    /// Two clocks in one.
    static func now() -> Moment {
        Moment(nanos: MonotonicClock.nanos(), millis: WallClock.millis())
    }
}

/// Hands new worlds on: to the press at once, to the node as soon as there is one.
final class Worlds: Sendable {
    private struct Link: Sendable {
        weak var daemon: Daemon?
    }

    let press: SnapshotPress
    private let link = Mutex(Link())

    init(_ press: SnapshotPress) { self.press = press }

    func connect(_ daemon: Daemon) { link.withLock { $0.daemon = daemon } }

    func update(_ world: World) {
        press.update(world)
        link.withLock { $0.daemon }?.update(world)
    }
}
