internal import Bytes

/// Packets that have left the mixer and wait for room on a link of a constant rate: a queue for
/// each neighbour, by link row, oldest first.
struct PaceQueue {
    private static var none: UInt32 { @_noLocks get { .max } }

    private struct Row: BitwiseCopyable {
        var first: UInt32 = .max
        var last: UInt32 = .max
        var count: UInt32 = 0
    }

    private struct State: BitwiseCopyable {
        var count: UInt32 = 0
    }

    private let rows: Column<Row>
    private let behind: Column<UInt32>
    private let state: Column<State>
    private let most: Int
    private let mostPerRow: Int

    /// Takes memory for at most `most` packets in `slots` slots; call `clear` before use. Half of
    /// them may wait for one neighbour.
    init(_ arena: inout Arena, slots: Int, rows: Int, most: Int) {
        self.rows = arena.column(Row.self, most > 0 ? rows : 0)
        behind = arena.column(UInt32.self, most > 0 ? slots : 0)
        state = arena.column(State.self, 1)
        self.most = most
        mostPerRow = max(1, most / 2)
    }

    /// Makes the queues empty.
    func clear() {
        for row in 0..<rows.count { rows[row] = Row() }
        state[0] = State()
    }

    /// Packets that wait.
    var count: Int { @_noLocks get { Int(state[0].count) } }

    /// The packet that has waited longest for a neighbour; nil if none waits.
    @_noLocks
    func first(_ row: UInt32) -> UInt32? {
        let slot = rows[Int(row)].first
        return slot == PaceQueue.none ? nil : slot
    }

    /// Adds a packet; false if there is no room.
    @_noLocks
    func push(_ slot: UInt32, _ row: UInt32) -> Bool {
        var entry = rows[Int(row)]
        guard count < most, Int(entry.count) < mostPerRow else { return false }
        behind[Int(slot)] = PaceQueue.none
        if entry.last == PaceQueue.none {
            entry.first = slot
        } else {
            behind[Int(entry.last)] = slot
        }
        entry.last = slot
        entry.count += 1
        rows[Int(row)] = entry
        state[0].count += 1
        return true
    }

    /// Removes the packet that `first` returned.
    @_noLocks
    func pop(_ row: UInt32) {
        var entry = rows[Int(row)]
        assert(entry.count > 0)
        entry.first = behind[Int(entry.first)]
        if entry.first == PaceQueue.none { entry.last = PaceQueue.none }
        entry.count -= 1
        rows[Int(row)] = entry
        state[0].count -= 1
    }
}
