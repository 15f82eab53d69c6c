public import Bytes
internal import Exchange

/// Memory between a worker that has too many packets and one that has nothing to do.
///
/// The one that takes packets copies them into slots of its own, and mixes and sends from there:
/// delays are drawn packet by packet, so it does not matter on whose wheel a packet waits.
public enum SpillRing {
    static var batchKind: UInt32 { @_noLocks get { 1 } }

    /// Bytes of memory, zeroed, on a 64-byte boundary: for four batches at least.
    public static func byteCount(packetBytes: Int) -> Int {
        let batch = SpillBatch.byteCount(SpillBatch.capacity, packetBytes: packetBytes)
        var capacity = 1 << 12
        while capacity < 4 * RecordRing.recordBytes(batch) { capacity *= 2 }
        return RecordRing.byteCount(capacity: capacity)
    }
}

/// Up to 32 packets where they lie in the ring.
public struct SpillBatch: Sendable {
    /// Most packets.
    public static var capacity: Int { @_noLocks get { 32 } }

    // When it came, key id and link row of the neighbour; then the packet.
    private static var headBytes: Int { @_noLocks get { 16 } }

    private let record: Region
    private let packetBytes: Int
    /// Number of packets.
    public let count: Int

    @_noLocks
    init(_ record: Region, packetBytes: Int) {
        self.record = record
        self.packetBytes = packetBytes
        count = record.byteCount / SpillBatch.stride(packetBytes)
    }

    /// Bytes of a batch.
    @_noLocks
    static func byteCount(_ count: Int, packetBytes: Int) -> Int { count * stride(packetBytes) }

    @_noLocks
    private static func stride(_ packetBytes: Int) -> Int { (headBytes + packetBytes + 7) & ~7 }

    @_noLocks
    private func item(_ index: Int) -> Region {
        let stride = SpillBatch.stride(packetBytes)
        return record.slice(index * stride, stride)
    }

    /// Writes one of the packets.
    ///
    /// - Parameters:
    ///   - keyID, row: key id and link row of the neighbour that sent it.
    ///   - cameNanos: when it came.
    @_noLocks
    public func put(_ index: Int, _ packet: Region, keyID: UInt32, row: UInt32, cameNanos: UInt64) {
        assert(index < count && packet.byteCount == packetBytes)
        let item = item(index)
        item.store(cameNanos, 0)
        item.store(keyID, 8)
        item.store(row, 12)
        item.copy(packet, to: SpillBatch.headBytes)
    }

    /// A packet.
    @_noLocks
    public func packet(_ index: Int) -> Region {
        item(index).slice(SpillBatch.headBytes, packetBytes)
    }

    /// Key id of the neighbour that sent it.
    @_noLocks
    public func keyID(_ index: Int) -> UInt32 { item(index).load(8) }

    /// Link row of the neighbour that sent it.
    @_noLocks
    public func row(_ index: Int) -> UInt32 { item(index).load(12) }

    /// When it came.
    @_noLocks
    public func cameNanos(_ index: Int) -> UInt64 { item(index).load(0) }
}

/// The end of the worker that has too many.
public struct SpillWriter: Sendable {
    private var ring: RingWriter
    private let packetBytes: Int

    /// Writes into the ring in `region`.
    public init(_ region: Region, packetBytes: Int) {
        ring = RingWriter(region)
        self.packetBytes = packetBytes
    }

    /// True if the other worker has taken all there was.
    public var isEmpty: Bool {
        @_noLocks
        mutating get { ring.room() == ring.capacity }
    }

    /// Begins a batch of 1...32 packets, all of which must be put before `end`; nil if there is no
    /// room.
    @_noLocks
    public mutating func begin(_ count: Int) -> SpillBatch? {
        assert(count > 0 && count <= SpillBatch.capacity)
        let bytes = SpillBatch.byteCount(count, packetBytes: packetBytes)
        guard let record = ring.begin(kind: SpillRing.batchKind, bytes) else { return nil }
        return SpillBatch(record, packetBytes: packetBytes)
    }

    /// Hands the batch over.
    @_noLocks
    public mutating func end() { ring.end() }
}

/// The end of the worker that has nothing to do.
public struct SpillReader: Sendable {
    private var ring: RingReader
    private let packetBytes: Int

    /// Reads from the ring in `region`.
    public init(_ region: Region, packetBytes: Int) {
        ring = RingReader(region)
        self.packetBytes = packetBytes
    }

    /// The oldest batch, until `release`; nil if there is none.
    @_noLocks
    public mutating func next() -> SpillBatch? {
        guard let record = ring.next() else { return nil }
        return SpillBatch(record, packetBytes: packetBytes)
    }

    /// Gives the batch's memory back.
    @_noLocks
    public mutating func release() { ring.release() }
}
