internal import Bytes
internal import Chain
internal import Channels
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
    let geometry: Geometry
    let listen: Endpoint
    let probe: MemoryProbe
    let startNanos = MonotonicClock.nanos()
    let threadsBox = Mutex<PacketThreads?>(nil)
    let outlet = Outlet()
    let pastSums = Mutex(WorkerSums([]))
    private let store: NodeStore
    private let booksMemory: Memory

    /// Takes what a node needs, in the order in which things can go wrong: keys, folder, port,
    /// ledger.
    /// Nothing runs yet.
    public init(
        _ configuration: Configuration,
        probe: @escaping MemoryProbe = { nil }
    ) throws(StartError) {
        self.configuration = configuration
        self.probe = probe
        logger = Logger(level: configuration.node.logLevel)
        geometry = try Startup.geometry(configuration.packet)
        keys = try KeyRing(configuration, logger: logger)
        store = try Startup.store(configuration.node.data)
        listen = try Startup.port(configuration.node.listen)
        layer = LedgerClient(socket: configuration.ledgerSocket)
        let parameters = try Startup.parameters(layer, geometry)
        booksMemory = Memory(ChannelBooks.byteCount(slots: Daemon.channelSlots))
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
        runtime = try Startup.runtime(configuration, keys, store, layer, books, worlds, logger)
        gateway = try Startup.gateway()
        links = try Startup.links(configuration, geometry, parameters.domain, keys, logger)
        money = MoneyDesk(runtime: runtime, gateway: gateway, press: press)
        worlds.connect(self)
    }

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
