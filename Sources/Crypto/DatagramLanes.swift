public import Bytes

/// ChaCha20-Poly1305 (RFC 8439) for up to 16 datagrams of one length together, each under a key and
/// a counter of its own: what `DatagramCipher` does for one, made of the kernels for headers.
///
/// The first block of a datagram's key stream is the key of its tag; so its text lies behind 64
/// bytes of zeros, and is made into key and text in one go.
public struct DatagramLanes {
    /// Most datagrams.
    public static var count: Int { @_noLocks get { 16 } }

    private static var block: Int { @_noLocks get { 64 } }
    private static var tagBlock: Int { @_noLocks get { 16 } }
    private static var materialBytes: Int { @_noLocks get { 64 } }
    private static var nonceBytes: Int { @_noLocks get { 12 } }

    /// How many at least are quicker together than one by one; more than there can be where
    /// vectors are not wide. A pass costs the same however few lanes of it are in use.
    public let least: Int
    private let material: Region
    private let inputs: Region
    private let outputs: Region
    private let tags: Column<Bytes16>
    /// Bytes of a text that the lanes are laid out for.
    private let laidOut: Column<Int>

    /// Takes memory for texts of at most so many bytes.
    public init(_ arena: inout Arena, textBytesMax: Int) {
        let count = DatagramLanes.count
        let stride = DatagramLanes.stride(textBytesMax)
        material = arena.region(count * DatagramLanes.materialBytes)
        inputs = arena.region(count * stride)
        outputs = arena.region(count * stride)
        tags = arena.column(Bytes16.self, count)
        laidOut = arena.column(Int.self, 1)
        least = Kernels.table == "avx512" ? 10 : count + 1
    }

    /// Bytes of memory for texts of at most so many bytes.
    public static func byteCount(textBytesMax: Int) -> Int {
        let lane = materialBytes + 2 * stride(textBytesMax) + 16
        return count * lane + 4 * 64
    }

    @_noLocks
    private static func padded(_ textBytes: Int) -> Int {
        (textBytes + tagBlock - 1) & ~(tagBlock - 1)
    }

    /// Zeros, text, padding, and its length. An odd number of cache lines: lanes do not share sets.
    @_noLocks
    private static func stride(_ textBytes: Int) -> Int {
        ((block + padded(textBytes) + tagBlock + 63) & ~63) | 64
    }

    /// Makes room for texts of one length, at least 16 bytes; call before `set` and `text`.
    @_noLocks
    public func layOut(textBytes: Int) {
        assert(textBytes >= DatagramLanes.tagBlock)
        laidOut[0] = textBytes
    }

    /// What a lane is sealed or opened with: 32 bytes of key, and a text of the length laid out.
    @_noLocks
    public func set(_ lane: Int, key: Region, counter: UInt64, text: Region) {
        assert(text.byteCount == laidOut[0] && key.byteCount == 32)
        let place = lane * DatagramLanes.materialBytes
        material.store(UInt32(0), place)
        material.store(counter.littleEndian, place + 4)
        material.copy(key, to: place + DatagramLanes.nonceBytes)
        inputs.slice(lane * stride, DatagramLanes.block).fill(0)
        finish(inputs, lane)
        inputs.copy(text, to: lane * stride + DatagramLanes.block)
    }

    /// Writes what the tag covers behind a lane's text: zeros up to a whole block, and a block of
    /// lengths. Writes over the text's last bytes: before the text is there.
    @_noLocks
    private func finish(_ texts: Region, _ lane: Int) {
        let end = lane * stride + DatagramLanes.block + DatagramLanes.padded(laidOut[0])
        texts.store(SIMD2<UInt64>(), end - DatagramLanes.tagBlock)
        // Of the associated data first.
        texts.store(SIMD2<UInt64>(0, UInt64(laidOut[0]).littleEndian), end)
    }

    private var stride: Int { @_noLocks get { DatagramLanes.stride(laidOut[0]) } }

    /// Seals the first lanes: `text` and `tag` are theirs until the next call.
    @_noLocks
    public func seal(_ count: Int) {
        for lane in 0..<count { finish(outputs, lane) }
        crypt(count)
        authenticate(outputs, count)
    }

    /// Opens the first lanes: `text` is a lane's if `tag` is what came with it. If not, `erase` it.
    @_noLocks
    public func open(_ count: Int) {
        crypt(count)
        authenticate(inputs, count)
    }

    @_noLocks
    private func crypt(_ count: Int) {
        let bytes = DatagramLanes.block + laidOut[0]
        Kernels.headerStream(
            material: Lanes(material, stride: DatagramLanes.materialBytes),
            input: Lanes(inputs, stride: stride),
            inputBytes: bytes,
            out: Lanes(outputs, stride: stride),
            outBytes: bytes,
            live: .first(count)
        )
        zeroize(material)
    }

    @_noLocks
    private func authenticate(_ texts: Region, _ count: Int) {
        let block = DatagramLanes.block
        Kernels.headerMAC(
            key: Lanes(outputs, stride: stride),
            Lanes(texts.slice(block, texts.byteCount - block), stride: stride),
            count: DatagramLanes.padded(laidOut[0]) + DatagramLanes.tagBlock,
            out: Lanes(tags.region, stride: 16),
            live: .first(count)
        )
        // The keys of the tags.
        for lane in 0..<count { zeroize(outputs.slice(lane * stride, block)) }
    }

    /// What a lane was made into.
    @_noLocks
    public func text(_ lane: Int) -> Region {
        outputs.slice(lane * stride + DatagramLanes.block, laidOut[0])
    }

    /// The tag of a lane.
    @_noLocks
    public func tag(_ lane: Int) -> Region { tags.region(lane) }

    /// Forgets what a lane was made into: nobody is to read what was not authentic.
    @_noLocks
    public func erase(_ lane: Int) { zeroize(text(lane)) }
}
