internal import Bytes

/// Which counters of a session were taken, for many threads without a lock: none is ever taken
/// twice, and any counter is told apart from those taken for at least 8,192 below the highest.
///
/// A cell stands for 32 counters in a row: their block's number above, a bit for each below. Blocks
/// share cells in turn, and a cell only ever moves on to a later block; what is older than the
/// cell's block counts as taken.
struct ReplayWindow {
    /// Cells of a window: enough for all the blocks that 8,192 counters can touch, in whole cache
    /// lines.
    static var cells: Int { @_noLocks get { 264 } }

    private let words: AtomicCells
    private let first: Int

    /// The window in `cells` cells from `first`; zeros are an empty one.
    @_noLocks
    init(_ words: AtomicCells, first: Int) {
        self.words = words
        self.first = first
    }

    @_noLocks
    private func place(_ block: UInt64) -> Int {
        first + Int(truncatingIfNeeded: block % UInt64(ReplayWindow.cells))
    }

    /// False if the counter was taken or is too old. What is true may be false a moment later.
    @_noLocks
    func mayTake(_ counter: UInt64) -> Bool {
        let block = counter >> 5
        return ReplayWindow.next(words.load(place(block)), block, counter) != nil
    }

    /// Takes a counter, below 2^37; false if it was taken or is too old. Only for datagrams whose
    /// tag has been verified.
    @_noLocks
    func take(_ counter: UInt64) -> Bool {
        let block = counter >> 5
        let place = place(block)
        while true {
            let seen = words.load(place)
            guard let next = ReplayWindow.next(seen, block, counter) else { return false }
            if words.exchange(place, expected: seen, desired: next) { return true }
        }
    }

    /// The cell's next value; nil if it has the counter, or a later block.
    @_noLocks
    private static func next(_ seen: UInt64, _ block: UInt64, _ counter: UInt64) -> UInt64? {
        let bit: UInt64 = 1 << (counter & 31)
        let held = seen >> 32
        if held > block { return nil }
        if held < block { return block << 32 | bit }
        return seen & bit == 0 ? seen | bit : nil
    }
}
