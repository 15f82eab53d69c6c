internal import Bytes

/// What is counted per neighbour: entries of the unacknowledged table, and answers to refused
/// packets.
///
/// Rows are addressed by a keyed hash of the key id and shared by those that collide: the table is
/// bounded whatever the register holds, and who collides with whom nobody outside can choose.
struct PeerRows {
    struct Row: BitwiseCopyable {
        /// Entries that this neighbour must acknowledge.
        var awaited: UInt32 = 0
        /// Entries whose ticket came from this neighbour.
        var given: UInt32 = 0
        /// Answers to refused packets in this second.
        var answers: UInt32 = 0
        /// The second that `answers` counts.
        var second: UInt32 = 0
    }

    private let rows: Column<Row>
    private let hash: KeyedHash

    init(_ arena: inout Arena, count: Int, hash: KeyedHash) {
        var rounded = 64
        while rounded < count { rounded *= 2 }
        rows = arena.column(Row.self, rounded)
        self.hash = hash
    }

    @_noLocks
    private func place(_ keyID: UInt32) -> Int {
        Int(truncatingIfNeeded: hash.hash(UInt64(keyID))) & (rows.count - 1)
    }

    /// Entries that a neighbour must acknowledge.
    @_noLocks
    func awaited(_ keyID: UInt32) -> Int { Int(rows[place(keyID)].awaited) }

    /// Entries whose ticket came from a neighbour.
    @_noLocks
    func given(_ keyID: UInt32) -> Int { Int(rows[place(keyID)].given) }

    /// An entry came (+1) or went (-1).
    @_noLocks
    func change(next: UInt32, previous: UInt32, by step: Int32) {
        var row = rows[place(next)]
        row.awaited = UInt32(bitPattern: Int32(bitPattern: row.awaited) &+ step)
        rows[place(next)] = row
        row = rows[place(previous)]
        row.given = UInt32(bitPattern: Int32(bitPattern: row.given) &+ step)
        rows[place(previous)] = row
    }

    /// True if one more answer may be given to a neighbour in this second.
    @_noLocks
    func takeAnswer(_ keyID: UInt32, nowNanos: UInt64, limit: UInt32) -> Bool {
        var row = rows[place(keyID)]
        let second = UInt32(truncatingIfNeeded: nowNanos / 1_000_000_000)
        if row.second != second {
            row.second = second
            row.answers = 0
        }
        guard row.answers < limit else { return false }
        row.answers += 1
        rows[place(keyID)] = row
        return true
    }
}
