public import Bytes

/// What changes with every packet of a channel: one slot per channel, shared by all workers and
/// control, all of it atomic.
///
/// Incoming: the floor below which indices are decided, the window of indices seen, and the amount
/// reserved for tickets that are held. Outgoing: the next index and the limit up to which indices
/// are reserved durably.
public struct ChannelBooks: Sendable {
    /// Indices that the window remembers below the highest seen.
    @inlinable public static var windowSpan: UInt64 { @_noLocks get { 65_536 } }
    /// The furthest an issuer may jump ahead.
    @inlinable public static var jumpMax: UInt64 { @_noLocks get { 1 << 32 } }

    // Twice the window: the newest word may be begun while the oldest is still half in use.
    static var wordsPerSlot: Int { @_noLocks get { Int(windowSpan) / 16 } }
    static var cellsPerSlot: Int { @_noLocks get { 8 } }

    /// Number of slots.
    public let slotCount: Int
    /// All bytes, for comparing and saving.
    public let region: Region
    private let cells: AtomicCells
    private let amounts: AtomicAmounts
    private let window: AtomicCells

    private enum Cell {
        static var floor: Int { @_noLocks get { 0 } }
        static var top: Int { @_noLocks get { 1 } }
        static var nextIndex: Int { @_noLocks get { 2 } }
        static var indexLimit: Int { @_noLocks get { 3 } }
        static var stopped: Int { @_noLocks get { 4 } }
    }

    /// Bytes for `slots` channels.
    public static func byteCount(slots: Int) -> Int {
        slots * 8 * (cellsPerSlot + 2 + wordsPerSlot)
    }

    /// Books over zeroed memory, or memory that held books, on a 64-byte boundary.
    public init(_ region: Region, slots: Int) {
        precondition(region.byteCount >= ChannelBooks.byteCount(slots: slots), "books too small")
        self.region = region
        slotCount = slots
        let cellBytes = slots * 8 * ChannelBooks.cellsPerSlot
        cells = AtomicCells(region.slice(0, cellBytes))
        amounts = AtomicAmounts(region.slice(cellBytes, 16 * slots))
        window = AtomicCells(
            region.slice(cellBytes + 16 * slots, 8 * ChannelBooks.wordsPerSlot * slots)
        )
    }

    @_noLocks
    private func cell(_ slot: UInt32, _ which: Int) -> Int {
        Int(slot) * ChannelBooks.cellsPerSlot + which
    }

    // MARK: control

    /// Makes a slot new; no snapshot in use may name it.
    public func clear(_ slot: UInt32) {
        for which in 0..<ChannelBooks.cellsPerSlot { cells.store(0, cell(slot, which)) }
        while true {
            let old = amounts.load(Int(slot))
            if amounts.exchange(Int(slot), expected: old, desired: 0) { break }
        }
        let first = Int(slot) * ChannelBooks.wordsPerSlot
        for word in 0..<ChannelBooks.wordsPerSlot { window.storeReleasing(0, first + word) }
    }

    /// Raises the floor: indices below are decided.
    @_noLocks
    public func raiseFloor(_ slot: UInt32, to floor: UInt64) {
        cells.raise(floor, cell(slot, Cell.floor))
    }

    /// Lowest index that may still come.
    @_noLocks
    public func floor(_ slot: UInt32) -> UInt64 { cells.loadAcquiring(cell(slot, Cell.floor)) }

    /// One above the highest index accepted, 0 before the first.
    @_noLocks
    public func top(_ slot: UInt32) -> UInt64 { cells.loadAcquiring(cell(slot, Cell.top)) }

    /// Stops or resumes taking tickets (`commitmentUnknown`).
    public func setStopped(_ slot: UInt32, _ stopped: Bool) {
        cells.storeReleasing(stopped ? 1 : 0, cell(slot, Cell.stopped))
    }

    /// True if no tickets are taken.
    @_noLocks
    public func stopped(_ slot: UInt32) -> Bool { cells.load(cell(slot, Cell.stopped)) != 0 }

    /// Sets the next index to issue; only before the slot is used.
    public func setNextIndex(_ slot: UInt32, _ index: UInt64) {
        cells.storeReleasing(index, cell(slot, Cell.nextIndex))
    }

    /// Raises the limit after the block below it has been made durable.
    public func raiseIndexLimit(_ slot: UInt32, to limit: UInt64) {
        cells.raise(limit, cell(slot, Cell.indexLimit))
    }

