public import Bytes

/// What crossed a worker's links, for whoever records it.
public struct TapRecord: Sendable {
    /// Kind of a whole datagram; other kinds are numbers of frames' types.
    @inlinable public static var datagram: UInt8 { @_noLocks get { 0 } }
    /// Kind of a packet.
    @inlinable public static var packet: UInt8 { @_noLocks get { 1 } }

    /// When the worker had it in hand: monotonic clock.
    public var nanos: UInt64
    /// Key id of the neighbour; 0 for a datagram that no session opened.
    public var keyID: UInt32
    /// It went to the neighbour.
    public var isOutgoing: Bool
    /// What it is.
    public var kind: UInt8
    /// Bytes it had.
    public var size: Int
    /// What is kept of it; stays until `release`.
    public var kept: Region
}

/// A tap's memory: `wish 8 ‖ obeyed 8 ‖ zero 48 ‖ ring`; a wish is 0 while nobody records, else one
/// more than the bytes that are kept of a packet. A record in the ring is `nanoseconds 8 ‖ key id 4
/// ‖ direction 1 ‖ kind 1 ‖ zero 2 ‖ size 4 ‖ zero 4 ‖ what is kept`.
public enum Tap {
    static var wishCell: Int { @_noLocks get { 0 } }
    static var obeyedCell: Int { @_noLocks get { 1 } }
    static var ringOffset: Int { @_noLocks get { 64 } }
    static var headBytes: Int { @_noLocks get { 24 } }

    /// Bytes kept of a datagram: its head in clear.
    public static var datagramBytesKept: Int { @_noLocks get { 16 } }

    /// Bytes of memory for a ring with `capacity` bytes of records, a power of two.
    public static func byteCount(capacity: Int) -> Int {
        ringOffset + RecordRing.byteCount(capacity: capacity)
    }

    static func ring(_ region: Region) -> Region {
        region.slice(ringOffset, region.byteCount - ringOffset)
    }
}

/// The worker's end of its tap.
public struct TapWriter: Sendable {
    private let cells: AtomicCells
    private var ring: RingWriter
    private var wish: UInt64 = 0

    /// Writes into a tap's memory, 64-byte aligned and zeroed before first use; nobody records yet.
    public init(_ region: Region) {
        cells = AtomicCells(region.slice(0, Tap.ringOffset))
        ring = RingWriter(Tap.ring(region))
        cells.store(0, Tap.wishCell)
        cells.store(0, Tap.obeyedCell)
    }

    /// Whether somebody records from now on.
    @_noLocks
    public mutating func obey() -> Bool {
        let wish = cells.loadAcquiring(Tap.wishCell)
        if wish != self.wish {
            self.wish = wish
            cells.storeReleasing(wish, Tap.obeyedCell)
        }
        return wish != 0
    }

    /// Leaves a record while somebody records: of a datagram its head is kept, of a packet as much
    /// as is wished, of anything else nothing.
    ///
    /// - Returns: false if there is no room.
    @_noLocks
    public mutating func put(
        _ kind: UInt8,
        _ bytes: Region,
        keyID: UInt32,
        isOutgoing: Bool,
        nowNanos: UInt64
    ) -> Bool {
        assert(wish > 0)
        var kept = 0
        if kind == TapRecord.datagram { kept = Tap.datagramBytesKept }
        if kind == TapRecord.packet { kept = Int(wish) - 1 }
        kept = min(kept, bytes.byteCount)
        guard let record = ring.begin(kind: 1, Tap.headBytes + kept) else { return false }
        record.store(nowNanos, 0)
        record.store(keyID, 8)
        record.store(UInt8(isOutgoing ? 1 : 0), 12)
        record.store(kind, 13)
        record.store(UInt32(truncatingIfNeeded: bytes.byteCount), 16)
        record.copy(bytes.slice(0, kept), to: Tap.headBytes)
        ring.end()
        return true
    }
}

/// Control's end of a worker's tap; one thread's at a time.
public struct TapReader: Sendable {
    private let cells: AtomicCells
    private var ring: RingReader

    /// Reads from a tap's memory.
    public init(_ region: Region) {
        cells = AtomicCells(region.slice(0, Tap.ringOffset))
        ring = RingReader(Tap.ring(region))
    }

    /// Wishes for records from the worker's next turn on, after throwing away what lies there.
    ///
    /// - Parameter packetBytes: most bytes kept of a packet.
    public mutating func begin(keeping packetBytes: Int) {
        while ring.next() != nil { ring.release() }
        cells.storeReleasing(UInt64(packetBytes) + 1, Tap.wishCell)
    }

    /// Wishes for no more records.
    public func end() { cells.storeReleasing(0, Tap.wishCell) }

    /// True once the worker does as was wished last: after `end`, nothing more comes.
    public var isObeyed: Bool {
        cells.loadAcquiring(Tap.obeyedCell) == cells.load(Tap.wishCell)
    }

    /// The oldest record, until `release`; nil if there is none.
    public mutating func next() -> TapRecord? {
        guard let bytes = ring.next() else { return nil }
        return TapRecord(
            nanos: bytes.load(0),
            keyID: bytes.load(8),
            isOutgoing: bytes.byte(12) == 1,
            kind: bytes.byte(13),
            size: Int(bytes.load(16) as UInt32),
            kept: bytes.slice(Tap.headBytes, bytes.byteCount - Tap.headBytes)
        )
    }

    /// Gives the record's memory back.
    public mutating func release() { ring.release() }
}
