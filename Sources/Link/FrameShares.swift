internal import Bytes

/// Who has how many of the assemblies, so that a link that is greedy pays for it itself.
///
/// A link that has any has a row, and keeps it afterwards until another link needs it. Rows with
/// the same number of assemblies are in one list: the link that has most is found at once.
struct FrameShares {
    private struct Row: BitwiseCopyable {
        var link: UInt32 = 0
        var count: UInt16 = 0
        /// Whether a link is found by it.
        var isNamed = false
    }

    private let rows: Column<Row>
    private let index: FrameIndex
    /// A row's assemblies, oldest first.
    private let held: FrameLists
    /// Rows by the number of their assemblies.
    private let counts: FrameLists
    /// Bit n, from 1 on: list n of `counts` is not empty.
    private let occupied: Column<UInt64>

    /// Room for `assemblies`, and at most 63 of a link.
    init(_ arena: inout Arena, assemblies: Int, perLink: Int) {
        rows = arena.column(Row.self, assemblies + 1)
        index = FrameIndex(&arena, items: rows.count)
        held = FrameLists(&arena, items: assemblies, lists: rows.count)
        counts = FrameLists(&arena, items: rows.count, lists: perLink + 1)
        occupied = arena.column(UInt64.self, 1)
    }

    /// Nobody has any.
    func clear() {
        index.clear()
        held.clear()
        counts.clear()
        occupied[0] = 0
        for row in 0..<rows.count {
            rows[row] = Row()
            counts.append(UInt32(row), to: 0)
        }
    }

    /// The row of a link; if it has none, the one that has been without assemblies for the longest
    /// time becomes its own. There is one row more than assemblies, so one is always without.
    @_noLocks
    func row(_ link: UInt32, _ digest: UInt64) -> UInt32 {
        var row = index.first(digest)
        while row != FrameLists.none, rows[Int(row)].link != link { row = index.next(row) }
        guard row == FrameLists.none else { return row }
        row = counts.first(0)
        if rows[Int(row)].isNamed { index.remove(row) }
        rows[Int(row)] = Row(link: link, isNamed: true)
        index.insert(row, digest)
        return row
    }

    /// Assemblies of a row.
    @_noLocks
    func count(_ row: UInt32) -> Int { Int(rows[Int(row)].count) }

    /// A row's oldest assembly.
    @_noLocks
    func oldest(_ row: UInt32) -> UInt32 { held.first(Int(row)) }

    /// The row with most assemblies, and of several the one that has had so many for the longest
    /// time; there is one.
    var largest: UInt32 {
        @_noLocks
        get { counts.first(63 - occupied[0].leadingZeroBitCount) }
    }

    /// A row gets an assembly, its youngest.
    @_noLocks
    func add(_ assembly: UInt32, to row: UInt32) {
        held.append(assembly, to: Int(row))
        move(row, to: count(row) + 1)
    }

    /// A row loses an assembly.
    @_noLocks
    func remove(_ assembly: UInt32, from row: UInt32) {
        held.remove(assembly, from: Int(row))
        move(row, to: count(row) - 1)
    }

    @_noLocks
    private func move(_ row: UInt32, to after: Int) {
        let before = count(row)
        counts.remove(row, from: before)
        if counts.first(before) == FrameLists.none { occupied[0] &= ~(1 << UInt64(before)) }
        rows[Int(row)].count = UInt16(truncatingIfNeeded: after)
        counts.append(row, to: after)
        occupied[0] |= 1 << UInt64(after)
    }
}
