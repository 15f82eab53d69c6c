public import Bytes
internal import Crypto

/// The layout of a trace file: what crossed a relay's links, or what shall. Numbers are little
/// endian.
///
///     file    header 64 ‖ block ‖ … ‖ end block
///     header  magic "DRAYTRC1" 8 ‖ version u16 ‖ flags u16 ‖ packet bytes u32 ‖ links u32
///             ‖ most bytes kept u32 ‖ wall clock u64 ‖ label 16 ‖ checksum 16
///     block   bytes of records u32 ‖ number of records u32 ‖ records before it u64
///             ‖ records ‖ checksum 16
///     record  nanoseconds u64 ‖ link u32 ‖ direction u8 ‖ kind u8 ‖ zero u16 ‖ size u32
///             ‖ bytes kept u32 ‖ what is kept of it
///
/// The end block has no records. A checksum is BLAKE3, cut to 16 bytes, of all of header or block
/// before it: it finds damage, and protects from nobody. A block is at most `blockBytesMax`, so a
/// reader needs no more memory whatever the file says.
public enum TraceFormat {
    /// Bytes of the file's header.
    public static let headerBytes = 64
    /// Bytes of a block before its records.
    public static let blockHeadBytes = 16
    /// Most bytes of a block, head and checksum included.
    public static let blockBytesMax = 1 << 20
    /// Bytes of the end block.
    public static let endBytes = blockHeadBytes + checksumBytes
    /// Bytes of a record before what is kept.
    public static let recordHeadBytes = 24
    /// Most bytes that can be kept of one record: far more than a datagram has.
    public static let keptBytesMax = 1 << 17

    static let magic = Array("DRAYTRC1".utf8)
    static let version: UInt16 = 1
    static let checksumBytes = 16

    /// Writes the checksum of all before the last 16 bytes into these.
    package static func seal(_ bytes: Region) {
        let end = bytes.byteCount - checksumBytes
        Hash.blake3(bytes.slice(0, end), into: bytes.slice(end, checksumBytes))
    }

    /// True if the last 16 bytes are the checksum of what is before them.
    static func isWhole(_ bytes: Region) -> Bool {
        let end = bytes.byteCount - checksumBytes
        var (found, made) = (Bytes16(), Bytes16())
        found = bytes.load(end)
        made.withRegion { Hash.blake3(bytes.slice(0, end), into: $0) }
        return found == made
    }
}

/// What a trace says of itself.
public struct TraceHeader: Equatable, Sendable {
    /// Bytes of a packet of the profile.
    public var packetBytes: Int
    /// Links that records name: 0..<links.
    public var links: Int
    /// Most bytes kept of a record: 0 for sizes alone, 16 for the heads of datagrams.
    public var keptBytesMax: Int
    /// True if every record keeps all its bytes: the trace can be replayed.
    public var isWhole: Bool
    /// When it began, nanoseconds since 1970; 0 for a trace that was made, not recorded.
    public var wallNanos: UInt64
    /// Whatever its writer wants to know it again by.
    public var label: Bytes16

    /// A header.
    public init(
        packetBytes: Int,
        links: Int,
        keptBytesMax: Int,
        isWhole: Bool = false,
        wallNanos: UInt64 = 0,
        label: Bytes16 = Bytes16()
    ) {
        self.packetBytes = packetBytes
        self.links = links
        self.keptBytesMax = keptBytesMax
        self.isWhole = isWhole
        self.wallNanos = wallNanos
        self.label = label
    }

    func write(to bytes: Region) {
        bytes.store(bytes: TraceFormat.magic, 0)
        bytes.store(TraceFormat.version.littleEndian, 8)
        bytes.store(UInt16(isWhole ? 1 : 0).littleEndian, 10)
        bytes.store(UInt32(packetBytes).littleEndian, 12)
        bytes.store(UInt32(links).littleEndian, 16)
        bytes.store(UInt32(keptBytesMax).littleEndian, 20)
        bytes.store(wallNanos.littleEndian, 24)
        bytes.store(label, 32)
        TraceFormat.seal(bytes)
    }

    init(_ bytes: Region) throws(TraceError) {
        guard bytes.slice(0, 8).array == TraceFormat.magic else {
            throw TraceError(0, .noTrace)
        }
        let (version, flags) = (bytes.word16(8), bytes.word16(10))
        guard version == TraceFormat.version else { throw TraceError(8, .version(version)) }
        guard TraceFormat.isWhole(bytes) else { throw TraceError(0, .checksum) }
        packetBytes = bytes.word32(12)
        links = bytes.word32(16)
        keptBytesMax = bytes.word32(20)
        isWhole = flags == 1
        wallNanos = UInt64(littleEndian: bytes.load(24))
        label = bytes.load(32)
        guard flags <= 1 else { throw TraceError(10, .flags(flags)) }
        guard keptBytesMax <= TraceFormat.keptBytesMax else {
            throw TraceError(20, .keptMax(keptBytesMax))
        }
    }
}

/// One thing that crossed a link.
public struct TraceRecord: Sendable {
    /// Which way it went.
    public enum Direction: UInt8, Sendable {
        /// To the relay.
        case incoming
        /// From the relay.
        case outgoing
    }

    /// Kind of a whole datagram. Other kinds are those of the link's frames.
    public static let datagram: UInt8 = 0
    /// Kind of a packet.
    public static let packet: UInt8 = 1
    /// Kind of acknowledgements.
    public static let acknowledgements: UInt8 = 2
    /// Kind of what the trace's writer adds to the record before; it was on no link.
    public static let note: UInt8 = 255

    /// Nanoseconds since the trace began.
    public var nanos: UInt64
    /// Number of the link.
    public var link: Int
    /// Which way it went.
    public var direction: Direction
    /// What it is.
    public var kind: UInt8
    /// Bytes it had.
    public var size: Int
    /// What is kept of them: the first ones.
    public var kept: Region

    /// A record; a writer keeps no more of `kept` than its header allows.
    public init(
        nanos: UInt64,
        link: Int,
        direction: Direction,
        kind: UInt8,
        size: Int,
        kept: Region
    ) {
        self.nanos = nanos
        self.link = link
        self.direction = direction
        self.kind = kind
        self.size = size
        self.kept = kept
    }
}

extension Region {
    func word16(_ offset: Int) -> UInt16 { UInt16(littleEndian: load(offset)) }
    func word32(_ offset: Int) -> Int { Int(UInt32(littleEndian: load(offset))) }
}
