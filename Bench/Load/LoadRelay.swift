internal import Bytes
internal import CLoadIO
internal import Datapath
internal import Engine
internal import Exchange
internal import Link
internal import Relay

/// The relay under load: a node's workers without its control plane, on a thread of its own.
final class LoadRelay {
    private static let threadName = "dray-0"

    let network: LoadNetwork
    private let workers: Workers
    private let books: ChannelBooks
    private let replay: ReplaySet
    private var reports: ReportReader
    private let kept: [Memory]
    /// Links to its neighbours.
    let sessions: LoadSessions
    private let thread: Int32
    private let isUnread: Bool
    /// Bytes of memory that it takes by its configuration.
    let configuredBytes: Int
    /// Tickets that it reported as held, as unlocked, and as void.
    private(set) var told = (locked: UInt64(0), unlocked: UInt64(0), released: UInt64(0))

    /// Starts it, on a CPU if one is named.
    ///
    /// - Parameter isUnread: it passes packets on as they come.
    init(
        _ network: LoadNetwork,
        datagramBytes: Int,
        isUnread: Bool,
        cpu: Int?
    ) throws(LoadError) {
        self.network = network
        self.isUnread = isUnread
        var config = LoadRelay.config(network.plan)
        config.isUnread = isUnread
        if isUnread { config.tickNanos = 250_000 }
        sessions = try LoadSessions(network, datagramBytes: datagramBytes)
        let slots = 2 * network.plan.links
        let capacity = 2 * network.plan.packets
        let booksMemory = Memory(ChannelBooks.byteCount(slots: slots))
        let replayMemory = Memory(ReplaySet.byteCount(capacity: capacity))
        books = ChannelBooks(booksMemory.region, slots: slots)
        for link in 0..<UInt32(network.plan.links) {
            books.raiseIndexLimit(2 * link + 1, to: 1 << 40)
        }
        let hash = LoadNetwork.hash
        guard let replay = ReplaySet(replayMemory.region, capacity: capacity, hash: hash) else {
            throw LoadError("no replay set")
        }
        self.replay = replay
        kept = [booksMemory, replayMemory]
        var plan = Workers.Plan(
            config: config,
            address: .loopback(port: 0),
            links: sessions.relay
        )
        plan.cpus = cpu.map { [$0] }
        plan.reportBytes = LoadRelay.power(atLeast: 256 * network.plan.packets, 1 << 20, 1 << 26)
        configuredBytes =
            plan.byteCount + sessions.relayBytes
            + booksMemory.region.byteCount + replayMemory.region.byteCount
        do throws(DatapathError) {
            workers = try Workers(
                plan,
                books: books,
                replay: replay,
                snapshot: network.relaySnapshot()
            )
            reports = workers.reports(0)
            try workers.start()
        } catch {
            throw LoadError("the relay does not start: \(error)")
        }
        thread = LoadThread.find(LoadRelay.threadName)
    }

    deinit {
        workers.stop(limitNanos: 0)
        while !workers.isDone { LoadThread.rest() }
        LoadThread.waitUntilGone(LoadRelay.threadName)
    }

    /// Mixing is off: a packet leaves as soon as it can.
    private static func config(_ plan: LoadPlan) -> WorkerConfig {
        var config = WorkerConfig(geometry: plan.geometry, hash: LoadNetwork.hash)
        config.mixing = .none
        config.tickNanos = 1_024
        config.engine.unackedCapacity = power(atLeast: 8 * plan.packets, 1 << 12, 1 << 18)
        config.ackWaitNanos = 50_000_000
        return config
    }

    /// The power of two that is at least `value`, between two others.
    private static func power(atLeast value: Int, _ least: Int, _ most: Int) -> Int {
        var power = least
        while power < value, power < most { power *= 2 }
        return power
    }

    /// Port that it receives at.
    var port: UInt16 { workers.address.port }

    /// Processor time that its thread has used.
    var cpuNanos: UInt64 { load_thread_nanos(thread) }

    /// Reads its reports, as control would; returns how many there were.
    @discardableResult
    func drain() -> Int {
        var count = 0
        while let report = reports.peek() {
            switch report.kind {
            case 1: told.locked += 1
            case 2: told.unlocked += 1
            case 3: told.released += 1
            default: break
            }
            reports.release()
            count += 1
        }
        return count
    }

    /// What it counts.
    var counters: Counters { workers.counters(0) }

    /// System calls of its datapath, a tenth of a second ago.
    var calls: UInt64 { workers.status(0).enters }

    /// Bytes that its thread has allocated since it was warm.
    var allocated: Int { workers.status(0).allocatedBytes }

    /// Acknowledgements that it awaits.
    var awaited: Int { workers.status(0).awaited }

    /// Asks it to stop.
    func stop() { workers.stop(limitNanos: 200_000_000) }

    /// True when it has stopped.
    var isDone: Bool { workers.isDone }

    // MARK: what became of packets

    /// Datagrams that it took from its socket.
    var taken: UInt64 { counters.value(Counter.datagramsIn) }

    /// Arrivals that its socket dropped: trains count once.
    var socketDrops: UInt64 { workers.status(0).socketDrops }

    /// Datagrams that it handed to the kernel, and that the kernel took.
    var given: UInt64 { counters.value(Counter.datagramsOut) - workers.status(0).sendErrors }

    /// Trains that it sent in one piece.
    var trains: UInt64 { workers.status(0).trains }

    /// What became of its packets.
    var ledger: PacketLedger {
        let status = workers.status(0)
        return PacketLedger(counters, queued: status.queued, held: status.held)
    }

    /// Datagrams that it took and that brought nothing.
    var closed: UInt64 {
        Drop.allCases.filter { DropKind($0) == .datagram && !LoadRelay.frames.contains($0) }
            .reduce(0) { $0 + counters.value($1) }
    }

    private static let frames: [Drop] = [.frameLost, .frameInvalid, .frameUnknown]

    /// What it dropped, by reason; acknowledgements and tickets apart.
    var drops: [(reason: Drop, count: UInt64)] {
        Drop.allCases.filter { DropKind($0) != .payment }.compactMap { reason in
            let count = counters.value(reason)
            return count == 0 ? nil : (reason, count)
        }
    }

    /// What does not add up, when it has stopped.
    var faults: [String] {
        let (counters, ledger) = (counters, ledger)
        var faults: [String] = []
        func check(_ what: String, _ left: UInt64, _ right: UInt64) {
            if left != right { faults.append("\(what): \(left), not \(right)") }
        }
        if !ledger.isBalanced { faults.append("packets are nowhere: \(ledger)") }
        let forwarded = ledger.forwarded
        check("acknowledgements for what was forwarded", counters.value(.acksOut), forwarded)
        if isUnread { return faults }
        check("tickets held for what was forwarded", counters.value(.ticketsLocked), forwarded)
        check("reports of tickets held", told.locked + counters.value(.reportsLost), forwarded)
        return faults
    }
}
