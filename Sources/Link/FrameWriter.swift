public import Bytes

/// Writes frames as the plaintext of the datagrams of a train, to be sealed in place.
///
/// Datagram i begins at i · D of the train: 16 bytes in clear and, behind the plaintext, 16 of the
/// tag are left as they are. The datagrams get consecutive counters. A frame that does not fit the
/// train goes into the next one: no frame is in two.
public struct FrameWriter {
    private let train: Region
    private let datagramBytes: Int
    /// Bytes of plaintext in a datagram.
    private let plainBytes: Int
    /// Datagrams that the train has room for.
    public let datagramsMax: Int
    /// Datagrams begun.
    public private(set) var datagramCount = 0
    /// What of the last datagram's plaintext is written.
    private var cursor: Int

    /// Begins a train.
    ///
    /// - Parameters:
    ///   - train: memory of the datagrams; the first 44 that fit are used.
    ///   - datagramBytes: size of each, D: 1,232...65,000.
    @_noLocks
    public init(_ train: Region, datagramBytes: Int) {
        assert(datagramBytes >= FrameWire.datagramBytesMin)
        assert(datagramBytes <= FrameWire.datagramBytesMax)
        self.train = train
        self.datagramBytes = datagramBytes
        plainBytes = datagramBytes - FrameWire.overheadBytes
        datagramsMax = min(FrameWire.trainMax, train.byteCount / datagramBytes)
        cursor = plainBytes
    }

    /// True if the train has room for a frame with so long a body.
    @_noLocks
    public func fits(_ bodyBytes: Int) -> Bool {
        let here = plainBytes - cursor
        let more = (datagramsMax - datagramCount) * (plainBytes - FrameWire.frames)
        let room = more + (here < FrameWire.firstBytesMin ? 0 : here)
        let bytes = FrameWire.headBytes + bodyBytes
        return bytes <= room && bytes <= FrameWire.frameBytesMax
    }

    /// Adds a frame; false if it does not fit, and nothing has changed then.
    ///
    /// - Parameter body: within the bounds of the type: a receiver drops what is not, and the rest
    ///   of the datagram with it.
    @_noLocks
    public mutating func add(_ type: FrameType, _ body: Region) -> Bool {
        add(type, body.slice(0, 0), body)
    }

    /// Adds a frame whose body lies in two pieces.
    @_noLocks
    public mutating func add(_ type: FrameType, _ head: Region, _ rest: Region) -> Bool {
        let count = head.byteCount + rest.byteCount
        assert(FrameType.allows(type.number, bodyBytes: count, packetBytes: count))
        return add(raw: type.number, head, rest)
    }

    /// Adds a frame of any type and length.
    @_noLocks
    mutating func add(raw type: UInt8, _ head: Region, _ rest: Region) -> Bool {
        var left = head.byteCount + rest.byteCount
        guard fits(left) else { return false }
        if plainBytes - cursor < FrameWire.firstBytesMin { open(left: 0, back: 0) }
        let first = datagramCount
        let plain = plain
        plain.store(type, cursor)
        plain.store(UInt16(truncatingIfNeeded: left).littleEndian, cursor + 1)
        cursor += FrameWire.headBytes
        put(head, &left, first)
        put(rest, &left, first)
        return true
    }

    /// Ends the train with padding.
    ///
    /// - Parameter least: datagrams there shall be at least; what nothing was added to is all
    ///   padding.
    /// - Returns: datagrams to be sealed; 0 if there is nothing to send.
    @_noLocks
    public mutating func end(least: Int = 0) -> Int {
        assert(least <= datagramsMax)
        while datagramCount < least { open(left: 0, back: 0) }
        pad()
        return datagramCount
    }

    /// Plaintext of the last datagram.
    private var plain: Region {
        @_noLocks
        get {
            let start = (datagramCount - 1) * datagramBytes + FrameWire.clearBytes
            return train.slice(start, plainBytes)
        }
    }

    /// Begins the next datagram.
    @_noLocks
    private mutating func open(left: Int, back: Int) {
        pad()
        datagramCount += 1
        let plain = plain
        plain.store(UInt16(truncatingIfNeeded: left).littleEndian, FrameWire.left)
        plain.store(UInt8(truncatingIfNeeded: back), FrameWire.back)
        plain.store(UInt8(0), FrameWire.zero)
        cursor = FrameWire.frames
    }

    /// Zeroes the rest of the datagram: it is sealed and sent, whatever was in the memory.
    @_noLocks
    private mutating func pad() {
        guard cursor < plainBytes else { return }
        plain.slice(cursor, plainBytes - cursor).fill(FrameWire.padding)
        cursor = plainBytes
    }

    /// Writes a piece of a frame with `left` bytes to go, which began in the datagram `first`
    /// (counted from 1).
    @_noLocks
    private mutating func put(_ piece: Region, _ left: inout Int, _ first: Int) {
        var done = 0
        while done < piece.byteCount {
            if cursor == plainBytes { open(left: left, back: datagramCount + 1 - first) }
            let count = min(plainBytes - cursor, piece.byteCount - done)
            plain.copy(piece.slice(done, count), to: cursor)
            cursor += count
            done += count
            left -= count
        }
    }
}
