public import Bytes

/// Records from one thread to another through memory both see: single producer, single consumer.
///
/// A record is never split: where the end of the memory would split it, a filler is left there.
public enum RecordRing {
    static var headerBytes: Int { @_noLocks get { 256 } }
    static var tailCell: Int { @_noLocks get { 0 } }
    static var headCell: Int { @_noLocks get { 16 } }

    /// Bytes for a ring with `capacity` bytes of records, a power of two.
    public static func byteCount(capacity: Int) -> Int { headerBytes + capacity }

    /// Bytes that a record of `count` payload bytes takes.
    @_noLocks
    public static func recordBytes(_ count: Int) -> Int { 8 + (count + 7) & ~7 }
}

/// The producer's end.
public struct RingWriter: Sendable {
    private let cells: AtomicCells
    private let data: Region
    private var tail: UInt64
    private var headSeen: UInt64
    private var pending = 0

    /// The writing end of the ring in `region`, 64-byte aligned and zeroed before first use.
    public init(_ region: Region) {
        cells = AtomicCells(region.slice(0, RecordRing.headerBytes))
        data = region.slice(
            RecordRing.headerBytes,
            region.byteCount - RecordRing.headerBytes
        )
        precondition(data.byteCount & (data.byteCount - 1) == 0, "ring is no power of two")
        tail = cells.load(RecordRing.tailCell)
        headSeen = cells.loadAcquiring(RecordRing.headCell)
    }

    /// Bytes of records the ring holds when full.
    public var capacity: Int {
        @_noLocks
        get { data.byteCount }
    }

    /// Bytes free; a record may need twice its size when it meets the end of the memory.
    @_noLocks
    public mutating func room() -> Int {
        headSeen = cells.loadAcquiring(RecordRing.headCell)
        return data.byteCount - Int(tail &- headSeen)
    }

    /// Where to write the payload of the next record; nil if there is no room.
    @_noLocks
    public mutating func begin(kind: UInt32, _ count: Int) -> Region? {
        let need = RecordRing.recordBytes(count)
        let place = Int(tail) & (data.byteCount - 1)
        let straight = data.byteCount - place
        let filler = straight < need ? straight : 0
        guard need <= data.byteCount / 2 else { return nil }
        if data.byteCount - Int(tail &- headSeen) < filler + need, room() < filler + need {
            return nil
        }
        if filler > 0 {
            data.store(UInt32(filler - 8), place)
            data.store(UInt32(0), place + 4)
        }
        let start = filler > 0 ? 0 : place
        data.store(UInt32(count), start)
        data.store(kind, start + 4)
        pending = filler + need
        return data.slice(start + 8, count)
    }

    /// Hands the record over.
    @_noLocks
    public mutating func end() {
        tail &+= UInt64(pending)
        pending = 0
        cells.storeReleasing(tail, RecordRing.tailCell)
    }
}

/// The consumer's end.
public struct RingReader: Sendable {
    private let cells: AtomicCells
    private let data: Region
    private var head: UInt64
    /// Kind of the record that `next` returned.
    public private(set) var kind: UInt32 = 0
    private var pending = 0

    /// The reading end of the ring in `region`.
    public init(_ region: Region) {
        cells = AtomicCells(region.slice(0, RecordRing.headerBytes))
        data = region.slice(
            RecordRing.headerBytes,
            region.byteCount - RecordRing.headerBytes
        )
        head = cells.load(RecordRing.headCell)
    }

    /// The payload of the oldest record, which stays until `release`; nil if there is none.
    @_noLocks
    public mutating func next() -> Region? {
        while true {
            let tail = cells.loadAcquiring(RecordRing.tailCell)
            guard tail != head else { return nil }
            let place = Int(head) & (data.byteCount - 1)
            let count: UInt32 = data.load(place)
            kind = data.load(place + 4)
            pending = RecordRing.recordBytes(Int(count))
            if kind != 0 { return data.slice(place + 8, Int(count)) }
            release()
        }
    }

    /// Gives the record's memory back.
    @_noLocks
    public mutating func release() {
        head &+= UInt64(pending)
        pending = 0
        cells.storeReleasing(head, RecordRing.headCell)
    }
}