    /// First index that is not reserved durably.
    @_noLocks
    public func indexLimit(_ slot: UInt32) -> UInt64 {
        cells.loadAcquiring(cell(slot, Cell.indexLimit))
    }

    // MARK: outgoing indices

    /// Next index to issue.
    @_noLocks
    public func nextIndex(_ slot: UInt32) -> UInt64 {
        cells.loadAcquiring(cell(slot, Cell.nextIndex))
    }

    /// True if an index can be taken.
    @_noLocks
    public func hasIndex(_ slot: UInt32) -> Bool { nextIndex(slot) < indexLimit(slot) }

    /// Takes the next index; nil at the durable limit.
    @_noLocks
    public func takeIndex(_ slot: UInt32) -> UInt64? {
        while true {
            let next = nextIndex(slot)
            guard next < indexLimit(slot) else { return nil }
            if cells.exchange(cell(slot, Cell.nextIndex), expected: next, desired: next + 1) {
                return next
            }
        }
    }

    // MARK: reservations

    /// Amount reserved for tickets that are held.
    @_noLocks
    public func reserved(_ slot: UInt32) -> UInt128 { amounts.load(Int(slot)) }

    /// True if `amount` more can be reserved.
    @_noLocks
    public func covers(_ slot: UInt32, _ amount: UInt128, balance: UInt128) -> Bool {
        let held = reserved(slot)
        return held <= balance && amount <= balance - held
    }

    /// Reserves `amount` if the balance covers it.
    @_noLocks
    public func reserve(_ slot: UInt32, _ amount: UInt128, balance: UInt128) -> Bool {
        while true {
            let held = reserved(slot)
            guard held <= balance, amount <= balance - held else { return false }
            if amounts.exchange(Int(slot), expected: held, desired: held + amount) { return true }
        }
    }

    /// Gives back a reservation: the ticket is lost, void or redeemed.
    @_noLocks
    public func release(_ slot: UInt32, _ amount: UInt128) {
        while true {
            let held = reserved(slot)
            let left = held >= amount ? held - amount : 0
            if amounts.exchange(Int(slot), expected: held, desired: left) { return }
        }
    }

    /// Reserves whatever the balance: claims found on disk at start.
    public func restore(_ slot: UInt32, _ amount: UInt128) {
        while true {
            let held = reserved(slot)
            if amounts.exchange(Int(slot), expected: held, desired: held + amount) { return }
        }
    }

    // MARK: index window
    //
    // A word covers 32 indices: the upper half says which 32, the lower half has a bit for each.
    // With 4,096 words in a ring, one compare-and-swap both slides and marks.

    /// Whether an index could be accepted now: `.none`, `.lateIndex`, `.indexReplay` or
    /// `.indexJump`.
    @_noLocks
    public func judge(_ slot: UInt32, _ index: UInt64) -> Drop {
        let top = top(slot)
        let floor = floor(slot)
        if index < floor || index + ChannelBooks.windowSpan < top { return .lateIndex }
        let word = window.loadAcquiring(place(slot, index))
        let mine = index >> 17
        if word >> 32 > mine { return .lateIndex }
        if word >> 32 == mine, word >> (index & 31) & 1 == 1 { return .indexReplay }
        if index > max(top, floor) + ChannelBooks.jumpMax { return .indexJump }
        return .none
    }

    /// Marks an index as seen, unless it cannot be accepted.
    @_noLocks
    public func mark(_ slot: UInt32, _ index: UInt64) -> Drop {
        while true {
            let verdict = judge(slot, index)
            guard verdict.index == 0 else { return verdict }
            let place = place(slot, index)
            let old = window.loadAcquiring(place)
            let mine = index >> 17
            guard old >> 32 <= mine else { continue }
            let kept = old >> 32 == mine ? old : mine << 32
            guard kept >> (index & 31) & 1 == 0 else { continue }
            if window.exchange(place, expected: old, desired: kept | 1 << (index & 31)) {
                cells.raise(index + 1, cell(slot, Cell.top))
                return .none
            }
        }
    }

    /// Takes a mark back; only for a packet that another worker overtook.
    @_noLocks
    public func unmark(_ slot: UInt32, _ index: UInt64) {
        let place = place(slot, index)
        while true {
            let old = window.loadAcquiring(place)
            guard old >> 32 == index >> 17 else { return }
            if window.exchange(place, expected: old, desired: old & ~(1 << (index & 31))) { return }
        }
    }

    @_noLocks
    private func place(_ slot: UInt32, _ index: UInt64) -> Int {
        Int(slot) * ChannelBooks.wordsPerSlot + Int(index >> 5 & 4_095)
    }
}
