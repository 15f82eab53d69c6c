public import Bytes

/// How many a link table has room for.
public struct LinkSize: BitwiseCopyable, Sendable {
    /// Neighbours.
    public var peers: Int
    /// Threads that open and seal.
    public var workers: Int

    /// A size.
    public init(peers: Int, workers: Int) {
        precondition(peers > 0 && peers <= 1 << 17 && workers > 0)
        self.peers = peers
        self.workers = workers
    }

    /// Session slots: each peer's share, and some that wait for workers to pass on.
    var sessions: Int {
        @_noLocks
        get { LinkLimits.sessionsPerPeer * peers + max(64, peers / 4) }
    }
    /// Entries of the index of key ids, a power of two.
    var entries: Int {
        var count = 64
        while count < 4 * peers { count *= 2 }
        return count
    }
}

/// All links of a node, in memory that its workers and its link desk share.
///
/// One thread, the desk, writes through `LinkKeeper`; workers read, count and note without a lock.
/// What a lookup returns is valid until the worker's next `quiesce`: no row and no session slot is
/// reused before every worker has passed one.
public struct LinkTable: Sendable {
    /// No row, or no session.
    @inlinable public static var none: UInt32 { @_noLocks get { .max } }

    /// What it has room for.
    public let size: LinkSize
    let hash: KeyedHash
    let slotMask: UInt32
    let rows: AtomicCells
    let entries: AtomicCells
    let sessions: AtomicCells
    let windows: AtomicCells
    let facts: Column<SessionFacts>
    let keys: Column<SessionKeys>
    let workers: AtomicCells
    let shared: AtomicCells
    let sources: AtomicCells

    /// A table over zeroed memory of `arena`, or over the memory that another had with the same
    /// size and hash. It holds keys: it belongs in memory that is in no core dump.
    public init(_ arena: inout Arena, _ size: LinkSize, hash: KeyedHash) {
        self.size = size
        self.hash = hash
        var slots: UInt32 = 64
        while slots < UInt32(size.sessions) { slots *= 2 }
        slotMask = slots - 1
        rows = AtomicCells(arena.region(8 * RowCell.count * size.peers))
        entries = AtomicCells(arena.region(8 * size.entries))
        sessions = AtomicCells(arena.region(8 * SessionCell.count * size.sessions))
        windows = AtomicCells(arena.region(8 * ReplayWindow.cells * size.sessions))
        facts = arena.column(SessionFacts.self, size.sessions)
        keys = arena.column(SessionKeys.self, size.sessions)
        workers = AtomicCells(arena.region(64 * size.workers))
        shared = AtomicCells(arena.region(8 * SharedCell.count))
        sources = AtomicCells(arena.region(8 * LinkGate.sources))
    }

    /// Bytes of memory for a size.
    public static func byteCount(_ size: LinkSize) -> Int { measure(size).used }

    /// Digest of how the memory is divided (`Arena.layout`).
    public static func layout(_ size: LinkSize) -> UInt64 { measure(size).layout }

    private static func measure(_ size: LinkSize) -> Arena {
        var arena = Arena()
        _ = LinkTable(&arena, size, hash: KeyedHash(0, 0))
        return arena
    }

    // MARK: Peers

    /// The row of the neighbour with a key id; `none` if there is none.
    @_noLocks
    public func peer(keyID: UInt32) -> UInt32 {
        let mask = entries.count - 1
        var place = Int(truncatingIfNeeded: hash.hash(UInt64(keyID))) & mask
        for _ in 0..<entries.count {
            let entry = PeerEntry(entries.loadAcquiring(place))
            if entry.isEmpty { break }
            if entry.keyID == keyID, !entry.isGone { return entry.row }
            place = (place + 1) & mask
        }
        return LinkTable.none
    }

    /// The key id of the neighbour in a row.
    @_noLocks
    public func keyID(_ row: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: rows.load(cell(row, RowCell.keyID)))
    }

    /// True if the row is a neighbour's.
    @_noLocks
    public func isPeer(_ row: UInt32) -> Bool { rows.load(cell(row, RowCell.keyID)) >> 32 != 0 }

    /// Says that packets wait for a session with the peer; the desk begins one.
    @_noLocks
    public func want(_ row: UInt32) {
        guard rows.load(cell(row, RowCell.wanted)) == 0 else { return }
        rows.store(1, cell(row, RowCell.wanted))
        shared.add(1, SharedCell.wants)
    }

    /// Changes whenever a worker wants a session that it did not want before: who drives the desk
    /// looks here.
    @_noLocks
    public func wants() -> UInt64 { shared.load(SharedCell.wants) }

    // MARK: Cells

    @_noLocks
    func cell(_ row: UInt32, _ field: Int) -> Int {
        assert(row < UInt32(size.peers))
        return RowCell.count * Int(row) + field
    }

    @_noLocks
    func sessionCell(_ slot: UInt32, _ field: Int) -> Int {
        assert(slot < UInt32(size.sessions))
        return SessionCell.count * Int(slot) + field
    }

    @_noLocks
    func window(_ slot: UInt32) -> ReplayWindow {
        ReplayWindow(windows, first: ReplayWindow.cells * Int(slot))
    }

    /// The slot of a session by our index; `none` if no session has the index in a phase that
    /// `isGood`.
    @_noLocks
    func slot(index: UInt32, opening: Bool) -> UInt32 {
        let slot = index & slotMask
        guard slot < UInt32(size.sessions) else { return LinkTable.none }
        let state = SessionState(sessions.loadAcquiring(sessionCell(slot, SessionCell.state)))
        guard state.index == index else { return LinkTable.none }
        let isGood = opening ? state.phase.opens : state.phase.isBegun
        return isGood ? slot : LinkTable.none
    }
}

/// An entry of the index of key ids: one word, so that a reader sees all of it or nothing.
struct PeerEntry {
    let word: UInt64

    @_noLocks
    init(_ word: UInt64) { self.word = word }

    @_noLocks
    init(keyID: UInt32, row: UInt32) { word = UInt64(keyID) << 32 | UInt64(row + 1) }

    /// What a removed peer leaves: lookups pass over it.
    static var gone: UInt64 { @_noLocks get { UInt64(UInt32.max) } }

    var isEmpty: Bool { @_noLocks get { word == 0 } }
    var isGone: Bool { @_noLocks get { word == PeerEntry.gone } }
    var keyID: UInt32 { @_noLocks get { UInt32(truncatingIfNeeded: word >> 32) } }
    var row: UInt32 { @_noLocks get { UInt32(truncatingIfNeeded: word) &- 1 } }
}
