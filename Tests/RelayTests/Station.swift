import Bytes
import Datapath
import Exchange
import Link
import Relay
import Sphinx

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
    let config: WorkerConfig
    private let parts: WorkerParts
    private let kept: [Memory]

    init(
        _ node: TestNode,
        in nodes: [TestNode],
        links: LinkTable,
        geometry: Geometry = .head,
        configure: (inout WorkerConfig) -> Void = { _ in }
    ) throws {
        self.node = node
        let reportMemory = Memory(RecordRing.byteCount(capacity: 1 << 22))
        let commandMemory = Memory(RecordRing.byteCount(capacity: 1 << 18))
        let counterMemory = Memory(Counters.byteCount)
        let boardMemory = Memory(WorkerBoard.byteCount)
        let strangerMemory = Memory(RecordRing.byteCount(capacity: 1 << 16))
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
        configure(&config)
        self.config = config
        parts = WorkerParts(
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
        worker = try Worker(
            config,
            socket: DatagramSocket(.loopback(port: 0), shared: true, bufferBytes: 1 << 20),
            parts: parts
        )
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
