internal import Bytes

/// Frames that are being put together from the datagrams they lie in, in memory taken once.
///
/// A frame is known by its session and the counter of the datagram it begins in. Its memory is
/// written from the end, because each piece knows how far it is from there. A link that has as many
/// as it may, or most of all when there are no more, gives up its oldest for a new one.
struct FrameAssemblies {
    /// What a piece says of its frame.
    struct Key {
        let session: UInt32
        let link: UInt32
        /// Counter of the datagram that the frame begins in.
        let start: UInt64
        /// Bytes of the frame behind its first datagram.
        let rest: Int
        /// Plaintext bytes of each of its datagrams.
        let plainBytes: Int

        @_noLocks
        init(session: UInt32, link: UInt32, start: UInt64, rest: Int, plainBytes: Int) {
            self.session = session
            self.link = link
            self.start = start
            self.rest = rest
            self.plainBytes = plainBytes
        }
    }

    private struct Entry: BitwiseCopyable {
        var start: UInt64 = 0
        /// When the first of it came.
        var bornNanos: UInt64 = 0
        /// What of it is not there yet: bit i is the piece in datagram `start` + i.
        var missing: UInt64 = 0
        var session: UInt32 = 0
        var link: UInt32 = 0
        var row: UInt32 = 0
        var rest: UInt16 = 0
        var plainBytes: UInt16 = 0
        /// Head and body; 0 until the first piece is there.
        var frameBytes: UInt16 = 0
        var type: UInt8 = 0
    }

    private enum List {
        /// By age.
        static var live: Int { @_noLocks get { 0 } }
        static var free: Int { @_noLocks get { 1 } }
        /// Whole, and in the hands of the reader's owner.
        static var handed: Int { @_noLocks get { 2 } }
    }

    private struct State: BitwiseCopyable {
        var hash: KeyedHash
        /// Assemblies in the list `live`.
        var count: Int
        /// Frames given up that were not yet asked for.
        var lost: UInt64
        /// The one that was begun last, while it waits: in a train its next piece comes next.
        var youngest: UInt32
        /// The link whose digest was asked for last, and the digest.
        var link: UInt32
        var linkDigest: UInt64

        @_noLocks
        init(hash: KeyedHash) {
            self.hash = hash
            count = 0
            lost = 0
            youngest = FrameLists.none
            link = 0
            linkDigest = hash.hash(0)
        }
    }

    private let limits: FrameLimits
    private let state: Column<State>
    private let entries: Column<Entry>
    private let index: FrameIndex
    private let lists: FrameLists
    private let shares: FrameShares
    private let memory: Region
    private let stride: Int

    init(_ arena: inout Arena, _ limits: FrameLimits) {
        self.limits = limits
        let count = limits.assemblies
        stride = (limits.frameBytesMax + 63) & ~63
        state = arena.column(State.self, 1)
        entries = arena.column(Entry.self, count)
        index = FrameIndex(&arena, items: count)
        lists = FrameLists(&arena, items: count, lists: 3)
        shares = FrameShares(&arena, assemblies: count, perLink: limits.perLink)
        memory = arena.region(count * stride)
    }

    func clear(_ hash: KeyedHash) {
        state[0] = State(hash: hash)
        index.clear()
        lists.clear()
        shares.clear()
        for number in 0..<entries.count { lists.append(UInt32(number), to: List.free) }
    }

    /// Frames that are not whole yet.
    var count: Int {
        @_noLocks
        get { state[0].count }
    }

    /// Frames given up since this was last asked.
    @_noLocks
    func takeLost() -> UInt64 {
        let lost = state[0].lost
        state[0].lost = 0
        return lost
    }

    // MARK: Finding

    /// The assembly of a frame, a new one if there is none; `FrameLists.none` if the piece speaks
    /// of another frame than those before it.
    @_noLocks
    func place(_ key: Key, nowNanos: UInt64) -> UInt32 {
        let youngest = state[0].youngest
        if youngest != FrameLists.none, isOf(key, youngest) {
            return check(key, youngest, nowNanos)
        }
        let digest = state[0].hash.hash(UInt64(key.session) << 32 | UInt64(key.link), key.start)
        var number = index.first(digest)
        while number != FrameLists.none, !isOf(key, number) { number = index.next(number) }
        guard number == FrameLists.none else { return check(key, number, nowNanos) }
        return open(key, digest, nowNanos)
    }

    @_noLocks
    private func isOf(_ key: Key, _ number: UInt32) -> Bool {
        let entry = entries[Int(number)]
        return entry.start == key.start && entry.session == key.session && entry.link == key.link
    }

    /// The assembly that was found, a new one if its time is over, or `none`.
    @_noLocks
    private func check(_ key: Key, _ number: UInt32, _ nowNanos: UInt64) -> UInt32 {
        if isOver(number, nowNanos) {
            drop(number)
            return place(key, nowNanos: nowNanos)
        }
        let entry = entries[Int(number)]
        let isSame = Int(entry.rest) == key.rest && Int(entry.plainBytes) == key.plainBytes
        return isSame ? number : FrameLists.none
    }

