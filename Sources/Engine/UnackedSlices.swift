internal import Bytes

/// When entries end: a ring of time slices, and for every place a byte that says which it is in.
///
/// What was entered within a sixteenth of the life belongs to one slice, and is over when the
/// youngest of it is: no entry ends early, and none later than a sixteenth of the life. Entering
/// and leaving change one byte. A slice that is over is looked for among all bytes, once, eight of
/// them at a time: links would find its entries sooner, but each change would go to three entries.
struct UnackedSlices {
    /// Sixteen that live, the open one, and three that are being emptied.
    private static var count: Int { @_noLocks get { 20 } }
    /// Words, of eight places each, that are looked through for one of the budget.
    private static var wordsPerStep: Int { @_noLocks get { 512 } }

    private struct Slice: BitwiseCopyable {
        /// When the first and the last entry came.
        var firstNanos: UInt64 = 0
        var lastNanos: UInt64 = 0
        /// Entries in it.
        var count = 0
    }

    private struct Ends: BitwiseCopyable {
        var oldest = 0
        var youngest = 0
        /// Words that hold nothing of the oldest any more.
        var emptied = 0
    }

    private let lifeNanos: UInt64
    private let sliceNanos: UInt64
    private let slices: Column<Slice>
    private let ends: Column<Ends>
    /// For each place one more than the number of its slice; 0 for a free one.
    private let words: Column<UInt64>

    init(_ arena: inout Arena, capacity: Int, lifeNanos: UInt64) {
        self.lifeNanos = lifeNanos
        sliceNanos = max(1, lifeNanos / 16)
        ends = arena.column(Ends.self, 1)
        slices = arena.column(Slice.self, UnackedSlices.count)
        words = arena.column(UInt64.self, (capacity + 7) / 8)
    }

    func clear() {
        ends[0] = Ends()
        for slice in 0..<slices.count { slices[slice] = Slice() }
        words.region.fill(0)
    }

    /// Reads what entering or leaving changes.
    @_noLocks
    func touch(_ place: UInt32) -> UInt8 { words.region.byte(Int(place)) }

    /// True if a place is in a slice.
    func isUsed(_ place: UInt32) -> Bool { words.region.byte(Int(place)) != 0 }

    /// Enters a place.
    @_noLocks
    func enter(_ place: UInt32, nowNanos: UInt64) {
        let number = open(nowNanos)
        var slice = slices[number]
        if slice.count == 0 {
            slice.firstNanos = nowNanos
            slice.lastNanos = nowNanos
        }
        slice.lastNanos = max(slice.lastNanos, nowNanos)
        slice.count += 1
        slices[number] = slice
        words.region.store(UInt8(truncatingIfNeeded: number + 1), Int(place))
    }

    /// Takes a place out of its slice.
    @_noLocks
    func leave(_ place: UInt32) {
        let number = Int(words.region.byte(Int(place))) - 1
        words.region.store(UInt8(0), Int(place))
        var slice = slices[number]
        slice.count -= 1
        slices[number] = slice
    }

    /// Finds places whose time is over; they stay until they `leave`.
    ///
    /// - Parameters:
    ///   - places: filled from the front.
    ///   - budget: most places wanted; looking where there are none uses it up, too.
    /// - Returns: how many were found.
    @_noLocks
    func over(nowNanos: UInt64, into places: Column<UInt32>, budget: inout Int) -> Int {
        dropEmpty()
        var ends = self.ends[0]
        let slice = slices[ends.oldest]
        guard slice.count > 0, nowNanos >= slice.lastNanos,
            nowNanos - slice.lastNanos >= lifeNanos
        else { return 0 }
        let wanted = min(places.count, min(slice.count, budget))
        var found = 0
        var word = ends.emptied
        while found < wanted, word < words.count {
            var hits = UnackedSlices.matches(words[word], ends.oldest)
            while hits != 0, found < wanted {
                places[found] = UInt32(truncatingIfNeeded: 8 * word + hits.trailingZeroBitCount / 8)
                hits &= hits &- 1
                found += 1
            }
            word += 1
            if word % UnackedSlices.wordsPerStep == 0 {
                budget -= 1
                if budget <= 0 { break }
            }
        }
        ends.emptied = found == 0 ? word : Int(places[0]) / 8
        self.ends[0] = ends
        return found
    }

    /// The slice that takes what comes now. If all are in use because nobody takes away what is
    /// over, the youngest stays open longer.
    @_noLocks
    private func open(_ nowNanos: UInt64) -> Int {
        dropEmpty()
        var ends = self.ends[0]
        let slice = slices[ends.youngest]
        let next = after(ends.youngest)
        if slice.count > 0, nowNanos >= slice.firstNanos,
            nowNanos - slice.firstNanos >= sliceNanos, next != ends.oldest
        {
            ends.youngest = next
        }
        if ends.youngest == ends.oldest { ends.emptied = 0 }
        self.ends[0] = ends
        return ends.youngest
    }

    @_noLocks
    private func dropEmpty() {
        var ends = self.ends[0]
        while ends.oldest != ends.youngest, slices[ends.oldest].count == 0 {
            ends.oldest = after(ends.oldest)
            ends.emptied = 0
        }
        self.ends[0] = ends
    }

    @_noLocks
    private func after(_ slice: Int) -> Int { slice + 1 == slices.count ? 0 : slice + 1 }

    /// The top bit of each byte that stands for a slice.
    @_noLocks
    private static func matches(_ word: UInt64, _ slice: Int) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let low = 0x7f &* ones
        let rest = word ^ UInt64(slice + 1) &* ones
        return ~((rest & low) &+ low | rest | low)
    }
}
