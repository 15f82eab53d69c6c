internal import Bytes
internal import Tickets

/// Acknowledgements that wait for company: one row a neighbour, sent when a frame is full or its
/// first one has waited long enough. Rows are link rows.
struct AckQueue {
    static var none: UInt32 { @_noLocks get { .max } }

    private struct Row: BitwiseCopyable {
        var keyID: UInt32 = 0
        var count: UInt32 = 0
        var dueNanos: UInt64 = 0
        /// When the first one was added.
        var sinceNanos: UInt64 = 0
        /// Neighbours in the list of rows in use, by the time they are due.
        var older: UInt32 = .max
        var younger: UInt32 = .max
    }

    private struct Ends: BitwiseCopyable {
        var oldest: UInt32 = .max
        var youngest: UInt32 = .max
        var waiting: UInt64 = 0
    }

    private let rows: Column<Row>
    private let acks: Column<Acknowledgement>
    private let ends: Column<Ends>
    private let waitNanos: UInt64
    let capacity: Int

    /// Takes memory for neighbours with link rows below `rows`, with `capacity` each; call `clear`
    /// before use.
    init(
        _ arena: inout Arena,
        rows: Int,
        capacity: Int,
        waitNanos: UInt64
    ) {
        self.rows = arena.column(Row.self, rows)
        acks = arena.column(Acknowledgement.self, rows * capacity)
        ends = arena.column(Ends.self, 1)
        self.capacity = capacity
        self.waitNanos = waitNanos
    }

    /// Makes the queue empty.
    func clear() {
        for row in 0..<rows.count { rows[row] = Row() }
        ends[0] = Ends()
    }

    /// Acknowledgements that wait.
    var count: Int {
        @_noLocks
        get { Int(ends[0].waiting) }
    }

    /// True if the row is free, or this neighbour's and not full.
    @_noLocks
    func takes(_ row: UInt32, _ keyID: UInt32) -> Bool {
        let entry = rows[Int(row)]
        return entry.count == 0 || entry.keyID == keyID && Int(entry.count) < capacity
    }

    /// Adds to a row that takes it; returns true if the row is full now.
    @_noLocks
    func add(_ row: UInt32, _ keyID: UInt32, _ ack: Acknowledgement, nowNanos: UInt64) -> Bool {
        assert(takes(row, keyID))
        if rows[Int(row)].count == 0 { begin(row, keyID, nowNanos) }
        var entry = rows[Int(row)]
        acks[Int(row) * capacity + Int(entry.count)] = ack
        entry.count += 1
        rows[Int(row)] = entry
        count(by: 1)
        return Int(entry.count) == capacity
    }

    /// The neighbour of a row in use.
    @_noLocks
    func keyID(_ row: UInt32) -> UInt32 { rows[Int(row)].keyID }

    /// Acknowledgements in a row.
    @_noLocks
    func count(_ row: UInt32) -> Int { Int(rows[Int(row)].count) }

    /// What waits in a row: `capacity` entries, `count` of them in use.
    @_noLocks
    func acks(_ row: UInt32) -> Column<Acknowledgement> {
        let entry = Acknowledgements.byteCount
        return acks.region.column(Int(row) * capacity * entry, count: capacity)
    }

    /// The row that is due next; `none` if nothing waits.
    var oldest: UInt32 {
        @_noLocks
        get { ends[0].oldest }
    }

    /// When a row in use is due.
    @_noLocks
    func dueNanos(_ row: UInt32) -> UInt64 { rows[Int(row)].dueNanos }

    /// A row in use waits once more; false if it has waited for longer than `mostNanos`.
    @_noLocks
    func postpone(_ row: UInt32, nowNanos: UInt64, mostNanos: UInt64) -> Bool {
        let entry = rows[Int(row)]
        guard nowNanos - entry.sinceNanos <= mostNanos else { return false }
        unlink(row)
        enter(row, entry, nowNanos)
        return true
    }

    @_noLocks
    private func begin(_ row: UInt32, _ keyID: UInt32, _ nowNanos: UInt64) {
        enter(row, Row(keyID: keyID, sinceNanos: nowNanos), nowNanos)
    }

    /// Puts a row at the end of the list.
    @_noLocks
    private func enter(_ row: UInt32, _ new: Row, _ nowNanos: UInt64) {
        var (entry, ends) = (new, self.ends[0])
        entry.dueNanos = nowNanos + waitNanos
        entry.older = ends.youngest
        entry.younger = AckQueue.none
        rows[Int(row)] = entry
        if ends.youngest == AckQueue.none { ends.oldest = row } else { link(ends.youngest, row) }
        ends.youngest = row
        self.ends[0] = ends
    }

    @_noLocks
    private func link(_ older: UInt32, _ younger: UInt32) {
        var entry = rows[Int(older)]
        entry.younger = younger
        rows[Int(older)] = entry
    }

    /// Empties a row.
    @_noLocks
    func remove(_ row: UInt32) {
        let count = rows[Int(row)].count
        guard count > 0 else { return }
        unlink(row)
        var ends = self.ends[0]
        ends.waiting -= UInt64(count)
        self.ends[0] = ends
        rows[Int(row)] = Row()
    }

    /// Removes the first `count` of a row.
    @_noLocks
    func remove(_ row: UInt32, _ count: Int) {
        let left = self.count(row) - count
        guard left > 0 else { return remove(row) }
        let mine = acks(row)
        for index in 0..<left { mine[index] = mine[count + index] }
        rows[Int(row)].count = UInt32(truncatingIfNeeded: left)
        self.count(by: 0 &- UInt64(count))
    }

    /// Takes a row out of the list.
    @_noLocks
    private func unlink(_ row: UInt32) {
        let entry = rows[Int(row)]
        var ends = self.ends[0]
        if entry.older == AckQueue.none {
            ends.oldest = entry.younger
        } else {
            link(entry.older, entry.younger)
        }
        if entry.younger == AckQueue.none {
            ends.youngest = entry.older
        } else {
            var younger = rows[Int(entry.younger)]
            younger.older = entry.older
            rows[Int(entry.younger)] = younger
        }
        self.ends[0] = ends
    }

    @_noLocks
    private func count(by step: UInt64) {
        var ends = self.ends[0]
        ends.waiting &+= step
        self.ends[0] = ends
    }
}
