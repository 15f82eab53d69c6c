public import Bytes

/// Which datagrams are opened although their packets will be dropped: a few in each span of time,
/// for there may be acknowledgements in them, and those are worth more than it costs to look.
///
/// Without it, opening a flood would cost more than all the packets that are kept. A neighbour that
/// floods takes no other's part away, as long as few flood.
public struct LinkShed {
    /// How many are opened.
    public struct Limits: BitwiseCopyable, Sendable, Equatable {
        /// Length of a span.
        public var spanNanos: UInt64 = 1_000_000
        /// Datagrams in a span, of all neighbours together.
        public var datagrams: UInt32 = 32
        /// Datagrams in a span, of one neighbour.
        public var datagramsPerNeighbour: UInt32 = 8

        /// Defaults: a twentieth of a core for all.
        public init() {}
    }

    private struct Part: BitwiseCopyable {
        /// The span that `count` belongs to.
        var span: UInt64 = 0
        var count: UInt64 = 0
    }

    private let parts: Column<Part>
    private let all: Column<Part>
    private let limits: Limits

    /// Takes zeroed memory for neighbours with link rows below `rows`.
    public init(_ arena: inout Arena, rows: Int, limits: Limits = Limits()) {
        precondition(limits.spanNanos > 0)
        parts = arena.column(Part.self, rows)
        all = arena.column(Part.self, 1)
        self.limits = limits
    }

    /// True if a datagram of the neighbour is opened all the same; it is counted then.
    @_noLocks
    public func mayOpen(row: UInt32, nowNanos: UInt64) -> Bool {
        // Spans count from 1, so that zeroed memory is of none.
        let span = nowNanos / limits.spanNanos + 1
        let mine = LinkShed.count(parts[Int(row)], span)
        let others = LinkShed.count(all[0], span)
        guard mine < limits.datagramsPerNeighbour, others < limits.datagrams else { return false }
        parts[Int(row)] = Part(span: span, count: mine + 1)
        all[0] = Part(span: span, count: others + 1)
        return true
    }

    @_noLocks
    private static func count(_ part: Part, _ span: UInt64) -> UInt64 {
        part.span == span ? part.count : 0
    }
}
