public import Bytes
public import Crypto

/// What leaves in a turn, by next hop: trains are formed after the shuffle.
///
/// Hops come in random order; packets to one hop keep the order that the mixer gave them. Nothing
/// waits for company: the mixer's tick has done that.
public struct HopGroups {
    /// Packets to one hop: positions in `place`.
    public struct Group: BitwiseCopyable, Sendable, Equatable {
        /// Link row of the hop.
        public var row: UInt32
        /// Where its packets begin.
        public var first: Int
        /// How many they are.
        public var count: Int
    }

    /// Packets of a hop, while they are counted; all zero between calls.
    private let counts: Column<UInt32>
    /// Where the next packet of a hop goes.
    private let ends: Column<UInt32>
    private let hops: Column<UInt32>
    private let firsts: Column<UInt32>
    /// Packets, in groups: positions in what `form` was given.
    public let place: Column<UInt32>

    /// Takes zeroed memory for hops with link rows below `rows` and `capacity` packets.
    public init(_ arena: inout Arena, rows: Int, capacity: Int) {
        counts = arena.column(UInt32.self, rows)
        ends = arena.column(UInt32.self, rows)
        hops = arena.column(UInt32.self, capacity)
        firsts = arena.column(UInt32.self, capacity + 1)
        place = arena.column(UInt32.self, capacity)
    }

    /// Groups packets by hop.
    ///
    /// - Parameters:
    ///   - rows: link row of each packet's next hop; a packet whose row is out of range is in no
    ///     group.
    ///   - count: packets, at most the capacity.
    /// - Returns: number of groups; `group` and `place` are theirs until the next call.
    @_noLocks
    public func form(
        _ rows: Column<UInt32>,
        count: Int,
        random: inout RandomStream
    ) -> Int {
        assert(count <= place.count)
        var groups = 0
        for packet in 0..<count where Int(rows[packet]) < counts.count {
            let row = Int(rows[packet])
            if counts[row] == 0 {
                hops[groups] = rows[packet]
                groups += 1
            }
            counts[row] += 1
        }
        shuffle(hops, 0, groups, &random)
        var first: UInt32 = 0
        for index in 0..<groups {
            let row = Int(hops[index])
            firsts[index] = first
            ends[row] = first
            first += counts[row]
            counts[row] = 0
        }
        firsts[groups] = first
        for packet in 0..<count where Int(rows[packet]) < counts.count {
            let row = Int(rows[packet])
            place[Int(ends[row])] = UInt32(truncatingIfNeeded: packet)
            ends[row] += 1
        }
        return groups
    }

    /// A group of the last call.
    @_noLocks
    public func group(_ index: Int) -> Group {
        let first = Int(firsts[index])
        return Group(row: hops[index], first: first, count: Int(firsts[index + 1]) - first)
    }
}
