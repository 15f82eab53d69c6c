package import Bytes
package import Tickets

/// Forwarded packets whose acknowledgement has not come: ticket and own half-key, found by hint.
///
/// A fixed number of entries of three cache lines each; hints are unique. `UnackedIndex` finds
/// them, `UnackedSlices` knows when they end, and a stack holds the free places: what was freed
/// last is used first, while it is still near.
///
/// A place is anywhere in gigabytes. Whoever has a batch asks for all of it first (`digest`,
/// `touch`), which waits for memory once instead of once a lane, and changes nothing.
///
/// Tickets are kept without their counterparty, our own address, which the table knows once.
package struct UnackedTable {
    /// No entry.
    package static var none: UInt32 { @_noLocks get { .max } }
    static var entryBytes: Int { @_noLocks get { 192 } }

    /// One awaited acknowledgement.
    package struct Entry: BitwiseCopyable {
        /// Key id of the neighbour that must acknowledge.
        package var nextKeyID: UInt32
        /// Key id of the neighbour the ticket came from.
        package var previousKeyID: UInt32
        /// Channel of the ticket; `.max` for a packet of our own, which has none.
        package var channel: UInt32

        /// An entry.
        @_noLocks
        package init(nextKeyID: UInt32, previousKeyID: UInt32, channel: UInt32) {
            self.nextKeyID = nextKeyID
            self.previousKeyID = previousKeyID
            self.channel = channel
        }

        fileprivate var hasTicket: Bool {
            @_noLocks
            get { channel != UnackedTable.none }
        }
    }

    // A search reads the first line only.
    private enum Field {
        static var hint: Int { @_noLocks get { 0 } }
        static var tick: Int { @_noLocks get { 34 } }
        static var next: Int { @_noLocks get { 36 } }
        static var previous: Int { @_noLocks get { 40 } }
        static var channel: Int { @_noLocks get { 44 } }
        static var ownHalfKey: Int { @_noLocks get { 48 } }
        static var claim: Int { @_noLocks get { 80 } }
    }

    private struct State: BitwiseCopyable {
        /// Places on the stack.
        var free: UInt32 = 0
        /// Entries with a ticket, and the counterparty of these.
        var tickets: UInt32 = 0
        var counterparty = Address()
    }

    /// Entries it takes.
    package let capacity: Int
    private let hash: KeyedHash
    private let lifeTicks: UInt64
    private let state: Column<State>
    let index: UnackedIndex
    let slices: UnackedSlices
    /// Stack of free places; what is in use of it is `freeCount`.
    let free: Column<UInt32>
    private let entries: Region

    /// Takes memory for `capacity` entries that live `lifeNanos`; call `clear` before use.
    package init(_ arena: inout Arena, capacity: Int, lifeNanos: UInt64, hash: KeyedHash) {
        self.capacity = capacity
        self.hash = hash
        lifeTicks = lifeNanos / UnackedTable.tickNanos
        state = arena.column(State.self, 1)
        index = UnackedIndex(&arena, capacity: capacity)
        slices = UnackedSlices(&arena, capacity: capacity, lifeNanos: lifeNanos)
        free = arena.column(UInt32.self, capacity)
        entries = arena.region(capacity * UnackedTable.entryBytes)
    }

    /// Makes the table empty.
    package func clear() {
        index.clear()
        slices.clear()
        entries.fill(0)
        for place in 0..<capacity { free[place] = UInt32(capacity - 1 - place) }
        var state = State()
        state.free = UInt32(capacity)
        self.state[0] = state
    }

    /// Entries in use.
    package var count: Int {
        @_noLocks
        get { capacity - freeCount }
    }

    /// Entries not in use.
    var freeCount: Int {
        @_noLocks
        get { Int(state[0].free) }
    }

    /// True if no entry is free.
    var isFull: Bool {
        @_noLocks
        get { freeCount == 0 }
    }

    /// True if the counterparty is that of all tickets in the table. It is our own address; should
    /// that change, the old one's tickets must have left before the new one's can come.
    @_noLocks
    func takes(counterparty: Address) -> Bool {
        let state = state[0]
        return state.tickets == 0 || equal(counterparty, state.counterparty)
    }

    @_noLocks
    func entry(_ place: UInt32) -> Region {
        entries.slice(Int(place) * UnackedTable.entryBytes, UnackedTable.entryBytes)
    }
}

