public import Bytes
internal import Crypto

/// Tables of the node keys that a sender multiplies again and again: with one, a multiplication
/// costs about a quarter.
///
/// A key gets a table when it is used for the third time. Room is bounded: a key's four places
/// follow from its bytes, and the key used least recently makes way. Node keys are public, so which
/// of them have tables may show in time.
///
/// For one thread at a time, as the scratch it is used with.
public struct NodeTables: Sendable {
    private let keys: Column<Bytes32>
    /// When the key was used last; 0 for an empty place.
    private let stamps: Column<UInt64>
    private let uses: Column<UInt32>
    private let tables: Slab
    /// What `stamps` counts: calls.
    private let clock: Column<UInt64>

    private static var ways: Int { @_noLocks get { 4 } }
    /// The use at which a table is made.
    private static var usesMin: UInt32 { @_noLocks get { 3 } }

    /// Takes room for `capacity` keys from an arena, about 4.1 kB each; it must be zero, as fresh
    /// memory is.
    ///
    /// - Parameter capacity: a power of two, at least 4.
    public init(_ arena: inout Arena, capacity: Int) {
        precondition(capacity >= NodeTables.ways && capacity & (capacity - 1) == 0)
        keys = arena.column(Bytes32.self, capacity)
        stamps = arena.column(UInt64.self, capacity)
        uses = arena.column(UInt32.self, capacity)
        clock = arena.column(UInt64.self, 1)
        tables = Slab(
            region: arena.region(capacity * Kernels.tableBytes),
            stride: Kernels.tableBytes
        )
    }

    /// Keys that have a table.
    public var count: Int {
        (0..<stamps.count).count { stamps[$0] != 0 && uses[$0] >= NodeTables.usesMin }
    }

    /// `out` := exponent · key for the live lanes. Returns the lanes whose key is a point.
    @_noLocks
    func multiply(
        _ key: Column<Bytes32>,
        exponent: Lanes,
        out: Lanes,
        live: LaneMask
    ) -> LaneMask {
        var places = [64 of UInt32](repeating: 0)
        var due: LaneMask = 0
        clock[0] += 1
        var ready = find(key, live, &places, &due)
        if due != 0 {
            ready &= ~make(key, due, ready, places)
        }
        let table = Lanes(tables, slots: places, offset: 0)
        if ready != 0 {
            Kernels.edwardsMulTable(table, scalar: exponent, out: out, live: ready)
        }
        let rest = live & ~ready
        if rest == 0 { return ready }
        return ready | Kernels.edwardsMul(Lanes(key), scalar: exponent, out: out, live: rest)
    }

    /// Looks the keys up, and notes their use. Returns the lanes with a table in `places`; those of
    /// `due` must be made first.
    @_noLocks
    private func find(
        _ key: Column<Bytes32>,
        _ live: LaneMask,
        _ places: inout [64 of UInt32],
        _ due: inout LaneMask
    ) -> LaneMask {
        var ready: LaneMask = 0
        var left = live
        while let lane = left.popFirst() {
            guard let place = place(of: key[lane]) else { continue }
            let before = uses[place]
            if before < NodeTables.usesMin {
                uses[place] = before + 1
                if before + 1 < NodeTables.usesMin { continue }
                due |= 1 << LaneMask(lane)
            }
            places[lane] = UInt32(place)
            ready |= 1 << LaneMask(lane)
        }
        return ready
    }

    /// The key's place, taken from another key if need be; nil while all four serve this call.
    @_noLocks
    private func place(of key: Bytes32) -> Int? {
        var hash: UInt64 = 0
        for index in 0..<8 { hash = hash << 8 | UInt64(key[index]) }
        hash = (hash ^ hash >> 29) &* 0x9e37_79b9_7f4a_7c15
        let sets = UInt64(stamps.count / NodeTables.ways)
        let first = Int(hash >> 32 & (sets - 1)) * NodeTables.ways
        var oldest = first
        for place in first..<first + NodeTables.ways {
            if stamps[place] != 0, keys[place] == key {
                stamps[place] = clock[0]
                return place
            }
            if stamps[place] < stamps[oldest] { oldest = place }
        }
        if stamps[oldest] == clock[0] { return nil }
        keys[oldest] = key
        stamps[oldest] = clock[0]
        uses[oldest] = 0
        return oldest
    }

    /// Makes the tables that are due. Returns the lanes whose key is no point: their places are
    /// empty again.
    @_noLocks
    private func make(
        _ key: Column<Bytes32>,
        _ due: LaneMask,
        _ ready: LaneMask,
        _ places: borrowing [64 of UInt32]
    ) -> LaneMask {
        let made = Kernels.edwardsTable(
            Lanes(key),
            table: Lanes(tables, slots: places, offset: 0),
            live: due
        )
        var failed = due & ~made
        var without: LaneMask = 0
        while let lane = failed.popFirst() {
            let place = places[lane]
            stamps[Int(place)] = 0
            var left = ready
            while let other = left.popFirst() {
                if places[other] == place { without |= 1 << LaneMask(other) }
            }
        }
        return without
    }
}
