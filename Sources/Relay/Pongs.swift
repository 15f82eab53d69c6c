internal import Bytes

/// Pings that wait for their answer, the last one of each neighbour.
struct Pongs {
    private struct Row: BitwiseCopyable {
        var count: UInt8 = 0
        var body = FixedBytes<64>()
    }

    private struct State: BitwiseCopyable {
        var count: UInt32 = 0
    }

    private let rows: Column<Row>
    /// Rows with a ping, and some whose ping was answered since.
    private let asked: Column<UInt32>
    private let state: Column<State>

    /// Takes zeroed memory for neighbours with link rows below `rows`.
    init(_ arena: inout Arena, rows: Int) {
        self.rows = arena.column(Row.self, rows)
        asked = arena.column(UInt32.self, rows)
        state = arena.column(State.self, 1)
    }

    /// Keeps a ping of 8 to 64 bytes in place of the one before.
    @_noLocks
    func keep(_ body: Region, for row: UInt32) {
        assert(body.byteCount > 0 && body.byteCount <= 64)
        if rows[Int(row)].count == 0 {
            guard Int(state[0].count) < asked.count else { return }
            asked[Int(state[0].count)] = row
            state[0].count += 1
        }
        let kept = rows.region(Int(row))
        kept.store(UInt8(truncatingIfNeeded: body.byteCount), 0)
        kept.copy(body, to: 1)
    }

    /// A neighbour with a ping; nil if there is none. Take its ping next.
    @_noLocks
    func next() -> UInt32? {
        while state[0].count > 0 {
            state[0].count -= 1
            let row = asked[Int(state[0].count)]
            if rows[Int(row)].count > 0 { return row }
        }
        return nil
    }

    /// The ping of a neighbour, which is answered then; valid until the next `keep`.
    @_noLocks
    func take(_ row: UInt32) -> Region? {
        let count = Int(rows[Int(row)].count)
        guard count > 0 else { return nil }
        rows[Int(row)].count = 0
        return rows.region(Int(row)).slice(1, count)
    }
}
