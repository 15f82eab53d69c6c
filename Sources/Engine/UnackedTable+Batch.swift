package import Bytes

/// What a batch is looked for by.
package struct UnackedLanes {
    /// To be filled in by who asks.
    package let digest: Column<UInt64>
    /// Where something was found.
    let place: Column<UInt32>
    fileprivate let touched: Column<UInt8>

    /// Takes memory.
    package init(_ arena: inout Arena) {
        digest = arena.column(UInt64.self, Batch.capacity)
        place = arena.column(UInt32.self, Batch.capacity)
        touched = arena.column(UInt8.self, 1)
    }
}

// Many entries. The loops do nothing but read, so that the processor has many of them under way.
extension UnackedTable {
    /// Finds entries whose time is over, and touches them; they stay until they are removed.
    ///
    /// - Parameters:
    ///   - lanes: filled from the front.
    ///   - budget: see `UnackedSlices.over`.
    /// - Returns: how many were found.
    @_noLocks
    func over(nowNanos: UInt64, into lanes: UnackedLanes, budget: inout Int) -> Int {
        let count = slices.over(nowNanos: nowNanos, into: lanes.place, budget: &budget)
        touchEntries(lanes, .first(count))
        for lane in 0..<count { lanes.digest[lane] = digest(hint(lanes.place[lane])) }
        touchIndex(lanes, .first(count))
        return count
    }

    /// Brings near what a search for these lanes' digests reads.
    @_noLocks
    package func touch(_ lanes: UnackedLanes, _ mask: LaneMask) {
        touchIndex(lanes, mask)
        var left = mask
        var found: LaneMask = 0
        while let lane = left.popFirst() {
            let place = index.likely(lanes.digest[lane])
            lanes.place[lane] = place
            if place != UnackedTable.none { found |= 1 << LaneMask(lane) }
        }
        touchEntries(lanes, found)
    }

    /// Brings near the places of the next `count` entries.
    @_noLocks
    package func touchFree(_ lanes: UnackedLanes, count: Int) {
        let count = min(count, freeCount)
        for lane in 0..<count { lanes.place[lane] = free[freeCount - 1 - lane] }
        touchEntries(lanes, .first(count))
    }

    @_noLocks
    private func touchIndex(_ lanes: UnackedLanes, _ mask: LaneMask) {
        var left = mask
        var sum: UInt8 = 0
        while let lane = left.popFirst() { sum ^= index.touch(lanes.digest[lane]) }
        lanes.touched[0] = sum
    }

    @_noLocks
    private func touchEntries(_ lanes: UnackedLanes, _ mask: LaneMask) {
        var left = mask
        var sum: UInt8 = 0
        while let lane = left.popFirst() {
            let place = lanes.place[lane]
            let entry = entry(place)
            sum ^= slices.touch(place) ^ entry.byte(0) ^ entry.byte(64) ^ entry.byte(128)
        }
        lanes.touched[0] = sum
    }
}
