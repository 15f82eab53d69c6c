internal import Bytes

/// Lists of the numbers below a bound: each number is in one list at most, and leaves it from
/// anywhere.
struct FrameLists {
    static var none: UInt32 { @_noLocks get { .max } }

    /// Neighbours of a number in its list, or the ends of a list.
    private struct Pair: BitwiseCopyable {
        var first: UInt32 = .max
        var last: UInt32 = .max
    }

    private let links: Column<Pair>
    private let ends: Column<Pair>

    init(_ arena: inout Arena, items: Int, lists: Int) {
        links = arena.column(Pair.self, items)
        ends = arena.column(Pair.self, lists)
    }

    /// Makes all lists empty.
    func clear() {
        links.region.fill(0xff)
        ends.region.fill(0xff)
    }

    /// The first of a list; `none` if it is empty.
    @_noLocks
    func first(_ list: Int) -> UInt32 { ends[list].first }

    /// Adds a number, which is in no list, at the end.
    @_noLocks
    func append(_ item: UInt32, to list: Int) {
        let last = ends[list].last
        links[Int(item)] = Pair(first: last, last: FrameLists.none)
        ends[list].last = item
        if last == FrameLists.none { ends[list].first = item } else { links[Int(last)].last = item }
    }

    /// Adds a number, which is in no list, at the front.
    @_noLocks
    func push(_ item: UInt32, to list: Int) {
        let first = ends[list].first
        links[Int(item)] = Pair(first: FrameLists.none, last: first)
        ends[list].first = item
        if first == FrameLists.none {
            ends[list].last = item
        } else {
            links[Int(first)].first = item
        }
    }

    /// Takes a number out of the list that it is in.
    @_noLocks
    func remove(_ item: UInt32, from list: Int) {
        let link = links[Int(item)]
        if link.first == FrameLists.none {
            ends[list].first = link.last
        } else {
            links[Int(link.first)].last = link.last
        }
        if link.last == FrameLists.none {
            ends[list].last = link.first
        } else {
            links[Int(link.last)].first = link.first
        }
    }
}

/// Where numbers are found by the digest of what they stand for: chains, with at least two buckets
/// for each number.
struct FrameIndex {
    private struct Link: BitwiseCopyable {
        var next: UInt32 = 0
        var bucket: UInt32 = 0
    }

    private let buckets: Column<UInt32>
    private let links: Column<Link>

    init(_ arena: inout Arena, items: Int) {
        var count = 16
        while count < 2 * items { count *= 2 }
        buckets = arena.column(UInt32.self, count)
        links = arena.column(Link.self, items)
    }

    /// Makes the index empty.
    func clear() { buckets.region.fill(0xff) }

    /// The first number that may stand for what has this digest; `FrameLists.none` if there is
    /// none.
    @_noLocks
    func first(_ digest: UInt64) -> UInt32 { buckets[bucket(digest)] }

    /// The next one.
    @_noLocks
    func next(_ item: UInt32) -> UInt32 { links[Int(item)].next }

    /// Enters a number.
    @_noLocks
    func insert(_ item: UInt32, _ digest: UInt64) {
        let bucket = bucket(digest)
        let link = Link(next: buckets[bucket], bucket: UInt32(truncatingIfNeeded: bucket))
        links[Int(item)] = link
        buckets[bucket] = item
    }

    /// Takes out a number that was entered.
    @_noLocks
    func remove(_ item: UInt32) {
        let link = links[Int(item)]
        var before = buckets[Int(link.bucket)]
        guard before != item else {
            buckets[Int(link.bucket)] = link.next
            return
        }
        while links[Int(before)].next != item { before = links[Int(before)].next }
        links[Int(before)].next = link.next
    }

    @_noLocks
    private func bucket(_ digest: UInt64) -> Int {
        Int(truncatingIfNeeded: digest) & (buckets.count - 1)
    }
}
