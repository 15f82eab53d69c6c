internal import Bytes
internal import Exchange
internal import Tickets

/// Forwarded packets whose acknowledgement has not come: ticket and own half-key, found by hint.
///
/// A fixed number of entries. Three lists thread them: the bucket's chain, the order of arrival
/// (which is the order of expiry), and the free list. Hints are unique in the table.
struct UnackedTable {
    /// No entry.
    static var none: UInt32 { @_noLocks get { .max } }
    static var entryBytes: Int { @_noLocks get { 256 } }

    /// One awaited acknowledgement.
    struct Entry: BitwiseCopyable {
        /// Key id of the neighbour that must acknowledge.
        var nextKeyID: UInt32
        /// Key id of the neighbour the ticket came from.
        var previousKeyID: UInt32
        /// Channel of the ticket; `.max` for a packet of our own.
        var channel: UInt32
        /// When it was entered.
        var atNanos: UInt64

        @_noLocks
        init(nextKeyID: UInt32, previousKeyID: UInt32, channel: UInt32, atNanos: UInt64) {
            self.nextKeyID = nextKeyID
            self.previousKeyID = previousKeyID
            self.channel = channel
            self.atNanos = atNanos
        }
    }

    private enum Field {
        static var chain: Int { @_noLocks get { 0 } }
        static var older: Int { @_noLocks get { 4 } }
        static var younger: Int { @_noLocks get { 8 } }
        static var next: Int { @_noLocks get { 12 } }
        static var previous: Int { @_noLocks get { 16 } }
        static var channel: Int { @_noLocks get { 20 } }
        static var atNanos: Int { @_noLocks get { 24 } }
        static var hint: Int { @_noLocks get { 32 } }
        static var ownHalfKey: Int { @_noLocks get { 72 } }
        static var ticket: Int { @_noLocks get { 104 } }
    }

    private struct Ends: BitwiseCopyable {
        var oldest: UInt32 = .max
        var youngest: UInt32 = .max
        var free: UInt32 = .max
        var count: UInt32 = 0
    }

    let capacity: Int
    private let hash: KeyedHash
    private let entries: Region
    private let buckets: Column<UInt32>
    private let ends: Column<Ends>

    /// Takes memory for `capacity` entries; call `clear` before use.
    init(_ arena: inout Arena, capacity: Int, hash: KeyedHash) {
        self.capacity = capacity
        self.hash = hash
        var bucketCount = 16
        while bucketCount < capacity { bucketCount *= 2 }
        ends = arena.column(Ends.self, 1)
        buckets = arena.column(UInt32.self, bucketCount)
        entries = arena.region(capacity * UnackedTable.entryBytes)
    }

    /// Makes the table empty.
    func clear() {
        buckets.region.fill(0xff)
        entries.fill(0)
        var ends = Ends()
        ends.free = 0
        for place in 0..<capacity {
            let next = place + 1 == capacity ? UnackedTable.none : UInt32(place + 1)
            entry(UInt32(place)).store(next, Field.chain)
        }
        self.ends[0] = ends
    }

    /// Entries in use.
    var count: Int {
        @_noLocks
        get { Int(ends[0].count) }
    }

    /// True if no entry is free.
    var isFull: Bool {
        @_noLocks
        get { ends[0].free == UnackedTable.none }
    }

    /// Oldest entry; `none` if the table is empty.
    var oldest: UInt32 {
        @_noLocks
        get { ends[0].oldest }
    }

    @_noLocks
    private func entry(_ place: UInt32) -> Region {
        entries.slice(Int(place) * UnackedTable.entryBytes, UnackedTable.entryBytes)
    }

    @_noLocks
    private func bucket(_ hint: Region) -> Int {
        let first = hash.hash(hint.bigEndian(0, count: 8), hint.bigEndian(8, count: 8))
        let digest = hash.hash(
            first ^ UInt64(hint.byte(32)),
            hint.bigEndian(16, count: 8),
            hint.bigEndian(24, count: 8)
        )
        return Int(truncatingIfNeeded: digest) & (buckets.count - 1)
    }

