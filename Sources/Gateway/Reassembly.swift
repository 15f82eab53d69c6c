/// Puts the pieces of datagrams together: bounded in number and time.
///
/// Pieces may come in any order and more than once. A datagram that was completed is remembered for
/// a while, so that late copies of its pieces do not start it again.
struct Reassembly<Owner: Hashable & Sendable>: Sendable {
    /// A datagram is given up this long after its first piece came.
    static var patienceNanos: UInt64 { 5_000_000_000 }

    /// Finished datagrams that are remembered; beyond that a late copy may count as new.
    static var rememberedMax: Int { 65_536 }

    /// What became of a piece.
    enum Outcome: Equatable {
        /// More pieces are missing.
        case waiting
        /// The datagram is whole.
        case whole([UInt8])
        /// A copy of what we have.
        case copy
        /// It contradicts other pieces; the datagram is given up.
        case malformed
        /// No room for another datagram.
        case full
    }

    private struct Key: Hashable {
        let owner: Owner
        let flow: UInt32
        let datagram: UInt32
    }

    private struct Partial {
        let since: UInt64
        var bytes: [UInt8]
        /// Start and end of what came, disjoint.
        var ranges: [Range<Int>] = []
        var missing: Int
    }

    private var partials: [Key: Partial] = [:]
    private var done: [Key: UInt64] = [:]
    private var order: [(key: Key, since: UInt64)] = []
    private var head = 0
    private let datagramsMax: Int
    private let ownerMax: Int
    private var held: [Owner: Int] = [:]

    /// At most `datagramsMax` unfinished ones, `ownerMax` for one owner.
    init(datagramsMax: Int, ownerMax: Int) {
        self.datagramsMax = datagramsMax
        self.ownerMax = ownerMax
    }

    /// Unfinished datagrams.
    var waiting: Int { partials.count }

    /// Takes a piece.
    mutating func add(_ piece: Frame.Piece, of owner: Owner, now: UInt64) -> Outcome {
        let key = Key(owner: owner, flow: piece.flow, datagram: piece.datagram)
        if done[key] != nil { return .copy }
        if partials[key] == nil {
            if piece.bytes.count == piece.total {
                finish(key, now: now)
                return .whole(piece.bytes)
            }
            guard partials.count < datagramsMax, held[owner, default: 0] < ownerMax else {
                return .full
            }
            partials[key] = Partial(
                since: now,
                bytes: [UInt8](repeating: 0, count: piece.total),
                missing: piece.total
            )
            held[owner, default: 0] += 1
            order.append((key, now))
        }
        return merge(piece, key, now: now)
    }

    private mutating func merge(_ piece: Frame.Piece, _ key: Key, now: UInt64) -> Outcome {
        guard var partial = partials[key] else { return .malformed }
        let range = piece.offset..<piece.offset + piece.bytes.count
        if partial.bytes.count == piece.total, partial.ranges.contains(range) { return .copy }
        guard partial.bytes.count == piece.total,
            !partial.ranges.contains(where: { $0.overlaps(range) })
        else {
            release(key)
            return .malformed
        }
        partial.bytes.replaceSubrange(range, with: piece.bytes)
        partial.ranges.append(range)
        partial.missing -= range.count
        guard partial.missing == 0 else {
            partials[key] = partial
            return .waiting
        }
        release(key)
        finish(key, now: now)
        return .whole(partial.bytes)
    }

    private mutating func release(_ key: Key) {
        guard partials.removeValue(forKey: key) != nil else { return }
        let count = held[key.owner, default: 1] - 1
        held[key.owner] = count == 0 ? nil : count
    }

    private mutating func finish(_ key: Key, now: UInt64) {
        guard done.count < Self.rememberedMax else { return }
        done[key] = now
        order.append((key, now))
    }

    /// Gives up what is too old; returns how many unfinished datagrams that were.
    mutating func expire(now: UInt64) -> Int {
        var lost = 0
        while head < order.count, order[head].since &+ Self.patienceNanos <= now {
            let entry = order[head]
            head += 1
            if let partial = partials[entry.key], partial.since == entry.since {
                release(entry.key)
                lost += 1
            }
            if done[entry.key] == entry.since { done[entry.key] = nil }
        }
        if head > 64, head * 2 > order.count {
            order.removeFirst(head)
            head = 0
        }
        return lost
    }
}
