public import Bytes
internal import Synchronization

/// Where control publishes snapshots and workers find them.
///
/// A worker says which generation it uses; a snapshot is freed when all workers use a later one.
public final class SnapshotCell: Sendable {
    private struct Kept {
        var memory: [(generation: UInt64, memory: Memory)] = []
        var generation: UInt64 = 0
    }

    private let cellsMemory: Memory
    private let workers: Int
    private let kept: Mutex<Kept>

    /// A cell for `workers` readers that starts with `first`.
    public init(workers: Int, first: Memory) {
        self.workers = workers
        cellsMemory = Memory(64 * (workers + 1))
        kept = Mutex(Kept())
        publish(first)
    }

    private var cells: AtomicCells { AtomicCells(cellsMemory.region) }

    /// Replaces the current snapshot, and frees those that nobody uses any more; the new one's
    /// generation.
    @discardableResult
    public func publish(_ memory: Memory) -> UInt64 {
        let generation = kept.withLock { kept in
            kept.generation += 1
            kept.memory.append((kept.generation, memory))
            let address = memory.region.address
            cells.storeReleasing(address, 0)
            cells.storeReleasing(kept.generation, 1)
            return kept.generation
        }
        reclaim()
        return generation
    }

    /// Frees snapshots that no worker uses any more.
    public func reclaim() {
        kept.withLock { kept in
            let oldest = oldestInUse(kept)
            kept.memory.removeAll { $0.generation < oldest }
        }
    }

    /// The oldest generation that a worker may still read.
    public var oldestInUse: UInt64 { kept.withLock { oldestInUse($0) } }

    private func oldestInUse(_ kept: borrowing Kept) -> UInt64 {
        var oldest = kept.generation
        for worker in 0..<workers {
            oldest = min(oldest, cells.loadAcquiring(8 * (worker + 1)))
        }
        return oldest
    }

    /// The current snapshot, for control: valid while the result is kept.
    public var current: Memory? { kept.withLock { $0.memory.last?.memory } }

    /// A worker's reader; the cell must outlive it.
    public func reader(worker: Int) -> SnapshotReader { SnapshotReader(cells, worker: worker) }
}

/// A worker's view of the cell.
public struct SnapshotReader: Sendable {
    private let cells: AtomicCells
    private let mine: Int
    private var generation: UInt64 = 0
    private var snapshot: Snapshot

    init(_ cells: AtomicCells, worker: Int) {
        self.cells = cells
        mine = 8 * (worker + 1)
        generation = cells.loadAcquiring(1)
        snapshot = open(cells)
        cells.storeReleasing(generation, mine)
    }

    /// The newest snapshot; call between batches, and keep nothing of the one before.
    @_noLocks
    public mutating func current() -> Snapshot {
        let newest = cells.loadAcquiring(1)
        if newest != generation {
            snapshot = open(cells)
            generation = newest
            cells.storeReleasing(newest, mine)
        }
        return snapshot
    }
}

/// The address in cell 0 is that of a live snapshot: control frees none that a worker may open.
@_semantics("no_performance_analysis")
private func open(_ cells: AtomicCells) -> Snapshot {
    let address = cells.loadAcquiring(0)
    let head = Region(address: address, byteCount: MemoryLayout<Snapshot.Header>.size)
    let header: Snapshot.Header = head.load(0)
    return Snapshot(Region(address: address, byteCount: header.byteCount))
}
