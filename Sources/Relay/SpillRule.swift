public import Bytes
internal import Datapath

/// How many packets wait at each worker: each writes its own number, all read.
public struct BacklogBoard: Sendable {
    // A cache line each.
    private static var cellsEach: Int { @_noLocks get { 8 } }

    private let cells: AtomicCells

    /// Bytes of memory, zeroed, on a 64-byte boundary.
    public static func byteCount(workers: Int) -> Int { 8 * cellsEach * workers }

    /// A board in memory of `byteCount`.
    public init(_ region: Region) { cells = AtomicCells(region) }

    /// Number of workers.
    public var workers: Int {
        @_noLocks
        get { cells.count / BacklogBoard.cellsEach }
    }

    /// A worker says how many packets wait there.
    @_noLocks
    public func post(_ worker: Int, _ packets: Int) {
        cells.store(UInt64(packets), worker * BacklogBoard.cellsEach)
    }

    /// The descriptor of a worker's bell; who wrote it keeps it open while workers run.
    public func setBell(_ worker: Int, _ descriptor: Int32) {
        cells.storeReleasing(UInt64(descriptor) + 1, worker * BacklogBoard.cellsEach + 1)
    }

    /// A worker's bell; nil if it has none.
    @_noLocks
    func bell(_ worker: Int) -> PortBell? {
        let cell = cells.loadAcquiring(worker * BacklogBoard.cellsEach + 1)
        return cell == 0 ? nil : PortBell(descriptor: Int32(truncatingIfNeeded: cell - 1))
    }

    /// What a worker said last.
    @_noLocks
    public func packets(_ worker: Int) -> Int {
        Int(truncatingIfNeeded: cells.load(worker * BacklogBoard.cellsEach))
    }
}

/// When a worker gives packets away.
public enum SpillRule {
    /// A worker keeps at least so many: what it gives away it could not begin with soon.
    public static var keeps: Int { @_noLocks get { 2 * Batch.capacity } }
    /// A worker with fewer has nothing to do soon.
    public static var idles: Int { @_noLocks get { Batch.capacity / 2 } }

    /// True if a worker gives a batch to another.
    ///
    /// - Parameters:
    ///   - backlog: its packets that wait.
    ///   - other: those of the other, as it said last.
    ///   - isOnTheWay: a batch that was given before is not yet taken: what the other said is old.
    @_noLocks
    public static func gives(backlog: Int, other: Int, isOnTheWay: Bool) -> Bool {
        backlog > keeps && other < idles && !isOnTheWay
    }

    /// Packets to give: a batch, and never so many that the backlog falls below `keeps`.
    @_noLocks
    public static func count(backlog: Int) -> Int {
        max(0, min(SpillBatch.capacity, backlog - keeps))
    }
}
