public import Bytes
public import Datapath
public import Engine
public import Exchange
public import Link
internal import Sphinx
internal import Synchronization

/// All workers of a node behind one port, with the rings and boards between them and control.
///
/// Each ring has one end here that may be taken once, by one thread of control.
public final class Workers: Sendable {
    /// Where they receive.
    public let address: DatagramAddress
    /// Where control publishes snapshots.
    public let snapshots: SnapshotCell
    /// Number of workers.
    public let count: Int

    private let memory: [WorkerShare]
    private let backlogMemory: Memory
    private let bells: [BellKeeper]
    private let threads: [WorkerThread]
    private let cpus: [Int]?

    /// What every worker of a node is made from.
    public struct Plan: Sendable {
        /// What the workers are made for.
        public var config: WorkerConfig
        /// Where they receive; port 0 takes a free one.
        public var address: DatagramAddress
        /// Number of workers.
        public var count = 1
        /// Links to neighbours; its size names as many workers.
        public var links: LinkTable
        /// CPUs, one for each worker, that they stay on; nil lets the system choose.
        public var cpus: [Int]?
        /// Bytes of each worker's report ring, a power of two.
        public var reportBytes = 4 << 20
        /// Bytes of each worker's command ring, a power of two.
        public var commandBytes = 1 << 20

        /// One worker at an address.
        public init(config: WorkerConfig, address: DatagramAddress, links: LinkTable) {
            self.config = config
            self.address = address
            self.links = links
        }

        /// Bytes of memory that the workers take, with their rings, beside the links.
        public var byteCount: Int {
            let each = config.byteCount(links: links.size) + WorkerShare.byteCount(self)
            return count * each + BacklogBoard.byteCount(workers: count)
        }
    }

    /// Takes port and memory.
    ///
    /// - Parameters:
    ///   - books: outlive the workers; so do the replay sets.
    ///   - snapshot: the first one, as `SnapshotBuilder.build` makes it.
    public init(
        _ plan: Plan,
        books: ChannelBooks,
        replay: ReplaySet,
        previousReplay: ReplaySet? = nil,
        snapshot: Memory
    ) throws(DatapathError) {
        precondition(plan.links.size.workers >= plan.count)
        precondition(plan.count > 0 && plan.cpus.map { $0.count == plan.count } ?? true)
        for cpu in plan.cpus ?? [] where !Host.hasCPU(cpu) { throw .noSuchCPU(cpu) }
        var config = plan.config
        config.engine.workers = plan.count
        count = plan.count
        cpus = plan.cpus
        snapshots = SnapshotCell(workers: plan.count, first: snapshot)
        backlogMemory = Memory(BacklogBoard.byteCount(workers: plan.count))
        memory = (0..<plan.count).map { _ in WorkerShare(plan) }
        if plan.address.port != 0 { try DatagramSocket.probe(plan.address) }
        var address = plan.address
        var threads: [WorkerThread] = []
        var bells: [BellKeeper] = []
        let backlog = BacklogBoard(backlogMemory.region)
        for index in 0..<plan.count {
            let socket = try DatagramSocket(
                address,
                shared: true,
                bufferBytes: config.socketBufferBytes
            )
            address = socket.address
            var parts = memory[index].parts(
                books,
                replay,
                snapshots.reader(worker: index),
                plan.links,
                index
            )
            parts.previousReplay = previousReplay
            if plan.count > 1 {
                parts.outbox = memory[index].acknowledgements.region
                let before = memory[(index + plan.count - 1) % plan.count]
                parts.inbox = before.acknowledgements.region
                parts.spillOut = memory[index].spill.region
                parts.spillIn = before.spill.region
                parts.backlog = backlog
            }
            let worker = try Worker(config, socket: socket, parts: parts)
            let bell = try worker.makeBell()
            backlog.setBell(index, bell.descriptor)
            bells.append(bell)
            threads.append(try WorkerThread(worker, board: parts.board))
        }
        self.address = address
        self.threads = threads
        self.bells = bells
    }

    /// Starts the threads; they keep this object until they are done.
    public func start() throws(DatapathError) {
        for index in 0..<count {
            try threads[index].start("dray-\(index)", cpu: cpus?[index], keeping: self)
        }
    }

    /// A socket that sends as the workers do; once, before `start`. It keeps the port in use.
    public func sender() -> DatagramSocket? { threads[0].takeSender() }

    /// Asks all workers to stop: no new packets, mixers emptied, acknowledgements awaited for at
    /// most `limitNanos` from now. Poll `isDone`.
    public func stop(limitNanos: UInt64) {
        let end = Host.nanos() + limitNanos
        for index in 0..<count {
            threads[index].board.stop(limitNanos: end)
            wake(index)
        }
    }

    /// True when every worker is gone.
    public var isDone: Bool {
        threads.allSatisfy { $0.board.state == .done || $0.board.state == .failed }
    }

    /// Ends a worker's sleep: after writing commands.
    public func wake(_ worker: Int) { threads[worker].wake() }

    /// A worker's counters.
    public func counters(_ worker: Int) -> Counters { Counters(memory[worker].counters.region) }

    /// What a worker says of itself.
    public func status(_ worker: Int) -> WorkerStatus { threads[worker].board.status }

    /// The reading end of a worker's reports; take it once.
    public func reports(_ worker: Int) -> ReportReader {
        ReportReader(memory[worker].reports.region)
    }

    /// The reading end of a worker's handshakes; take it once.
    public func strangers(_ worker: Int) -> StrangerReader {
        StrangerReader(memory[worker].strangers.region)
    }

    /// The writing end of a worker's commands; take it once.
    public func commands(_ worker: Int) -> CommandWriter {
        CommandWriter(memory[worker].commands.region)
    }
}

/// One worker's memory that control sees too.
private final class WorkerShare: Sendable {
    private static let acknowledgementBytes = RecordRing.byteCount(capacity: 1 << 16)
    private static let strangerBytes = RecordRing.byteCount(capacity: 1 << 17)

    let reports: Memory
    let commands: Memory
    let acknowledgements: Memory
    let strangers: Memory
    let spill: Memory
    let counters = Memory(Counters.byteCount)
    let board = Memory(WorkerBoard.byteCount)

    init(_ plan: Workers.Plan) {
        reports = Memory(RecordRing.byteCount(capacity: plan.reportBytes))
        commands = Memory(RecordRing.byteCount(capacity: plan.commandBytes))
        acknowledgements = Memory(WorkerShare.acknowledgementBytes)
        spill = Memory(WorkerShare.spillBytes(plan))
        strangers = Memory(WorkerShare.strangerBytes)
    }

    private static func spillBytes(_ plan: Workers.Plan) -> Int {
        guard plan.count > 1 else { return 0 }
        return SpillRing.byteCount(packetBytes: plan.config.engine.geometry.packetBytes)
    }

    static func byteCount(_ plan: Workers.Plan) -> Int {
        RecordRing.byteCount(capacity: plan.reportBytes)
            + RecordRing.byteCount(capacity: plan.commandBytes)
            + acknowledgementBytes + strangerBytes + spillBytes(plan)
            + Counters.byteCount + WorkerBoard.byteCount
    }

    func parts(
        _ books: ChannelBooks,
        _ replay: ReplaySet,
        _ snapshots: SnapshotReader,
        _ links: LinkTable,
        _ number: Int
    ) -> WorkerParts {
        WorkerParts(
            books: books,
            replay: replay,
            snapshots: snapshots,
            reports: reports.region,
            commands: commands.region,
            counters: counters.region,
            board: WorkerBoard(board.region),
            links: links,
            number: number,
            strangers: strangers.region
        )
    }
}
