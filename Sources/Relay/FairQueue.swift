public import Bytes

/// Packets that wait for the curve arithmetic, a queue for each neighbour.
///
/// Neighbours take turns by deficit round robin (Shreedhar and Varghese 1995), counted in CPU time:
/// a packet that is taken is charged the cost of an accepted one; `refund` gives back what it did
/// not cost, so that a neighbour's junk is charged like anything else. A turn adds the cost of one
/// accepted packet.
///
/// What does not fit is dropped at the neighbour that has most packets here, the newest first; so a
/// neighbour that sends less than its share loses nothing. Neighbours have rows of their own, by
/// link row: none can be pushed out by another. Everything is O(1) for a packet.
public struct FairQueue {
    static var none: UInt32 { @_noLocks get { .max } }

    /// How much may wait, and how long.
    public struct Limits: BitwiseCopyable, Sendable, Equatable {
        /// Most packets.
        public var packets = 4_096
        /// Most packets of one neighbour.
        public var packetsPerNeighbour = 2_048
        /// A packet that has waited longer is dropped.
        public var ageNanos: UInt64 = 100_000_000

        /// Defaults.
        public init() {}
    }

    /// What is known of a packet, by its slot. `cameNanos` and `row` stay until the slot is used
    /// again.
    struct Entry: BitwiseCopyable {
        var cameNanos: UInt64 = 0
        var row: UInt32 = .max
        /// Neighbours in the queue of the row.
        var ahead: UInt32 = .max
        var behind: UInt32 = .max
        /// Neighbours in the list of all packets.
        var older: UInt32 = .max
        var younger: UInt32 = .max
    }

    struct Row: BitwiseCopyable {
        var first: UInt32 = .max
        var last: UInt32 = .max
        var count: UInt32 = 0
        /// The row that is served after this one.
        var next: UInt32 = .max
        /// Neighbours among the rows with as many packets.
        var left: UInt32 = .max
        var right: UInt32 = .max
        var isInRound = false
        /// CPU time this row may still use in its turn.
        var creditNanos: UInt64 = 0
    }

    struct State: BitwiseCopyable {
        var count: UInt32 = 0
        var oldest: UInt32 = .max
        var youngest: UInt32 = .max
        /// The row whose turn it is, and the row that was added last.
        var roundFirst: UInt32 = .max
        var roundLast: UInt32 = .max
        /// The row whose turn it is has been given its credit.
        var isServing = false
        /// Packets of the row that has most.
        var heaviest: UInt32 = 0
    }

    let entries: Column<Entry>
    let rows: Column<Row>
    /// One of the rows with so many packets.
    let levels: Column<UInt32>
    let state: Column<State>
    private let limits: Limits
    private let turnNanos: UInt64

    /// Takes memory for packets in `slots` slots, from neighbours with link rows below `rows`; call
    /// `clear` before use.
    public init(
        _ arena: inout Arena,
        slots: Int,
        rows: Int,
        limits: Limits = Limits(),
        costs: PacketCosts = PacketCosts()
    ) {
        precondition(costs.isSound && limits.packets > 0 && limits.packetsPerNeighbour > 0)
        entries = arena.column(Entry.self, slots)
        self.rows = arena.column(Row.self, rows)
        levels = arena.column(UInt32.self, limits.packetsPerNeighbour + 1)
        state = arena.column(State.self, 1)
        self.limits = limits
        turnNanos = costs.acceptedNanos
    }

    /// Makes the queue empty.
    public func clear() {
        for row in 0..<rows.count { rows[row] = Row() }
        levels.region.fill(0xff)
        state[0] = State()
    }

    /// Packets that wait.
    public var count: Int {
        @_noLocks
        get { Int(state[0].count) }
    }

    /// Packets of a neighbour that wait.
    @_noLocks
    public func count(row: UInt32) -> Int { Int(rows[Int(row)].count) }

    /// Link row of the neighbour that sent the packet in a slot: from `push` on, until the slot is
    /// pushed again.
    @_noLocks
    public func row(_ slot: UInt32) -> UInt32 { entries[Int(slot)].row }

    /// When the packet in a slot came; as long as `row`.
    @_noLocks
    public func cameNanos(_ slot: UInt32) -> UInt64 { entries[Int(slot)].cameNanos }

