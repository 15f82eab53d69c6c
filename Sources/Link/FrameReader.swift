public import Bytes

/// Takes frames out of the plaintext of datagrams, whatever their order, in bounded memory.
///
/// A frame inside one datagram is handed out as it lies. One that goes on in others is put together
/// and handed out with the piece that makes it whole. All that is kept from datagram to datagram is
/// in the memory handed in, without an address in it: a copy of it is the same reader.
///
/// A neighbour may send anything. It has at most `FrameLimits.perLink` frames here, and a link that
/// has no more than its equal part of all never loses one to another link.
public struct FrameReader: ~Copyable {
    /// Frames given up for a datagram: as many as one can begin, and one more.
    private static var expiredPerDatagram: Int { @_noLocks get { 3 } }

    private let limits: FrameLimits
    private let assemblies: FrameAssemblies
    /// Frames dropped, those given up apart, and not yet asked for.
    private let invalid: Column<UInt64>
    private let unknown: Column<UInt64>

    // The datagram that is being read.
    private var plain = Region.nowhere
    private var session: UInt32 = 0
    private var link: UInt32 = 0
    private var counter: UInt64 = 0
    private var nowNanos: UInt64 = 0
    private var cursor = 0
    /// A frame of earlier datagrams that this one made whole.
    private var whole = FrameLists.none
    /// `.frameInvalid` once a part of the datagram was dropped because it breaks the rules.
    public private(set) var verdict = Drop.none

    /// Bytes of memory that a reader takes.
    public static func byteCount(for limits: FrameLimits) -> Int { measure(limits).used }

    /// Digest of how the memory is divided (`Arena.layout`).
    public static func layout(for limits: FrameLimits) -> UInt64 { measure(limits).layout }

    private static func measure(_ limits: FrameLimits) -> Arena {
        var arena = Arena()
        _ = FrameReader(&arena, limits)
        return arena
    }

    /// A reader in `memory`, 64-byte aligned: call `clear`, or copy another reader's memory there.
    public init(_ memory: Region, limits: FrameLimits) {
        var arena = Arena(memory)
        self.init(&arena, limits)
    }

    private init(_ arena: inout Arena, _ limits: FrameLimits) {
        limits.check()
        self.limits = limits
        assemblies = FrameAssemblies(&arena, limits)
        invalid = arena.column(UInt64.self, 1)
        unknown = arena.column(UInt64.self, 1)
    }

    /// Forgets everything.
    ///
    /// - Parameter hash: 16 random bytes that nobody else knows.
    public func clear(hash: KeyedHash) {
        assemblies.clear(hash)
        invalid[0] = 0
        unknown[0] = 0
    }

    /// Frames that are not whole yet.
    public var waiting: Int {
        @_noLocks
        get { assemblies.count }
    }

    /// Frames dropped since this was last asked: `.frameLost`, `.frameInvalid` (once for the rest
    /// of a datagram) or `.frameUnknown`.
    @_noLocks
    public func take(_ reason: Drop) -> UInt64 {
        if reason == .frameLost { return assemblies.takeLost() }
        assert(reason == .frameInvalid || reason == .frameUnknown)
        let column = reason == .frameInvalid ? invalid : unknown
        let count = column[0]
        column[0] = 0
        return count
    }

    /// Gives up frames whose time is over; for times when nothing comes.
    @_noLocks
    public func expire(nowNanos: UInt64) {
        assemblies.expire(nowNanos: nowNanos, budget: limits.assemblies)
    }

    /// Time stood still for so long: no frame has grown older by that.
    public func postpone(nanos: UInt64) { assemblies.postpone(nanos) }

    /// Begins a datagram. Then ask for `next` until there is none; what the frames before pointed
    /// to is no longer valid.
    ///
    /// - Parameters:
    ///   - plain: the plaintext; must stay until the last frame was asked for.
    ///   - session: tells the link's sessions apart.
    ///   - link: whose share of the memory is meant.
    ///   - counter: the datagram's, in its session; not seen before.
    @_noLocks
    public mutating func begin(
        _ plain: Region,
        session: UInt32,
        link: UInt32,
        counter: UInt64,
        nowNanos: UInt64
    ) {
        assemblies.release()
        assemblies.expire(nowNanos: nowNanos, budget: FrameReader.expiredPerDatagram)
        self.plain = plain
        self.session = session
        self.link = link
        self.counter = counter
        self.nowNanos = nowNanos
        whole = FrameLists.none
        verdict = .none
        if !readHead() { refuse() }
    }

