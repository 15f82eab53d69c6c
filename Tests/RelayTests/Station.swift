import Bytes
import Datapath
import Exchange
import Glibc
import Link
import Relay
import Sphinx
import TestSupport

/// The two ways to the kernel.
enum Way: String, CaseIterable, Sendable {
    /// io_uring where the machine lets us.
    case ring
    case syscalls

    var backend: PortConfig.Backend {
        switch self {
        case .ring: .automatic
        case .syscalls: .syscalls
        }
    }
}

/// Where a station's port is.
enum Place {
    /// Any port of this machine's own network.
    case loopback(Way)
    /// A descriptor of a socket of some other network; the station's from now on.
    case descriptor(Int32, Way)
    case simulated(SimulatedNetwork, DatagramAddress)

    /// In a network namespace.
    static func inside(
        _ network: Network,
        _ address: DatagramAddress,
        _ way: Way
    ) throws -> Place {
        let descriptor = try network.run {
            let socket = try DatagramSocket(address, shared: true, bufferBytes: 1 << 20)
            return withExtendedLifetime(socket) { dup(socket.descriptor) }
        }
        return .descriptor(descriptor, way)
    }

    var backend: PortConfig.Backend {
        switch self {
        case .loopback(let way), .descriptor(_, let way): way.backend
        case .simulated(let network, _): .simulated(network)
        }
    }

    func socket() throws -> DatagramSocket {
        switch self {
        case .loopback:
            try DatagramSocket(.loopback(port: 0), shared: true, bufferBytes: 1 << 20)
        case .descriptor(let descriptor, _): try DatagramSocket(adopting: descriptor)
        case .simulated(_, let address): DatagramSocket(simulated: address)
        }
    }
}

/// A node whose worker the test drives, turn by turn, on its own thread.
final class Station {
    let node: TestNode
    var worker: Worker
    let cell: SnapshotCell
    let counters: Counters
    let board: WorkerBoard
    var reports: ReportReader
    var commands: CommandWriter
    var strangers: StrangerReader
    var tap: TapReader
    let tapMemory = Memory(Tap.byteCount(capacity: 1 << 18))
    let config: WorkerConfig
    private let parts: WorkerParts
    private let kept: [Memory]

    init(
        _ node: TestNode,
        in nodes: [TestNode],
        links: LinkTable,
        place: Place = .loopback(.ring),
        geometry: Geometry = .head,
        configure: (inout WorkerConfig) -> Void = { _ in }
    ) throws {
        self.node = node
        let reportMemory = Memory(RecordRing.byteCount(capacity: 1 << 22))
        let commandMemory = Memory(RecordRing.byteCount(capacity: 1 << 19))
        let counterMemory = Memory(Counters.byteCount)
        let boardMemory = Memory(WorkerBoard.byteCount)
        let strangerMemory = Memory(RecordRing.byteCount(capacity: 1 << 17))
        kept = [reportMemory, commandMemory, counterMemory, boardMemory, strangerMemory]
        let nowhere = [DatagramAddress?](repeating: nil, count: nodes.count)
        cell = SnapshotCell(workers: 1, first: node.snapshot(nodes, at: nowhere))
        counters = Counters(counterMemory.region)
        board = WorkerBoard(boardMemory.region)
        reports = ReportReader(reportMemory.region)
        commands = CommandWriter(commandMemory.region)
        var config = WorkerConfig(geometry: geometry, hash: KeyedHash(1, 2))
        config.mixerCapacity = 1_000
        config.port.receiveBuffers = 16
        config.port.trains = 32
        // Tests must not depend on how busy the machine is.
        config.queue.ageNanos = 60_000_000_000
        config.frames.lifeNanos = 60_000_000_000
        config.engine.unackedCapacity = 4_096
        config.mixing = .uniform(maxNanos: 2_000_000)
        config.ackWaitNanos = 5_000_000
        config.idleNanos = 1_000_000
        config.trainCheckNanos = 0
        configure(&config)
        config.port.backend = place.backend
        self.config = config
        var parts = WorkerParts(
            books: node.books,
            replay: node.replay,
            snapshots: cell.reader(worker: 0),
            reports: reportMemory.region,
            commands: commandMemory.region,
            counters: counterMemory.region,
            board: board,
            links: links,
            number: 0,
            strangers: strangerMemory.region
        )
        let seed = Memory(64)
        if case .simulated = place {
            seed.region.fill(UInt8(1 + node.index))
            parts.seed = seed.region
        }
        parts.tap = tapMemory.region
        tap = TapReader(tapMemory.region)
        worker = try Worker(config, socket: place.socket(), parts: parts)
        withExtendedLifetime(seed) {}
        self.parts = parts
        strangers = StrangerReader(strangerMemory.region)
        try worker.start()
    }

    /// Another worker goes on where the present one was suspended.
    func replace(socket: Int32, memory: Int32) throws {
        let byteCount = config.byteCount(links: parts.links.size)
        var parts = parts
        kept[3].region.fill(0)
        parts.snapshots = cell.reader(worker: 0)
        parts.pages = try SharedPages(adopting: memory, byteCount: byteCount)
        worker = try Worker(config, socket: DatagramSocket(adopting: socket), parts: parts)
        try worker.start()
    }

    var address: DatagramAddress { worker.address }

    /// All reports there are.
    func drain() -> [Report] {
        var all: [Report] = []
        while let report = reports.next() { all.append(report) }
        return all
    }
}
