public import Bytes

/// The replay tags seen under one packet key: never wiped, refuses when full.
///
/// An open-addressed table of 32-bit fingerprints with linear probing, in memory that the owner may
/// map from a file, so that a killed process forgets nothing. Shared by all workers: a tag is
/// entered by one compare-and-swap at the first free place of its probe sequence, so of two equal
/// tags one wins. At full load (94 % of the places) a lookup compares about 130 fingerprints on
/// average, and a new tag is taken for an old one with probability of 130 / 2^32, about 3 in 10^8.
@safe
public struct ReplaySet: Sendable {
    /// Bytes before the table.
    @inlinable public static var headerBytes: Int { @_noLocks get { 4_096 } }
    // "Dreply01".
    private static var magic: UInt64 { @_noLocks get { 0x3130_796c_7065_7244 } }
    private static var probesMax: Int { @_noLocks get { 1 << 16 } }

    private enum Cell {
        static var magic: Int { @_noLocks get { 0 } }
        static var places: Int { @_noLocks get { 1 } }
        static var count: Int { @_noLocks get { 2 } }
        static var hash0: Int { @_noLocks get { 3 } }
        static var hash1: Int { @_noLocks get { 4 } }
    }

    /// All bytes.
    public let region: Region
    private let header: AtomicCells
    private let table: AtomicWords
    private let hash: KeyedHash
    private let places: UInt64
    /// Tags it takes.
    public let capacity: UInt64

    /// Bytes for a set of `capacity` tags: 4.26 B each, and the header.
    public static func byteCount(capacity: Int) -> Int {
        headerBytes + 4 * (places(capacity: capacity) + 15) & ~15 + 64
    }

    private static func places(capacity: Int) -> Int { capacity * 16 / 15 + 16 }

    /// Opens the set in `region`, or makes a new one if the region is all new.
    ///
    /// - Parameters:
    ///   - region: 64-byte aligned; zero, or what an earlier process left.
    ///   - hash: key for a new set; one that exists keeps its own.
    /// - Returns: nil if the region holds something else, or a set of another size.
    public init?(_ region: Region, capacity: Int, hash: KeyedHash) {
        guard capacity > 0, region.byteCount >= ReplaySet.byteCount(capacity: capacity) else {
            return nil
        }
        self.region = region
        header = AtomicCells(region.slice(0, ReplaySet.headerBytes))
        places = UInt64(ReplaySet.places(capacity: capacity))
        self.capacity = UInt64(capacity)
        table = AtomicWords(
            region.slice(ReplaySet.headerBytes, 4 * Int(places))
        )
        if header.load(Cell.magic) == 0, header.load(Cell.places) == 0 {
            header.store(places, Cell.places)
            header.store(hash.k0, Cell.hash0)
            header.store(hash.k1, Cell.hash1)
            header.storeReleasing(ReplaySet.magic, Cell.magic)
        }
        guard header.loadAcquiring(Cell.magic) == ReplaySet.magic,
            header.load(Cell.places) == places
        else { return nil }
        self.hash = KeyedHash(header.load(Cell.hash0), header.load(Cell.hash1))
    }

    /// Tags in the set.
    public var count: UInt64 {
        @_noLocks
        get { header.load(Cell.count) }
    }

    /// True from 80 % of the capacity on: time to rotate the packet key.
    public var nearlyFull: Bool {
        @_noLocks
        get { count >= capacity / 5 * 4 }
    }

    /// True if no new tag is taken.
    public var full: Bool {
        @_noLocks
        get { count >= capacity }
    }

    /// True if the tag was entered before.
    @_noLocks
    public func contains(_ tag: Region) -> Bool {
        let (mark, start) = fingerprint(tag)
        var place = start
        for _ in 0..<ReplaySet.probesMax {
            let found = table.load(Int(place))
            if found == 0 { return false }
            if found == mark { return true }
            place = place + 1 == places ? 0 : place + 1
        }
        return false
    }

    /// Enters a tag: `.none`, `.replay` if it is there, `.replayFull` if it is new and there is no
    /// room.
    @_noLocks
    public func insert(_ tag: Region) -> Drop {
        let (mark, start) = fingerprint(tag)
        var place = start
        for _ in 0..<ReplaySet.probesMax {
            let found = table.load(Int(place))
            if found == mark { return .replay }
            guard found == 0 else {
                place = place + 1 == places ? 0 : place + 1
                continue
            }
            guard !full else { return .replayFull }
            if table.exchange(Int(place), expected: 0, desired: mark) {
                header.add(1, Cell.count)
                return .none
            }
        }
        return .replayFull
    }

    /// What is kept of a tag, and where its probe sequence begins.
    @_noLocks
    private func fingerprint(_ tag: Region) -> (UInt32, UInt64) {
        let digest = hash.hash(tag.bigEndian(0, count: 8), tag.bigEndian(8, count: 8))
        let mark = UInt32(truncatingIfNeeded: digest)
        let start = UInt64((UInt128(digest >> 32) * UInt128(places)) >> 32)
        return (mark == 0 ? 1 : mark, start)
    }
}
