public import Bytes

/// Makes the bytes of a trace, a block at a time, in memory handed in; the caller writes them to a
/// file in the order in which it gets them.
///
/// For the control plane.
public struct TraceWriter {
    private let header: TraceHeader
    private let memory: Region
    private var used = TraceFormat.blockHeadBytes
    private var records: UInt32 = 0
    private var recordsBefore: UInt64 = 0

    /// - Parameter memory: a block's: between a record's largest and `blockBytesMax` bytes.
    public init(_ header: TraceHeader, memory: Region) {
        precondition(header.packetBytes < 1 << 32 && header.links < 1 << 32)
        precondition(header.keptBytesMax <= TraceFormat.keptBytesMax)
        precondition(memory.byteCount <= TraceFormat.blockBytesMax)
        precondition(memory.byteCount >= TraceWriter.leastBytes(keeping: header.keptBytesMax))
        self.header = header
        self.memory = memory
    }

    /// The least memory for records that keep so much.
    public static func leastBytes(keeping bytes: Int) -> Int {
        TraceFormat.blockHeadBytes + TraceFormat.recordHeadBytes + bytes
            + TraceFormat.checksumBytes
    }

    /// Records appended so far.
    public var count: UInt64 { recordsBefore + UInt64(records) }

    /// The file's header, `headerBytes`: the first thing to write.
    public func begin(into bytes: Region) { header.write(to: bytes) }

    /// Adds a record; false if the block has no room for it: write what `block` returns first.
    public mutating func append(_ record: TraceRecord) -> Bool {
        precondition(record.link < header.links && record.kept.byteCount <= record.size)
        precondition(!header.isWhole || record.kept.byteCount == record.size)
        let kept = min(record.kept.byteCount, header.keptBytesMax)
        let room = memory.byteCount - TraceFormat.checksumBytes - used
        guard TraceFormat.recordHeadBytes + kept <= room else { return false }
        let head = memory.slice(used, TraceFormat.recordHeadBytes)
        head.store(record.nanos.littleEndian, 0)
        head.store(UInt32(record.link).littleEndian, 8)
        head.store(record.direction.rawValue, 12)
        head.store(record.kind, 13)
        head.store(UInt16(0), 14)
        head.store(UInt32(record.size).littleEndian, 16)
        head.store(UInt32(kept).littleEndian, 20)
        used += TraceFormat.recordHeadBytes
        memory.copy(record.kept.slice(0, kept), to: used)
        used += kept
        records += 1
        return true
    }

    /// The records since the last block as one, until the next `append`; nil if there are none.
    public mutating func block() -> Region? { records == 0 ? nil : close() }

    /// Bytes that `block` would return now; 0 if there are no records.
    public var blockBytes: Int { records == 0 ? 0 : used + TraceFormat.checksumBytes }

    /// Forgets what was appended after the first `count` records, which lie in blocks before: for a
    /// caller that could not write the rest.
    public mutating func retract(to count: UInt64) {
        precondition(count <= recordsBefore)
        recordsBefore = count
        records = 0
        used = TraceFormat.blockHeadBytes
    }

    /// The end of the file, after the last block.
    public mutating func end() -> Region {
        precondition(records == 0, "write the last block first")
        return close()
    }

    private mutating func close() -> Region {
        memory.store(UInt32(used - TraceFormat.blockHeadBytes).littleEndian, 0)
        memory.store(records.littleEndian, 4)
        memory.store(recordsBefore.littleEndian, 8)
        let block = memory.slice(0, used + TraceFormat.checksumBytes)
        TraceFormat.seal(block)
        recordsBefore += UInt64(records)
        records = 0
        used = TraceFormat.blockHeadBytes
        return block
    }
}
