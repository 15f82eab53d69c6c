public import Bytes
internal import Crypto

/// Which keys have tables, within a budget: control's side of `KeyTables`.
///
/// A place is empty, is being built, is ready, or is leaving. A table that leaves is named by no
/// snapshot to come, and its place is empty again when every worker has moved past the last one
/// that named it (`stamp`, `reclaim`): nobody ever reads a table that is being written. Who leaves
/// is found as by a clock's hand: it takes marks away, and a table without a mark, which no worker
/// has used since the hand was here last, makes room.
///
/// Lives in memory handed in; for one thread at a time, but for `build`.
public struct TableCache: Sendable {
    /// Whose signatures the tables are for.
    public enum Kind: Sendable {
        /// Issuers of tickets: keys of secp256k1, x ‖ y.
        case signer
        /// Neighbours that acknowledge: packet keys, 32 bytes and as many zeros.
        case verifier

        /// Bytes of one table.
        public var tableBytes: Int {
            switch self {
            case .signer: Kernels.signerBytes
            case .verifier: Kernels.verifierBytes
            }
        }
    }

    private enum State {
        static let empty: UInt8 = 0
        static let building: UInt8 = 1
        static let ready: UInt8 = 2
        static let leaving: UInt8 = 3
    }

    private struct Row: BitwiseCopyable {
        var key = Bytes64()
        /// The next row of the same bucket, plus one; 0 for the last.
        var next: UInt32 = 0
        var state = State.empty
        /// Of a leaving row: the first snapshot that does not name it.
        var generation: UInt64 = 0
    }

    private struct Counts: BitwiseCopyable {
        var hand = 0
        var used = 0
        var evictions: UInt64 = 0
    }

    /// Whose tables.
    public let kind: Kind
    /// What snapshots and workers know of it.
    public let tables: KeyTables
    private let hash: KeyedHash
    private let rows: Column<Row>
    /// First row of each bucket, plus one.
    private let buckets: Column<UInt32>
    private let counts: Column<Counts>

    /// Tables that fit a budget.
    public static func places(_ kind: Kind, budgetBytes: Int) -> Int {
        budgetBytes / kind.tableBytes
    }

    /// Bytes of memory for so many tables.
    public static func byteCount(_ kind: Kind, places: Int) -> Int {
        var arena = Arena()
        _ = TableCache(&arena, kind, places: places, hash: KeyedHash(0, 0))
        return arena.used
    }

    /// Takes zeroed memory from an arena: the tables' and a little more.
    public init(_ arena: inout Arena, _ kind: Kind, places: Int, hash: KeyedHash) {
        self.kind = kind
        self.hash = hash
        var bucketCount = 16
        while bucketCount < places { bucketCount *= 2 }
        rows = arena.column(Row.self, places)
        buckets = arena.column(UInt32.self, bucketCount)
        counts = arena.column(Counts.self, 1)
        let marks = arena.region(8 * places)
        tables = KeyTables(
            tables: arena.region(places * kind.tableBytes),
            marks: marks,
            count: places,
            stride: kind.tableBytes
        )
    }

    /// Tables ready for use.
    public var used: Int { counts[0].used }
    /// Tables that had to make room.
    public var evictions: UInt64 { counts[0].evictions }
    /// Bytes of the tables in use.
    public var usedBytes: Int { used * kind.tableBytes }

    /// True if places will be empty once the workers have moved on.
    public var isLeaving: Bool { (0..<rows.count).contains { rows[$0].state == State.leaving } }

    // MARK: looking

    /// Where a key's table is ready; `Snapshot.none` if it is not.
    public func place(of key: Bytes64) -> UInt32 {
        let place = find(key)
        guard place != Snapshot.none, rows[Int(place)].state == State.ready else {
            return Snapshot.none
        }
        return place
    }

    /// True if the key has a table or is about to.
    public func contains(_ key: Bytes64) -> Bool { find(key) != Snapshot.none }

    private func bucket(_ key: Bytes64) -> Int {
        var key = key
        let digest = key.withRegion { hash.hash($0.load(0), $0.load(8), $0.load(16)) }
        return Int(truncatingIfNeeded: digest) & (buckets.count - 1)
    }

