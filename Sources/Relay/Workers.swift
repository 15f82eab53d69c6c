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

    let memory: [WorkerShare]
    private let backlogMemory: Memory
    private let bells: [BellKeeper]
    let threads: [WorkerThread]
    let plan: Plan
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
        /// Bytes of each worker's ring of records for a trace, a power of two. The system gives
        /// none of them before somebody records.
        public var tapBytes = 1 << 21
        /// What suspended workers left, made by an equal plan: these go on with it. Empty: new
        /// workers. Descriptors are used up, whatever happens.
        public var handovers: [WorkerHandover] = []

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

    /// Takes port and memory, or goes on where others were suspended.
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
        var seats = WorkerSeats(plan)
        defer { seats.close() }
        memory = try seats.shares(plan)
        if plan.handovers.isEmpty, plan.address.port != 0 {
            try DatagramSocket.probe(plan.address)
        }
        var address = plan.address
        var threads: [WorkerThread] = []
        var bells: [BellKeeper] = []
        let backlog = BacklogBoard(backlogMemory.region)
        for index in 0..<plan.count {
            let socket = try seats.socket(index, at: address, config)
            address = socket.address
            var parts = memory[index].parts(
                books,
                replay,
                snapshots.reader(worker: index),
                plan.links,
                index
            )
            parts.previousReplay = previousReplay
            parts.pages = try seats.pages(index, config, plan.links.size)
            if plan.count > 1 {
                parts.outbox = memory[index].acknowledgements
                let before = memory[(index + plan.count - 1) % plan.count]
                parts.inbox = before.acknowledgements
                parts.spillOut = memory[index].spill
                parts.spillIn = before.spill
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
        self.plan = plan
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
    public var isDone: Bool { threads.allSatisfy { $0.board.state.isGone } }

    /// Ends a worker's sleep: after writing commands.
    public func wake(_ worker: Int) { threads[worker].wake() }

    /// A worker's counters.
    public func counters(_ worker: Int) -> Counters { Counters(memory[worker].counters) }

    /// What a worker says of itself.
    public func status(_ worker: Int) -> WorkerStatus { threads[worker].board.status }

    /// The reading end of a worker's reports; take it once.
    public func reports(_ worker: Int) -> ReportReader {
        ReportReader(memory[worker].reports)
    }

    /// The reading end of a worker's handshakes; take it once.
    public func strangers(_ worker: Int) -> StrangerReader {
        StrangerReader(memory[worker].strangers)
    }

    /// The reading end of a worker's tap; one at a time.
    public func tap(_ worker: Int) -> TapReader { TapReader(memory[worker].tap) }

    /// The writing end of a worker's commands; take it once.
    public func commands(_ worker: Int) -> CommandWriter {
        CommandWriter(memory[worker].commands)
    }
}
