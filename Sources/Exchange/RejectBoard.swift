public import Bytes

/// Which neighbour had how many packets refused, and why: written by one worker, read by control
/// for its log.
///
/// A small table that never grows. A pair that finds no place is not noted; it is still counted
/// among the drops. Neighbours are those of the register, so the table needs no secret hash.
public struct RejectBoard: Sendable {
    /// A neighbour, a reason, and how often.
    public struct Entry: Sendable, Equatable {
        /// The neighbour; `.max` for senders that are not in the register.
        public var keyID: UInt32
        /// Why.
        public var reason: Drop
        /// How often since the start.
        public var count: UInt64
    }

    static var places: Int { @_noLocks get { 512 } }
    private static var probes: Int { @_noLocks get { 16 } }

    private let cells: AtomicCells
    private let first: Int

    @_noLocks
    init(_ cells: AtomicCells, first: Int) {
        self.cells = cells
        self.first = first
    }

    /// Notes a refused packet.
    @_noLocks
    public func note(keyID: UInt32, _ reason: Drop) {
        let key = 1 << 63 | UInt64(keyID) << 8 | UInt64(reason.index)
        var place = Int((key &* 0x9e37_79b9_7f4a_7c15) >> 55)
        for _ in 0..<RejectBoard.probes {
            let cell = first + 2 * place
            let found = cells.load(cell)
            if found == 0 { cells.storeReleasing(key, cell) }
            if found == 0 || found == key { return cells.bump(cell + 1, by: 1) }
            place = (place + 1) & (RejectBoard.places - 1)
        }
    }

    /// All pairs that occurred.
    public var entries: [Entry] {
        (0..<RejectBoard.places).compactMap { place in
            let key = cells.loadAcquiring(first + 2 * place)
            guard key != 0 else { return nil }
            return Entry(
                keyID: UInt32(truncatingIfNeeded: key >> 8),
                reason: Drop(index: UInt8(truncatingIfNeeded: key)),
                count: cells.load(first + 2 * place + 1)
            )
        }
    }
}
