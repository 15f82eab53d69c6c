public import Bytes

/// What a worker counts besides drops; the case name is the metric name. New ones are appended.
public enum Counter: UInt8, CaseIterable, Sendable {
    /// Packets that reached the engine.
    case packetsIn
    /// Packets accepted for the next hop.
    case forwarded
    /// Packets that ended here, acknowledgement packets apart.
    case delivered
    /// Packets of our own: messages, replies.
    case made
    /// Packets handed to the kernel.
    case packetsOut
    /// Acknowledgement packets taken.
    case ackPacketsIn
    /// Acknowledgement packets made.
    case ackPacketsOut
    /// Acknowledgements taken, good or bad.
    case acksIn
    /// Acknowledgements queued for a neighbour.
    case acksOut
    /// Tickets held.
    case ticketsLocked
    /// Tickets whose response became known.
    case ticketsUnlocked
    /// Tickets issued, zero-hop ones apart.
    case ticketsIssued
    /// Reports that found no room.
    case reportsLost
    /// Acknowledgements offered to another worker.
    case acksOffered
    /// Bytes received.
    case bytesIn
    /// Bytes sent.
    case bytesOut
    /// Batches processed.
    case batches
    /// Datagrams that the kernel gave us.
    case datagramsIn
    /// Ticket signatures checked by a table of their issuer.
    case ticketsByTable
    /// Ticket signatures checked by recovering the issuer.
    case ticketsByRecovery
    /// Acknowledgements checked by a table of the neighbour.
    case acksByTable
    /// Acknowledgements checked without one.
    case acksByKey
    /// Tickets of ours that did not verify after they were signed, and so did not leave.
    case selfChecksFailed
    /// Whole packets that links brought from neighbours.
    case packetsReceived
    /// Packets handed to another worker, which had nothing to do.
    case spilledOut
    /// Packets taken from another worker.
    case spilledIn
    /// Datagrams handed to the kernel.
    case datagramsOut
    /// Handshakes passed on to the link desk.
    case handshakesIn
    /// Pings of neighbours.
    case pingsIn
    /// Answers to them.
    case pongsOut
    /// Answers to pings of ours.
    case pongsIn
    /// Datagrams of padding alone that kept a link's rate.
    case paddingOut
    /// Datagrams that a link's rate asked for while there was no time or no room to send them.
    case paddingMissed
    /// Lanes that the curve arithmetic was given packets in.
    case lanesUsed
    /// Lanes that it ran for them: they come by eight.
    case lanesRun
    /// Records of a trace that found no room.
    case traceDropped

    /// Number of the counter.
    public var index: Int {
        @_noLocks
        get { Int(rawValue) }
    }
}

/// One worker's numbers: written by it alone, read by anybody.
public struct Counters: Sendable {
    static var dropCells: Int { @_noLocks get { 128 } }
    static var counterCells: Int { @_noLocks get { 64 } }

    /// Bytes of memory.
    public static var byteCount: Int {
        @_noLocks
        get { 8 * (latenessFirst + MixLateness.cells) }
    }

    // The parts, in order.
    private static var latencyFirst: Int { @_noLocks get { dropCells + counterCells } }
    private static var rejectsFirst: Int { @_noLocks get { latencyFirst + Histogram.cells } }
    private static var latenessFirst: Int {
        @_noLocks
        get { rejectsFirst + 2 * RejectBoard.places }
    }

    /// All bytes, for comparing.
    public let region: Region
    private let cells: AtomicCells

    /// Counters over zeroed memory.
    public init(_ region: Region) {
        self.region = region.slice(0, Counters.byteCount)
        cells = AtomicCells(self.region)
    }

    /// Counts a drop.
    @_noLocks
    public func count(_ drop: Drop, by number: UInt64 = 1) {
        cells.bump(Int(drop.index), by: number)
    }

    /// Counts an event.
    @_noLocks
    public func count(_ counter: Counter, by number: UInt64 = 1) {
        cells.bump(Counters.dropCells + counter.index, by: number)
    }

    /// Packets dropped for a reason.
    @_noLocks
    public func value(_ drop: Drop) -> UInt64 { cells.load(Int(drop.index)) }

    /// Events of a kind.
    @_noLocks
    public func value(_ counter: Counter) -> UInt64 {
        cells.load(Counters.dropCells + counter.index)
    }

    /// Time from receiving to sending.
    public var latency: Histogram {
        @_noLocks
        get { Histogram(cells, first: Counters.latencyFirst) }
    }

    /// Refused packets by neighbour.
    public var rejects: RejectBoard {
        @_noLocks
        get { RejectBoard(cells, first: Counters.rejectsFirst) }
    }

    /// How late packets left the mixer.
    public var lateness: MixLateness {
        @_noLocks
        get { MixLateness(cells, first: Counters.latenessFirst) }
    }
}

/// Nanoseconds in classes about 6 % wide: sixteen to each power of two.
public struct Histogram: Sendable {
    static var cells: Int { @_noLocks get { 1_024 } }
    private let counts: AtomicCells
    private let first: Int

    init(_ counts: AtomicCells, first: Int) {
        self.counts = counts
        self.first = first
    }

    /// The class of a value.
    @_noLocks
    static func place(_ value: UInt64) -> Int {
        guard value >= 16 else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount
        return (exponent - 3) * 16 + Int(value >> UInt64(exponent - 4) & 15)
    }

    /// The smallest value of a class.
    static func lowest(_ place: Int) -> UInt64 {
        guard place >= 16 else { return UInt64(place) }
        return (16 + UInt64(place % 16)) << UInt64(place / 16 - 1)
    }

    /// Adds a value.
    @_noLocks
    public func add(_ nanos: UInt64) { counts.bump(first + Histogram.place(nanos)) }

    /// All classes that are not empty: lowest value and count.
    public var classes: [(nanos: UInt64, count: UInt64)] {
        (0..<Histogram.cells).compactMap { place in
            let count = counts.load(first + place)
            return count == 0 ? nil : (Histogram.lowest(place), count)
        }
    }

    /// The value below which `share` (0...1) of the values lie; 0 if there are none.
    public static func quantile(
        _ share: Double,
        of classes: [(nanos: UInt64, count: UInt64)]
    ) -> UInt64 {
        let total = classes.reduce(0) { $0 + $1.count }
        var left = UInt64((Double(total) * share).rounded(.up))
        for entry in classes {
            if left <= entry.count { return entry.nanos }
            left -= entry.count
        }
        return classes.last?.nanos ?? 0
    }
}