// One entry.
extension UnackedTable {
    /// What an entry is looked for by, of 33 bytes of hint.
    @_noLocks
    package func digest(_ hint: Region) -> UInt64 {
        hash.hash(hint.load(0), hint.load(8), hint.load(16), hint.load(24), hint.byte(32))
    }

    /// The entry with this hint; `none` if there is none.
    @_noLocks
    package func find(_ hint: Region, _ digest: UInt64) -> UInt32 {
        var search = UnackedIndex.Search(index, digest)
        while true {
            let place = index.next(&search)
            guard place != UnackedTable.none else { return place }
            if isEqual(self.hint(place), hint) { return place }
        }
    }

    /// Compares two hints in constant time.
    @_noLocks
    private func isEqual(_ left: Region, _ right: Region) -> Bool {
        var difference = UInt64(left.byte(32) ^ right.byte(32))
        for offset in stride(from: 0, to: 32, by: 8) {
            let (a, b): (UInt64, UInt64) = (left.load(offset), right.load(offset))
            difference |= a ^ b
        }
        return difference == 0
    }

    /// Enters what is awaited; the table is not full, does not hold the hint and takes the
    /// ticket's counterparty.
    @_noLocks
    package func insert(
        _ value: Entry,
        hint: Region,
        _ digest: UInt64,
        ownHalfKey: Region,
        ticketOf ticket: Ticket,
        nowNanos: UInt64
    ) {
        var state = self.state[0]
        assert(state.free > 0 && digest == self.digest(hint))
        state.free -= 1
        let place = free[Int(state.free)]
        let entry = entry(place)
        index.insert(place, digest)
        slices.enter(place, nowNanos: nowNanos)
        entry.store(UnackedTable.tick(nowNanos), Field.tick)
        entry.store(value.nextKeyID, Field.next)
        entry.store(value.previousKeyID, Field.previous)
        entry.store(value.channel, Field.channel)
        entry.copy(hint, to: Field.hint)
        if value.hasTicket {
            assert(takes(counterparty: ticket.counterparty))
            state.tickets += 1
            state.counterparty = ticket.counterparty
            entry.copy(ownHalfKey, to: Field.ownHalfKey)
            ticket.writeClaim(to: entry.slice(Field.claim, Ticket.claimBytes))
        }
        self.state[0] = state
    }

    /// What is known of an entry.
    @_noLocks
    package func value(_ place: UInt32) -> Entry {
        let entry = entry(place)
        return Entry(
            nextKeyID: entry.load(Field.next),
            previousKeyID: entry.load(Field.previous),
            channel: entry.load(Field.channel)
        )
    }

    /// An entry's hint, 33 bytes.
    @_noLocks
    func hint(_ place: UInt32) -> Region { entry(place).slice(Field.hint, 33) }

    /// An entry's own half-key, secret.
    @_noLocks
    func ownHalfKey(_ place: UInt32) -> Region { entry(place).slice(Field.ownHalfKey, 32) }

    /// Writes an entry's ticket as it came, 132 bytes.
    @_noLocks
    func writeTicket(_ place: UInt32, to bytes: Region) {
        bytes.store(state[0].counterparty, 0)
        bytes.copy(entry(place).slice(Field.claim, Ticket.claimBytes), to: Ticket.claimOffset)
    }

    /// Removes an entry and wipes it.
    @_noLocks
    package func remove(_ place: UInt32, _ digest: UInt64) {
        let entry = entry(place)
        var state = self.state[0]
        if value(place).hasTicket { state.tickets -= 1 }
        index.remove(place, digest)
        slices.leave(place)
        zeroize(entry)
        free[Int(state.free)] = place
        state.free += 1
        self.state[0] = state
    }
}

// Time.
extension UnackedTable {
    /// What an entry's age is counted in: 67 ms, so that two bytes hold 73 minutes.
    private static var tickNanos: UInt64 { @_noLocks get { 1 << 26 } }

    @_noLocks
    private static func tick(_ nanos: UInt64) -> UInt16 {
        UInt16(truncatingIfNeeded: nanos / tickNanos)
    }

    /// True if an entry's life is over, from two ticks after its end on, though its slice is not.
    @_noLocks
    func isLate(_ place: UInt32, nowNanos: UInt64) -> Bool {
        // One more, or a clock that goes back a little would make a young entry old.
        let age = UnackedTable.tick(nowNanos) &- entry(place).load(Field.tick) &+ 1
        return UInt64(age) > lifeTicks + 2
    }
}
