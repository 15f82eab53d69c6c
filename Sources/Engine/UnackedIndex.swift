internal import Bytes

/// Where entries are found by digest: buckets of one cache line, ten places each.
///
/// A bucket keeps sixteen bits of each entry's digest, its mark, beside the entry's place. An entry
/// whose bucket is full goes to the next one with room, and every bucket that it passes counts it:
/// a search ends at the first bucket that nothing has passed, and removal leaves no trace. With
/// seven entries to a bucket when all are in use, one in ten buckets is passed.
struct UnackedIndex {
    /// Places of a bucket.
    private static var cells: Int { @_noLocks get { 10 } }
    private static var entriesPerBucket: Int { @_noLocks get { 7 } }

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
        fileprivate var hits: UInt32
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
        while search.hits == 0 {
            search.left -= 1
            guard search.left > 0, passed(search.bucket) > 0 else { return UnackedTable.none }
            search.bucket = after(search.bucket)
            search.hits = matches(search.bucket, search.mark)
        }
        let cell = search.hits.trailingZeroBitCount
        search.hits &= search.hits &- 1
        return place(search.bucket, cell)
    }

    /// Enters a place; there is room as long as no more than `capacity` are in use.
    @_noLocks
    func insert(_ place: UInt32, _ digest: UInt64) {
        var bucket = home(digest)
        var free = matches(bucket, 0)
        while free == 0 {
            setPassed(bucket, passed(bucket) &+ 1)
            bucket = after(bucket)
            free = matches(bucket, 0)
        }
        let cell = free.trailingZeroBitCount
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
            while hits != 0 {
                let cell = hits.trailingZeroBitCount
                if self.place(bucket, cell) == place {
                    line(bucket).store(UInt16(0), Field.marks + 2 * cell)
                    return
                }
                hits &= hits &- 1
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

    /// Bit i is set if place i has this mark.
    @_noLocks
    private func matches(_ bucket: Int, _ mark: UInt16) -> UInt32 {
        let line = line(bucket)
        var hits: UInt32 = 0
        for cell in 0..<UnackedIndex.cells {
            let found: UInt16 = line.load(Field.marks + 2 * cell)
            hits |= (found == mark ? 1 : 0) << UInt32(truncatingIfNeeded: cell)
        }
        return hits
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