    private func find(_ key: Bytes64) -> UInt32 {
        var link = buckets[bucket(key)]
        while link != 0 {
            let row = rows[Int(link - 1)]
            if row.key == key { return link - 1 }
            link = row.next
        }
        return Snapshot.none
    }

    // MARK: building

    /// Gives a new key an empty place to be built in; `Snapshot.none` if there is none.
    public func claim(_ key: Bytes64) -> UInt32 {
        assert(!contains(key))
        let empty = (0..<rows.count).first { rows[$0].state == State.empty }
        guard let empty else { return Snapshot.none }
        let bucket = bucket(key)
        rows[empty] = Row(key: key, next: buckets[bucket], state: State.building)
        buckets[bucket] = UInt32(empty) + 1
        return UInt32(empty)
    }

    /// Writes the table of a claimed place; false if the key is none. Any thread.
    public func build(_ place: UInt32) -> Bool {
        assert(rows[Int(place)].state == State.building)
        var key = rows[Int(place)].key
        let table = Lanes(tables.slab.packet(place, kind.tableBytes))
        return key.withRegion { key in
            switch kind {
            case .signer:
                Kernels.ecdsaTableVariableTime(Lanes(key), table: table, live: 1) == 1
            case .verifier:
                Kernels.ed25519TableVariableTime(Lanes(key), table: table, live: 1) == 1
            }
        }
    }

    /// The table that was built is ready, or, if that failed, its place empty.
    public func finish(_ place: UInt32, isBuilt: Bool) {
        assert(rows[Int(place)].state == State.building)
        guard isBuilt else {
            unlink(place)
            rows[Int(place)] = Row()
            return
        }
        rows[Int(place)].state = State.ready
        // A new table is not the first to go.
        tables.mark(place)
        var counts = self.counts[0]
        counts.used += 1
        self.counts[0] = counts
    }

    // MARK: making room

    /// Sends away up to `count` tables that nobody has used since the hand was there last; returns
    /// how many. Snapshots must be made anew.
    public func makeRoom(_ count: Int) -> Int {
        var counts = self.counts[0]
        defer { self.counts[0] = counts }
        var gone = 0
        for _ in 0..<rows.count where gone < count {
            let place = counts.hand
            counts.hand = (place + 1) % rows.count
            guard rows[place].state == State.ready, !tables.takeMark(UInt32(place)) else {
                continue
            }
            unlink(UInt32(place))
            rows[place].state = State.leaving
            rows[place].generation = .max
            counts.used -= 1
            counts.evictions += 1
            gone += 1
        }
        return gone
    }

    /// A snapshot was published that names nothing that leaves.
    public func stamp(generation: UInt64) {
        for place in 0..<rows.count
        where rows[place].state == State.leaving && rows[place].generation == .max {
            rows[place].generation = generation
        }
    }

    /// Places become empty which only snapshots before `oldestInUse` name.
    public func reclaim(oldestInUse: UInt64) {
        for place in 0..<rows.count
        where rows[place].state == State.leaving && rows[place].generation <= oldestInUse {
            rows[place] = Row()
        }
    }

    /// Generations begin anew: other workers, another cell. Those before have ended.
    public func restart() {
        for place in 0..<rows.count where rows[place].state == State.leaving {
            rows[place].generation = .max
        }
    }

    private func unlink(_ place: UInt32) {
        let row = rows[Int(place)]
        let bucket = bucket(row.key)
        if buckets[bucket] == place + 1 {
            buckets[bucket] = row.next
            return
        }
        var link = buckets[bucket]
        while link != 0 {
            let walk = Int(link - 1)
            if rows[walk].next == place + 1 {
                rows[walk].next = row.next
                return
            }
            link = rows[walk].next
        }
        assert(false, "row not in its bucket")
    }
}

extension TableCache {
    /// A packet key as a key of the cache.
    public static func key(_ packetKey: Bytes32) -> Bytes64 {
        var key = Bytes64()
        for index in 0..<32 { key[index] = packetKey[index] }
        return key
    }
}
