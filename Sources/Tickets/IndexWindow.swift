/// Arithmetic of the bitmap that tells which ticket indices of a channel were seen: 65,536 wide,
/// sliding below the highest one. The bitmap itself belongs to the channel books.
public enum IndexWindow {
    /// Indices that the bitmap covers.
    @inlinable public static var width: UInt64 { @_noLocks get { 65_536 } }
    /// Words of 64 bits in the bitmap.
    @inlinable public static var wordCount: Int { @_noLocks get { 1_024 } }
    /// Farthest an index may lie ahead.
    @inlinable public static var jumpMax: UInt64 { @_noLocks get { 1 << 32 } }

    /// Where an index falls.
    public enum Place: UInt8, Sendable {
        /// Below the floor or behind the window (`lateIndex`).
        case late
        /// Inside: its bit tells whether it is new (`indexReplay` if set).
        case inside
        /// Above everything seen: the window slides, the index is new.
        case ahead
        /// More than 2^32 ahead (`indexJump`).
        case jump

        /// The raw value, for code that may not compare enums.
        @inlinable public var index: UInt8 {
            @_noLocks get {
                switch self {
                case .late: 0
                case .inside: 1
                case .ahead: 2
                case .jump: 3
                }
            }
        }
    }

    /// `floor` is the lowest index still taken: one above the last decided or redeemed. `top` is
    /// one above the highest seen.
    @inlinable
    @_noLocks
    public static func place(_ index: UInt64, floor: UInt64, top: UInt64) -> Place {
        if index < lowest(floor: floor, top: top) { return .late }
        if index < top { return .inside }
        let reference = top > floor ? top : floor
        return index - reference > jumpMax ? .jump : .ahead
    }

    /// Lowest index the window can tell anything about.
    @inlinable
    @_noLocks
    public static func lowest(floor: UInt64, top: UInt64) -> UInt64 {
        let bottom = top > width ? top - width : 0
        return bottom > floor ? bottom : floor
    }

    /// Word of an index's bit.
    @inlinable
    @_noLocks
    public static func word(_ index: UInt64) -> Int { Int((index % width) / 64) }

    /// An index's bit in its word.
    @inlinable
    @_noLocks
    public static func bit(_ index: UInt64) -> UInt64 { 1 << (index % 64) }

    /// How many words, from `word(top)` around the ring, hold bits of `top..<newTop`.
    @inlinable
    @_noLocks
    public static func staleWordCount(top: UInt64, newTop: UInt64) -> Int {
        if newTop <= top { return 0 }
        if newTop - top >= width { return wordCount }
        let count = Int((newTop - 1) / 64 - top / 64 + 1)
        return count < wordCount ? count : wordCount
    }

    /// Which bits of word `word` (0..<wordCount) must be cleared when the top moves from `top` to
    /// `newTop`: those of the indices `top..<newTop`, whose places held older ones.
    @inlinable
    @_noLocks
    public static func stale(word: Int, top: UInt64, newTop: UInt64) -> UInt64 {
        if newTop <= top { return 0 }
        let count = newTop - top
        if count >= width { return .max }
        // Distance around the ring from `top` to the word's first bit; bits from `wrap` on are at
        // distance 0 and more.
        let start = (UInt64(word) * 64 &- top) & (width - 1)
        let wrap = width - start
        let ahead = count > start ? low(count - start) : 0
        return wrap < 64 ? ahead & low(wrap) | low(wrap + count) & ~low(wrap) : ahead
    }

    // The lowest `count` bits.
    @inlinable
    @_noLocks
    static func low(_ count: UInt64) -> UInt64 { count >= 64 ? .max : (1 << count) - 1 }
}