    /// The entry with this hint; `none` if there is none.
    @_noLocks
    func find(_ hint: Region) -> UInt32 {
        var place = buckets[bucket(hint)]
        while place != UnackedTable.none {
            let entry = entry(place)
            if constantTimeEqual(entry.slice(Field.hint, 33), hint) { return place }
            place = entry.load(Field.chain)
        }
        return UnackedTable.none
    }

    /// Enters what is awaited; the table is not full and does not hold the hint.
    @_noLocks
    func insert(_ value: Entry, hint: Region, ownHalfKey: Region, ticketOf ticket: Ticket) {
        var ends = self.ends[0]
        let place = ends.free
        assert(place != UnackedTable.none)
        let entry = entry(place)
        ends.free = entry.load(Field.chain)
        let bucket = bucket(hint)
        entry.store(buckets[bucket], Field.chain)
        buckets[bucket] = place
        entry.store(ends.youngest, Field.older)
        entry.store(UnackedTable.none, Field.younger)
        if ends.youngest == UnackedTable.none {
            ends.oldest = place
        } else {
            self.entry(ends.youngest).store(place, Field.younger)
        }
        ends.youngest = place
        ends.count += 1
        self.ends[0] = ends
        entry.store(value.nextKeyID, Field.next)
        entry.store(value.previousKeyID, Field.previous)
        entry.store(value.channel, Field.channel)
        entry.store(value.atNanos, Field.atNanos)
        entry.copy(hint, to: Field.hint)
        entry.copy(ownHalfKey, to: Field.ownHalfKey)
        ticket.write(to: entry.slice(Field.ticket, Ticket.byteCount))
    }

    /// What is known of an entry.
    @_noLocks
    func value(_ place: UInt32) -> Entry {
        let entry = entry(place)
        return Entry(
            nextKeyID: entry.load(Field.next),
            previousKeyID: entry.load(Field.previous),
            channel: entry.load(Field.channel),
            atNanos: entry.load(Field.atNanos)
        )
    }

    /// An entry's hint, 33 bytes.
    @_noLocks
    func hint(_ place: UInt32) -> Region { entry(place).slice(Field.hint, 33) }

    /// An entry's own half-key, secret.
    @_noLocks
    func ownHalfKey(_ place: UInt32) -> Region { entry(place).slice(Field.ownHalfKey, 32) }

    /// An entry's ticket.
    @_noLocks
    func ticket(_ place: UInt32) -> Region { entry(place).slice(Field.ticket, 132) }

    /// Removes an entry and wipes it.
    @_noLocks
    func remove(_ place: UInt32) {
        let entry = entry(place)
        unchain(place, bucket(hint(place)))
        var ends = self.ends[0]
        let older: UInt32 = entry.load(Field.older)
        let younger: UInt32 = entry.load(Field.younger)
        if older == UnackedTable.none {
            ends.oldest = younger
        } else {
            self.entry(older).store(younger, Field.younger)
        }
        if younger == UnackedTable.none {
            ends.youngest = older
        } else {
            self.entry(younger).store(older, Field.older)
        }
        zeroize(entry)
        entry.store(ends.free, Field.chain)
        ends.free = place
        ends.count -= 1
        self.ends[0] = ends
    }

    @_noLocks
    private func unchain(_ place: UInt32, _ bucket: Int) {
        let after: UInt32 = entry(place).load(Field.chain)
        var walk = buckets[bucket]
        if walk == place {
            buckets[bucket] = after
            return
        }
        while walk != UnackedTable.none {
            let next: UInt32 = entry(walk).load(Field.chain)
            if next == place {
                entry(walk).store(after, Field.chain)
                return
            }
            walk = next
        }
        assert(false, "entry not in its bucket")
    }
}