    /// Adds a packet.
    ///
    /// - Parameter cameNanos: when it came; packets grow old in the order they are pushed in.
    /// - Returns: the slot of the packet that must go instead (`queueFull`), which may be this one.
    @_noLocks
    public func push(_ slot: UInt32, row: UInt32, cameNanos: UInt64) -> UInt32? {
        let waiting = Int(rows[Int(row)].count)
        if waiting >= limits.packetsPerNeighbour { return keep(slot, row, cameNanos) }
        guard Int(state[0].count) >= limits.packets else {
            append(slot, Entry(cameNanos: cameNanos, row: row))
            return nil
        }
        let heaviest = state[0].heaviest
        // It would be one of the heaviest itself.
        if waiting + 1 >= Int(heaviest) { return keep(slot, row, cameNanos) }
        let victim = rows[Int(levels[Int(heaviest)])].last
        remove(victim)
        append(slot, Entry(cameNanos: cameNanos, row: row))
        return victim
    }

    /// True if a packet of the neighbour that came now would be dropped.
    ///
    /// - Parameters:
    ///   - mine: packets of the neighbour that are about to be pushed before it.
    ///   - all: packets of all neighbours that are.
    @_noLocks
    public func refuses(row: UInt32, after mine: Int = 0, of all: Int = 0) -> Bool {
        let waiting = Int(rows[Int(row)].count) + mine
        if waiting >= limits.packetsPerNeighbour { return true }
        return Int(state[0].count) + all >= limits.packets
            && waiting + 1 >= Int(state[0].heaviest)
    }

    /// Fewer packets than this refuse nobody.
    var refusesFrom: Int {
        @_noLocks
        get { min(limits.packets, limits.packetsPerNeighbour) }
    }

    /// The slot of a packet that goes at once: what is known of it stays.
    @_noLocks
    private func keep(_ slot: UInt32, _ row: UInt32, _ cameNanos: UInt64) -> UInt32 {
        entries[Int(slot)] = Entry(cameNanos: cameNanos, row: row)
        return slot
    }

    /// Removes the oldest packet if it has waited too long (`queueAge`); call until nil.
    @_noLocks
    public func popAged(nowNanos: UInt64) -> UInt32? {
        let slot = state[0].oldest
        guard slot != FairQueue.none, nowNanos > limits.ageNanos,
            entries[Int(slot)].cameNanos < nowNanos - limits.ageNanos
        else { return nil }
        remove(slot)
        return slot
    }

    /// Time stood still for so long: no packet has grown older by that.
    func postpone(nanos: UInt64) {
        for slot in 0..<entries.count { entries[slot].cameNanos &+= nanos }
    }

    /// When the oldest packet will have waited too long; nil if none waits.
    public var agedNanos: UInt64? {
        @_noLocks
        get {
            let slot = state[0].oldest
            guard slot != FairQueue.none else { return nil }
            return entries[Int(slot)].cameNanos + limits.ageNanos
        }
    }

    /// Takes packets in turn.
    ///
    /// - Parameters:
    ///   - out: where their slots go, from 0 on.
    ///   - most: most packets taken, at most `out.count`.
    /// - Returns: how many.
    @_noLocks
    public func take(into out: Column<UInt32>, most: Int) -> Int {
        var taken = 0
        while taken < most, state[0].roundFirst != FairQueue.none {
            taken = serve(Int(state[0].roundFirst), into: out, from: taken, to: most)
        }
        return taken
    }

    /// One neighbour's turn, or what is left of it; returns the end of what is in `out`.
    @_noLocks
    private func serve(_ row: Int, into out: Column<UInt32>, from: Int, to end: Int) -> Int {
        var taken = from
        var credit = rows[row].creditNanos
        if !state[0].isServing {
            credit += turnNanos
            state[0].isServing = true
        }
        while taken < end, credit >= turnNanos, rows[row].count > 0 {
            let slot = rows[row].first
            remove(slot)
            out[taken] = slot
            taken += 1
            credit -= turnNanos
        }
        rows[row].creditNanos = credit
        if rows[row].count == 0 || credit < turnNanos { endTurn(row) }
        return taken
    }

    /// Gives a neighbour back what a packet that was taken did not cost. An idle neighbour saves
    /// nothing.
    @_noLocks
    public func refund(row: UInt32, spentNanos: UInt64) {
        guard spentNanos < turnNanos, rows[Int(row)].isInRound else { return }
        rows[Int(row)].creditNanos += turnNanos - spentNanos
    }
}
