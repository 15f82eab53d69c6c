public import Bytes

/// Reads a trace, a block at a time; the caller brings the bytes, so the file may be of any length
/// and from anybody.
///
/// `init` takes the header. Then, for each block: `begin` takes its head and says how much follows,
/// `open` takes all of it, `next` gives its records until there are no more. At the end of the file
/// `finish` tells whether it is all there. `read` does this for a file in memory.
public struct TraceReader {
    /// What the trace says of itself.
    public let header: TraceHeader
    /// True when the end block was opened: nothing may follow.
    public private(set) var isAtEnd = false

    private var block = Region.nowhere
    /// Where the block begins in the file.
    private var start = TraceFormat.headerBytes
    /// Where the next record begins in the block, and where the last one ends.
    private var position = 0
    private var end = 0
    private var recordsLeft = 0
    private var recordsBefore: UInt64 = 0

    /// - Parameter header: the file's first `headerBytes`, or fewer if it is shorter.
    public init(header bytes: Region) throws(TraceError) {
        guard bytes.byteCount >= TraceFormat.headerBytes else {
            throw TraceError(bytes.byteCount, .cutOff)
        }
        header = try TraceHeader(bytes.slice(0, TraceFormat.headerBytes))
    }

    /// Reads the head of the next block.
    ///
    /// - Parameter head: the next `blockHeadBytes` of the file, or fewer if it is shorter.
    /// - Returns: bytes of the block that follow its head.
    public mutating func begin(head: Region) throws(TraceError) -> Int {
        start += block.byteCount
        block = Region.nowhere
        if isAtEnd { throw TraceError(start, .trailing) }
        guard head.byteCount >= TraceFormat.blockHeadBytes else {
            throw TraceError(start + head.byteCount, .cutOff)
        }
        let bytes = TraceFormat.blockHeadBytes + head.word32(0) + TraceFormat.checksumBytes
        guard bytes <= TraceFormat.blockBytesMax else {
            throw TraceError(start, .blockBytes(bytes))
        }
        return bytes - TraceFormat.blockHeadBytes
    }

    /// Checks a whole block, which `next` then reads; it must stay as long as its records are used.
    ///
    /// - Parameter block: its head and what `begin` said, or fewer bytes if the file is shorter.
    public mutating func open(_ block: Region) throws(TraceError) {
        guard block.byteCount >= TraceFormat.blockHeadBytes,
            block.byteCount
                == TraceFormat.blockHeadBytes + block.word32(0) + TraceFormat.checksumBytes
        else { throw TraceError(start + block.byteCount, .cutOff) }
        guard TraceFormat.isWhole(block) else { throw TraceError(start, .checksum) }
        let before = UInt64(littleEndian: block.load(8))
        guard before == recordsBefore else {
            throw TraceError(start + 8, .order(expected: recordsBefore, found: before))
        }
        self.block = block
        position = TraceFormat.blockHeadBytes
        end = block.byteCount - TraceFormat.checksumBytes
        recordsLeft = block.word32(4)
        recordsBefore += UInt64(recordsLeft)
        isAtEnd = recordsLeft == 0
    }

    /// The next record of the open block; nil after the last one.
    public mutating func next() throws(TraceError) -> TraceRecord? {
        guard recordsLeft > 0 else {
            guard position == end else { throw TraceError(start + position, .blockContent) }
            return nil
        }
        guard end - position >= TraceFormat.recordHeadBytes else {
            throw TraceError(start + position, .blockContent)
        }
        let record = try record(block.slice(position, TraceFormat.recordHeadBytes))
        position += TraceFormat.recordHeadBytes + record.kept.byteCount
        recordsLeft -= 1
        return record
    }

    private func record(_ head: Region) throws(TraceError) -> TraceRecord {
        let (link, size, kept) = (head.word32(8), head.word32(16), head.word32(20))
        let at = start + position
        guard link < header.links else { throw TraceError(at + 8, .link(link)) }
        guard let direction = TraceRecord.Direction(rawValue: head.byte(12)) else {
            throw TraceError(at + 12, .direction(head.byte(12)))
        }
        guard kept <= size, kept <= header.keptBytesMax, !header.isWhole || kept == size else {
            throw TraceError(at + 20, .kept(kept))
        }
        let first = position + TraceFormat.recordHeadBytes
        guard kept <= end - first else { throw TraceError(at + 20, .recordBytes(kept)) }
        return TraceRecord(
            nanos: UInt64(littleEndian: head.load(0)),
            link: link,
            direction: direction,
            kind: head.byte(13),
            size: size,
            kept: block.slice(first, kept)
        )
    }

    /// Call when the file has no more bytes.
    public func finish() throws(TraceError) {
        guard isAtEnd else { throw TraceError(start + block.byteCount, .cutOff) }
    }
}

extension TraceReader {
    /// Reads a file that is in memory, and hands every record to `body`; a record stays as long as
    /// the memory does.
    ///
    /// - Returns: the header.
    public static func read(
        _ file: Region,
        each body: (TraceRecord) throws(TraceError) -> Void
    ) throws(TraceError) -> TraceHeader {
        var reader = try TraceReader(header: file)
        var place = TraceFormat.headerBytes
        while place < file.byteCount {
            let left = file.byteCount - place
            let head = file.slice(place, min(left, TraceFormat.blockHeadBytes))
            let bytes = try head.byteCount + reader.begin(head: head)
            try reader.open(file.slice(place, min(left, bytes)))
            while let record = try reader.next() { try body(record) }
            place += bytes
        }
        try reader.finish()
        return reader.header
    }
}
