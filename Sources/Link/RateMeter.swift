internal import Bytes

/// A rate in one shared cell: when what has come so far would have come at the rate allowed.
struct RateMeter {
    let cells: AtomicCells
    let cell: Int
    let intervalNanos: UInt64
    let burstNanos: UInt64

    /// At most `perSecond`, and `burst` at once.
    @_noLocks
    init(_ cells: AtomicCells, _ cell: Int, perSecond: UInt64, burst: UInt64) {
        self.cells = cells
        self.cell = cell
        intervalNanos = 1_000_000_000 / perSecond
        burstNanos = burst * intervalNanos
    }

    /// One more: false if that is too many, and then it does not count.
    @_noLocks
    func take(_ nowNanos: UInt64) -> Bool {
        while true {
            let seen = cells.load(cell)
            let next = max(seen, nowNanos) + intervalNanos
            guard next <= nowNanos + burstNanos else { return false }
            if cells.exchange(cell, expected: seen, desired: next) { return true }
        }
    }

    /// One more, which counts in any case, but never for longer than a second; true if that is too
    /// many.
    @_noLocks
    func overflows(_ nowNanos: UInt64) -> Bool {
        let most = nowNanos + burstNanos + 1_000_000_000
        while true {
            let seen = cells.load(cell)
            let next = min(max(seen, nowNanos) + intervalNanos, most)
            if cells.exchange(cell, expected: seen, desired: next) {
                return next > nowNanos + burstNanos
            }
        }
    }
}