    /// The next frame; nil at the end. Valid until the next `begin`.
    @_noLocks
    public mutating func next() -> Frame? {
        if whole != FrameLists.none {
            let frame = frame(whole)
            whole = FrameLists.none
            return frame
        }
        while plain.byteCount - cursor >= FrameWire.firstBytesMin {
            let type = plain.byte(cursor)
            guard type != FrameWire.padding else { break }
            let count = Int(number(cursor + 1))
            guard FrameType.allows(type, bodyBytes: count, packetBytes: limits.packetBytes) else {
                refuse()
                return nil
            }
            let frameBytes = FrameWire.headBytes + count
            let start = cursor
            guard frameBytes <= plain.byteCount - start else { return begun(frameBytes) }
            cursor = start + frameBytes
            if let type = FrameType(number: type) {
                return Frame(type: type, body: plain.slice(start + FrameWire.headBytes, count))
            }
            unknown[0] += 1
        }
        cursor = plain.byteCount
        return nil
    }

    /// Reads what stands before the frames, and the rest of a frame from earlier datagrams; false
    /// if it breaks the rules.
    @_noLocks
    private mutating func readHead() -> Bool {
        let least = FrameWire.datagramBytesMin - FrameWire.overheadBytes
        let most = FrameWire.datagramBytesMax - FrameWire.overheadBytes
        guard plain.byteCount >= least, plain.byteCount <= most else { return false }
        let left = Int(number(FrameWire.left))
        let back = Int(plain.byte(FrameWire.back))
        guard plain.byte(FrameWire.zero) == 0, (left == 0) == (back == 0) else { return false }
        cursor = FrameWire.frames
        guard left > 0 else { return true }
        guard UInt64(back) <= counter else { return false }
        let each = plain.byteCount - FrameWire.frames
        // No frame has more than 64 pieces: they are longer than a 64th of the longest.
        let rest = left + (back - 1) * each
        guard rest <= limits.frameBytesMax - FrameWire.firstBytesMin else { return false }
        let count = min(left, each)
        cursor += count
        return place(plain.slice(FrameWire.frames, count), piece: back, left: left, rest: rest)
    }

    /// Keeps the first piece of a frame that goes on in the next datagram; returns the frame if the
    /// others are there.
    @_noLocks
    private mutating func begun(_ frameBytes: Int) -> Frame? {
        let count = plain.byteCount - cursor
        let piece = plain.slice(cursor, count)
        cursor = plain.byteCount
        guard place(piece, piece: 0, left: frameBytes, rest: frameBytes - count) else {
            refuse()
            return nil
        }
        guard whole != FrameLists.none else { return nil }
        let frame = frame(whole)
        whole = FrameLists.none
        return frame
    }

    /// Puts a piece to the others of its frame; false if it does not belong to them.
    @_noLocks
    private mutating func place(_ bytes: Region, piece: Int, left: Int, rest: Int) -> Bool {
        let key = FrameAssemblies.Key(
            session: session,
            link: link,
            start: counter - UInt64(piece),
            rest: rest,
            plainBytes: plain.byteCount
        )
        let assembly = assemblies.place(key, nowNanos: nowNanos)
        guard assembly != FrameLists.none else { return false }
        assemblies.fill(assembly, piece: piece, bytes, left: left)
        guard assemblies.isWhole(assembly) else { return true }
        assemblies.hand(assembly)
        if FrameType.isKnown(assemblies.type(assembly)) {
            whole = assembly
        } else {
            unknown[0] += 1
        }
        return true
    }

    @_noLocks
    private func frame(_ assembly: UInt32) -> Frame? {
        guard let type = FrameType(number: assemblies.type(assembly)) else { return nil }
        return Frame(type: type, body: assemblies.body(assembly))
    }

    /// Drops the rest of the datagram.
    @_noLocks
    private mutating func refuse() {
        verdict = .frameInvalid
        invalid[0] += 1
        cursor = plain.byteCount
    }

    @_noLocks
    private func number(_ offset: Int) -> UInt16 { UInt16(littleEndian: plain.load(offset)) }
}
