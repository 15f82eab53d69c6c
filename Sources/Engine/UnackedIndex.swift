internal import Bytes

/// Where entries are found by digest: buckets of one cache line, ten places each.
///
/// A bucket keeps sixteen bits of each entry's digest, its mark, beside the entry's place. An entry
/// whose bucket is full goes to the next one with room, and every bucket that it passes counts it:
/// a search ends at the first bucket that nothing has passed, and removal leaves no trace. With
/// six entries to a bucket when all are in use, one in twenty buckets is passed.
struct UnackedIndex {
    private static var entriesPerBucket: Int { @_noLocks get { 6 } }

    private enum Field {
        static var marks: Int { @_noLocks get { 0 } }
        static var passed: Int { @_noLocks get { 20 } }
        static var places: Int { @_noLocks get { 24 } }
        static var end: Int { @_noLocks get { 64 } }
    }

    private let buckets: Region
    private let count: Int

    init(_ arena: inout Arena, capacity: Int) {
        count = capacity / UnackedIndex.entriesPerBucket + 1
        buckets = arena.region(count * Field.end)
    }

    func clear() { buckets.fill(0) }

    /// Reads the bucket where a search begins, so that it is near when the search comes.
    @_noLocks
    func touch(_ digest: UInt64) -> UInt8 { buckets.byte(home(digest) * Field.end) }

    /// A place whose mark fits, for touching; `none` if there is none.
    @_noLocks
    func likely(_ digest: UInt64) -> UInt32 {
        var search = Search(self, digest)
        return next(&search)
    }

    /// A walk over the places whose mark fits.
    struct Search {
        fileprivate let mark: UInt16
        fileprivate var bucket: Int
        fileprivate var hits: Cells
        fileprivate var left: Int

        @_noLocks
        init(_ index: UnackedIndex, _ digest: UInt64) {
            mark = UnackedIndex.mark(digest)
            bucket = index.home(digest)
            hits = index.matches(bucket, mark)
            left = index.count
        }
    }

    /// The next place whose mark fits; `none` at the end.
    @_noLocks
    func next(_ search: inout Search) -> UInt32 {
        while search.hits.isEmpty {
            search.left -= 1
            guard search.left > 0, passed(search.bucket) > 0 else { return UnackedTable.none }
            search.bucket = after(search.bucket)
            search.hits = matches(search.bucket, search.mark)
        }
        return place(search.bucket, search.hits.popFirst())
    }

    /// Enters a place; there is room as long as no more than `capacity` are in use.
    @_noLocks
    func insert(_ place: UInt32, _ digest: UInt64) {
        var bucket = home(digest)
        var free = matches(bucket, 0)
        while free.isEmpty {
            setPassed(bucket, passed(bucket) &+ 1)
            bucket = after(bucket)
            free = matches(bucket, 0)
        }
        let cell = free.popFirst()
        let line = line(bucket)
        line.store(UnackedIndex.mark(digest), Field.marks + 2 * cell)
        line.store(place, Field.places + 4 * cell)
    }

    /// Takes a place out that was entered under this digest.
    @_noLocks
    func remove(_ place: UInt32, _ digest: UInt64) {
        let mark = UnackedIndex.mark(digest)
        var bucket = home(digest)
        for _ in 0..<count {
            var hits = matches(bucket, mark)
            while !hits.isEmpty {
                let cell = hits.popFirst()
                if self.place(bucket, cell) == place {
                    line(bucket).store(UInt16(0), Field.marks + 2 * cell)
                    return
                }
            }
            setPassed(bucket, passed(bucket) &- 1)
            bucket = after(bucket)
        }
        assert(false, "entry not in its buckets")
    }

    @_noLocks
    private func home(_ digest: UInt64) -> Int {
        Int(truncatingIfNeeded: digest.multipliedFullWidth(by: UInt64(count)).high)
    }

    /// Never 0, which marks a free place. The bucket comes from the other end of the digest.
    @_noLocks
    private static func mark(_ digest: UInt64) -> UInt16 {
        let mark = UInt16(truncatingIfNeeded: digest)
        return mark == 0 ? 1 : mark
    }

    @_noLocks
    private func line(_ bucket: Int) -> Region {
        buckets.slice(bucket * Field.end, Field.end)
    }

    /// Which of a bucket's ten cells have this mark.
    @inline(__always)
    @_noLocks
    private func matches(_ bucket: Int, _ mark: UInt16) -> Cells {
        let line = line(bucket)
        let pattern = UInt64(mark) &* Cells.ones
        let first = Cells.zeros(line.load(Field.marks) ^ pattern)
        let second = Cells.zeros(line.load(Field.marks + 8) ^ pattern)
        // Behind the last two marks lies what has passed.
        let third = Cells.zeros(line.load(Field.marks + 16) ^ pattern) & 0x1_0001
        return Cells(bits: first | second << 1 | third << 2)
    }

    /// Cells of a bucket: cell 4 w + l, lane l of word w of the marks, is bit 16 l + w.
    fileprivate struct Cells {
        var bits: UInt64

        /// A bit at the foot of each 16-bit lane.
        static var ones: UInt64 { @_noLocks get { 0x0001_0001_0001_0001 } }

        /// The feet of the lanes that are 0.
        @_noLocks
        static func zeros(_ word: UInt64) -> UInt64 {
            let low = 0x7fff &* ones
            return ~((word & low) &+ low | word) >> 15 & ones
        }

        var isEmpty: Bool {
            @_noLocks
            get { bits == 0 }
        }

        @_noLocks
        mutating func popFirst() -> Int {
            let bit = bits.trailingZeroBitCount
            bits &= bits &- 1
            return 4 * (bit & 15) + bit >> 4
        }
    }

    @_noLocks
    private func place(_ bucket: Int, _ cell: Int) -> UInt32 {
        line(bucket).load(Field.places + 4 * cell)
    }

    @_noLocks
    private func passed(_ bucket: Int) -> UInt32 { line(bucket).load(Field.passed) }

    @_noLocks
    private func setPassed(_ bucket: Int, _ value: UInt32) {
        line(bucket).store(value, Field.passed)
    }

    @_noLocks
    private func after(_ bucket: Int) -> Int { bucket + 1 == count ? 0 : bucket + 1 }
}
