internal import Bytes
internal import Datapath
internal import Engine
internal import Exchange
internal import Link
internal import Sphinx

/// One worker's memory that control sees too. All but the board can outlive the process.
final class WorkerShare: Sendable {
    let reports: Region
    let commands: Region
    let acknowledgements: Region
    let strangers: Region
    let spill: Region
    let tap: Region
    let counters: Region
    let board = Memory(WorkerBoard.byteCount)
    private let pages: SharedPages

    /// New rings, or those behind a descriptor.
    init(_ plan: Workers.Plan, adopting descriptor: Int32?) throws(DatapathError) {
        let size = RingSizes(plan)
        var measure = Arena()
        _ = WorkerRings(&measure, size)
        if let descriptor {
            pages = try SharedPages(adopting: descriptor, byteCount: measure.used)
        } else {
            pages = try SharedPages(measure.used, wide: false)
        }
        var arena = Arena(pages.region)
        let rings = WorkerRings(&arena, size)
        reports = rings.reports
        commands = rings.commands
        acknowledgements = rings.acknowledgements
        strangers = rings.strangers
        spill = rings.spill
        tap = rings.tap
        counters = rings.counters
    }

    /// Bytes of memory that one worker's share takes.
    static func byteCount(_ plan: Workers.Plan) -> Int {
        var measure = Arena()
        _ = WorkerRings(&measure, RingSizes(plan))
        return measure.used + WorkerBoard.byteCount
    }

    /// Another descriptor of rings and counters.
    func share() throws(DatapathError) -> Int32 { try pages.share() }

    func parts(
        _ books: ChannelBooks,
        _ replay: ReplaySet,
        _ snapshots: SnapshotReader,
        _ links: LinkTable,
        _ number: Int
    ) -> WorkerParts {
        var parts = WorkerParts(
            books: books,
            replay: replay,
            snapshots: snapshots,
            reports: reports,
            commands: commands,
            counters: counters,
            board: WorkerBoard(board.region),
            links: links,
            number: number,
            strangers: strangers
        )
        parts.tap = tap
        return parts
    }
}

/// Bytes of a worker's rings, as far as they differ.
struct RingSizes {
    var reports: Int
    var commands: Int
    var spill: Int
    var tap: Int

    init(_ plan: Workers.Plan) {
        let packetBytes = plan.config.engine.geometry.packetBytes
        reports = plan.reportBytes
        commands = plan.commandBytes
        spill = plan.count > 1 ? SpillRing.byteCount(packetBytes: packetBytes) : 0
        tap = plan.tapBytes
    }
}

/// How a share is divided.
struct WorkerRings {
    let reports: Region
    let commands: Region
    let acknowledgements: Region
    let strangers: Region
    let spill: Region
    let tap: Region
    let counters: Region

    init(_ arena: inout Arena, _ size: RingSizes) {
        reports = arena.region(RecordRing.byteCount(capacity: size.reports))
        commands = arena.region(RecordRing.byteCount(capacity: size.commands))
        acknowledgements = arena.region(RecordRing.byteCount(capacity: 1 << 16))
        strangers = arena.region(RecordRing.byteCount(capacity: 1 << 17))
        spill = arena.region(size.spill)
        tap = arena.region(Tap.byteCount(capacity: size.tap))
        counters = arena.region(Counters.byteCount)
    }
}

/// What the workers of a plan are given: new things, or what others left. Closes what nobody took.
struct WorkerSeats {
    private var left: [WorkerHandover?]

    init(_ plan: Workers.Plan) {
        precondition(plan.handovers.isEmpty || plan.handovers.count == plan.count)
        left = plan.handovers.isEmpty ? Array(repeating: nil, count: plan.count) : plan.handovers
    }

    /// Rings and counters of all workers.
    mutating func shares(_ plan: Workers.Plan) throws(DatapathError) -> [WorkerShare] {
        var shares: [WorkerShare] = []
        for index in left.indices {
            shares.append(try WorkerShare(plan, adopting: take(index, \.rings)))
        }
        return shares
    }

    /// A worker's socket.
    mutating func socket(
        _ index: Int,
        at address: DatagramAddress,
        _ config: WorkerConfig
    ) throws(DatapathError) -> DatagramSocket {
        if let descriptor = take(index, \.socket) {
            return try DatagramSocket(adopting: descriptor)
        }
        return try DatagramSocket(address, shared: true, bufferBytes: config.socketBufferBytes)
    }

    /// A worker's memory; nil for new memory.
    mutating func pages(
        _ index: Int,
        _ config: WorkerConfig,
        _ links: LinkSize
    ) throws(DatapathError) -> SharedPages? {
        guard let descriptor = take(index, \.memory) else { return nil }
        return try SharedPages(adopting: descriptor, byteCount: config.byteCount(links: links))
    }

    /// A descriptor, once; nil if there is none.
    private mutating func take(
        _ index: Int,
        _ which: WritableKeyPath<WorkerHandover, Int32>
    ) -> Int32? {
        guard let descriptor = left[index]?[keyPath: which], descriptor >= 0 else { return nil }
        left[index]?[keyPath: which] = -1
        return descriptor
    }

    func close() { for handover in left { handover?.close() } }
}
