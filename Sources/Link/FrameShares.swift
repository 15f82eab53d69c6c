internal import Bytes

/// Who has how many of the assemblies, so that a link that is greedy pays for it itself.
///
/// A link has a row while it has any. Rows with the same number of assemblies are in one list: the
/// link that has most is found at once.
struct FrameShares {
    private struct Row: BitwiseCopyable {
        var link: UInt32 = 0
        var count: UInt32 = 0
    }

    private let rows: Column<Row>
    private let index: FrameIndex
    /// A row's assemblies, oldest first.
    private let held: FrameLists
    /// Rows by the number of their assemblies; the rows that nobody has are in list 0.
    private let counts: FrameLists
    /// Bit n: list n of `counts` is not empty. Bit 0 is not kept.
    private let occupied: Column<UInt64>

    /// Room for `assemblies`, and at most 63 of a link.
    init(_ arena: inout Arena, assemblies: Int, perLink: Int) {
        rows = arena.column(Row.self, assemblies)
        index = FrameIndex(&arena, items: assemblies)
        held = FrameLists(&arena, items: assemblies, lists: assemblies)
        counts = FrameLists(&arena, items: assemblies, lists: perLink + 1)
        occupied = arena.column(UInt64.self, 1)
    }

    /// Nobody has any.
    func clear() {
        index.clear()
        held.clear()
        counts.clear()
        occupied[0] = 0
        for row in 0..<rows.count { counts.append(UInt32(row), to: 0) }
    }

    /// The row of a link; `FrameLists.none` if it has no assembly.
    @_noLocks
    func row(_ link: UInt32, _ digest: UInt64) -> UInt32 {
        var row = index.first(digest)
        while row != FrameLists.none, rows[Int(row)].link != link { row = index.next(row) }
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

    /// The link gets an assembly, its youngest; returns its row.
    @_noLocks
    func add(_ assembly: UInt32, _ link: UInt32, _ digest: UInt64) -> UInt32 {
        var row = self.row(link, digest)
        if row == FrameLists.none {
            row = counts.first(0)
            rows[Int(row)] = Row(link: link, count: 0)
            index.insert(row, digest)
        }
        held.append(assembly, to: Int(row))
        move(row, by: 1)
        return row
    }

    /// The link loses an assembly.
    @_noLocks
    func remove(_ assembly: UInt32, from row: UInt32) {
        held.remove(assembly, from: Int(row))
        move(row, by: -1)
        if rows[Int(row)].count == 0 { index.remove(row) }
    }

    @_noLocks
    private func move(_ row: UInt32, by step: Int) {
        let before = count(row)
        let after = before + step
        counts.remove(row, from: before)
        if before != 0, counts.first(before) == FrameLists.none {
            occupied[0] &= ~(1 << UInt64(before))
        }
        rows[Int(row)].count = UInt32(truncatingIfNeeded: after)
        // A row that was in use is warm: it is taken first.
        if after == 0 { counts.push(row, to: 0) } else { counts.append(row, to: after) }
        if after != 0 { occupied[0] |= 1 << UInt64(after) }
    }
}
