internal import Bytes

/// How many packets a neighbour may send: a bucket of tokens each, found by a keyed hash of its key
/// id and shared by those that collide.
struct PeerBudget {
    private struct Row: BitwiseCopyable {
        var nanos: UInt64 = 0
        /// Nanoseconds' worth of packets that may come at once.
        var saved: UInt64 = 0
    }

    private static var burstNanos: UInt64 { @_noLocks get { 100_000_000 } }

    private let rows: Column<Row>
    private let hash: KeyedHash
    private let nanosPerPacket: UInt64

    /// No limit if `packetsPerSecond` is 0.
    init(_ arena: inout Arena, rows: Int, packetsPerSecond: Int, hash: KeyedHash) {
        var rounded = 16
        while rounded < rows { rounded *= 2 }
        self.rows = arena.column(Row.self, rounded)
        self.hash = hash
        nanosPerPacket = packetsPerSecond == 0 ? 0 : 1_000_000_000 / UInt64(packetsPerSecond)
    }

    /// True if the neighbour may send one more packet; it has used it then.
    @_noLocks
    func take(_ keyID: UInt32, nowNanos: UInt64) -> Bool {
        guard nanosPerPacket > 0 else { return true }
        let place = Int(truncatingIfNeeded: hash.hash(UInt64(keyID))) & (rows.count - 1)
        var row = rows[place]
        let burst = max(PeerBudget.burstNanos, nanosPerPacket)
        row.saved = row.nanos == 0 ? burst : min(burst, row.saved + (nowNanos - row.nanos))
        row.nanos = nowNanos
        let enough = row.saved >= nanosPerPacket
        if enough { row.saved -= nanosPerPacket }
        rows[place] = row
        return enough
    }
}
