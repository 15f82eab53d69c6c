internal import Bytes

/// When entries end: a ring of time slices, each with one bit for every place.
///
/// What was entered within a sixteenth of the life belongs to one slice, and is over when the
/// youngest of it is: no entry ends early, and none later than a sixteenth of the life. Entering
/// and leaving touch one bit; only slices that are over are looked through.
struct UnackedSlices {
    /// Sixteen that live, the open one, and three that are being emptied.
    private static var count: Int { @_noLocks get { 20 } }
    /// Words of a map that are looked through for one of the budget.
    private static var wordsPerStep: Int { @_noLocks get { 64 } }

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
        /// Words of the oldest map that hold nothing any more.
        var emptied = 0
    }

    private let lifeNanos: UInt64
    private let sliceNanos: UInt64
    private let words: Int
    private let slices: Column<Slice>
    private let ends: Column<Ends>
    private let maps: Column<UInt64>

    init(_ arena: inout Arena, capacity: Int, lifeNanos: UInt64) {
        self.lifeNanos = lifeNanos
        sliceNanos = max(1, lifeNanos / 16)
        words = (capacity + 63) / 64
        ends = arena.column(Ends.self, 1)
        slices = arena.column(Slice.self, UnackedSlices.count)
        maps = arena.column(UInt64.self, UnackedSlices.count * words)
    }

    func clear() {
        ends[0] = Ends()
        for slice in 0..<slices.count { slices[slice] = Slice() }
        maps.region.fill(0)
    }

    /// Enters a place; returns the number of its slice.
    @_noLocks
    func enter(_ place: UInt32, nowNanos: UInt64) -> UInt8 {
        let number = open(nowNanos)
        var slice = slices[number]
        if slice.count == 0 {
            slice.firstNanos = nowNanos
            slice.lastNanos = nowNanos
        }
        slice.lastNanos = max(slice.lastNanos, nowNanos)
        slice.count += 1
        slices[number] = slice
        maps[word(number, place)] |= bit(place)
        return UInt8(truncatingIfNeeded: number)
    }

    /// Takes a place out of its slice.
    @_noLocks
    func leave(_ place: UInt32, slice number: UInt8) {
        let number = Int(number)
        assert(maps[word(number, place)] & bit(place) != 0)
        maps[word(number, place)] &= ~bit(place)
        var slice = slices[number]
        slice.count -= 1
        slices[number] = slice
    }

    /// Finds places whose time is over; they stay until they `leave`.
    ///
    /// - Parameters:
    ///   - places: filled from the front.
    ///   - budget: most places wanted; looking through empty stretches of a map uses it up, too.
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
        while found < wanted, word < words {
            var bits = maps[ends.oldest * words + word]
            while bits != 0, found < wanted {
                places[found] = UInt32(truncatingIfNeeded: 64 * word + bits.trailingZeroBitCount)
                bits &= bits &- 1
                found += 1
            }
            word += 1
            if word % UnackedSlices.wordsPerStep == 0 {
                budget -= 1
                if budget <= 0 { break }
            }
        }
        ends.emptied = found == 0 ? word : Int(places[0]) / 64
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

    @_noLocks
    private func word(_ slice: Int, _ place: UInt32) -> Int {
        assert(slice < slices.count && Int(place) / 64 < words)
        return slice * words + Int(place) / 64
    }

    @_noLocks
    private func bit(_ place: UInt32) -> UInt64 { 1 << UInt64(place % 64) }
}