    @_noLocks
    private func open(_ key: Key, _ digest: UInt64, _ nowNanos: UInt64) -> UInt32 {
        let row = makeRoom(shares.row(key.link, linkDigest(key.link)))
        let number = lists.first(List.free)
        lists.remove(number, from: List.free)
        lists.append(number, to: List.live)
        index.insert(number, digest)
        let each = key.plainBytes - FrameWire.frames
        let more = key.rest <= each ? 1 : (key.rest + each - 1) / each
        entries[Int(number)] = Entry(
            start: key.start,
            bornNanos: nowNanos,
            missing: .first(more + 1),
            session: key.session,
            link: key.link,
            row: row,
            rest: UInt16(truncatingIfNeeded: key.rest),
            plainBytes: UInt16(truncatingIfNeeded: key.plainBytes)
        )
        shares.add(number, to: row)
        state[0].youngest = number
        state[0].count += 1
        return number
    }

    @_noLocks
    private func linkDigest(_ link: UInt32) -> UInt64 {
        if state[0].link != link {
            state[0].link = link
            state[0].linkDigest = state[0].hash.hash(UInt64(link))
        }
        return state[0].linkDigest
    }

    /// Drops an assembly if this row has as many as it may or there is none left: one of the row
    /// that has most, of this one if it is one of those. Returns the row.
    @_noLocks
    private func makeRoom(_ row: UInt32) -> UInt32 {
        let isFull = lists.first(List.free) == FrameLists.none
        guard isFull || shares.count(row) == limits.perLink else { return row }
        let most = shares.largest
        drop(shares.oldest(shares.count(row) == shares.count(most) ? row : most))
        return row
    }

    // MARK: Filling

    /// Puts a piece where it belongs; what is there already stays.
    ///
    /// - Parameters:
    ///   - piece: its number, 0 for the one with the head.
    ///   - left: how far its first byte is from the end of the frame.
    @_noLocks
    func fill(_ number: UInt32, piece: Int, _ bytes: Region, left: Int) {
        let place = Int(number)
        let bit: UInt64 = 1 << UInt64(piece)
        guard entries[place].missing & bit != 0 else { return }
        entries[place].missing &= ~bit
        if piece == 0 {
            entries[place].type = bytes.byte(0)
            entries[place].frameBytes = UInt16(truncatingIfNeeded: left)
        }
        buffer(number).copy(bytes, to: stride - left)
    }

    /// True if all of the frame is there.
    @_noLocks
    func isWhole(_ number: UInt32) -> Bool { entries[Int(number)].missing == 0 }

    /// The type of a frame whose first piece is there.
    @_noLocks
    func type(_ number: UInt32) -> UInt8 { entries[Int(number)].type }

    /// The body of a whole frame.
    @_noLocks
    func body(_ number: UInt32) -> Region {
        let count = Int(entries[Int(number)].frameBytes) - FrameWire.headBytes
        return buffer(number).slice(stride - count, count)
    }

    @_noLocks
    private func buffer(_ number: UInt32) -> Region {
        memory.slice(Int(number) * stride, stride)
    }

    // MARK: Ending

    /// A whole frame leaves; its memory stays as it is until `release`.
    @_noLocks
    func hand(_ number: UInt32) {
        leave(number)
        lists.append(number, to: List.handed)
    }

    /// The memory of frames that were handed out is free again.
    @_noLocks
    func release() {
        while true {
            let number = lists.first(List.handed)
            guard number != FrameLists.none else { return }
            lists.remove(number, from: List.handed)
            // The last used is the first taken: its memory is warm.
            lists.push(number, to: List.free)
        }
    }

    /// Gives up frames whose time is over, the oldest first, and no more than `budget`.
    @_noLocks
    func expire(nowNanos: UInt64, budget: Int) {
        for _ in 0..<budget {
            let oldest = lists.first(List.live)
            guard oldest != FrameLists.none, isOver(oldest, nowNanos) else { return }
            drop(oldest)
        }
    }

    func postpone(_ nanos: UInt64) {
        for number in 0..<entries.count { entries[number].bornNanos &+= nanos }
    }

    @_noLocks
    private func isOver(_ number: UInt32, _ nowNanos: UInt64) -> Bool {
        let born = entries[Int(number)].bornNanos
        return nowNanos >= born && nowNanos - born >= limits.lifeNanos
    }

    @_noLocks
    private func drop(_ number: UInt32) {
        leave(number)
        lists.push(number, to: List.free)
        state[0].lost += 1
    }

    @_noLocks
    private func leave(_ number: UInt32) {
        index.remove(number)
        lists.remove(number, from: List.live)
        shares.remove(number, from: entries[Int(number)].row)
        if state[0].youngest == number { state[0].youngest = FrameLists.none }
        state[0].count -= 1
    }
}
