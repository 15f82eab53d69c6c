import TestSupport

@testable import Link

/// A datagram on its way, with the frames of its train.
struct TestSent {
    var link: UInt32
    var session: UInt32
    var counter: UInt64
    var datagram: TestDatagram
    var frames: [TestFrame]

    /// Whole trains of random frames of one session, from a random counter on.
    static func trains(
        _ count: Int,
        link: UInt32,
        session: UInt32,
        plainBytes: Int,
        packetBytes: Int,
        _ random: inout SeededGenerator
    ) -> [TestSent] {
        var sent: [TestSent] = []
        var counter = UInt64.random(in: 0...(1 << 40), using: &random)
        for _ in 0..<count {
            let frames = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                random.frame(packetBytes: packetBytes)
            }
            for datagram in referenceTrain(frames, plainBytes: plainBytes) {
                sent.append(
                    TestSent(
                        link: link,
                        session: session,
                        counter: counter,
                        datagram: datagram,
                        frames: frames
                    )
                )
                counter += 1
            }
        }
        return sent
    }
}

/// What the reader does, from its documentation: who is whole, who is given up, and for whom.
struct ModelReader {
    private struct Key: Hashable {
        var link: UInt32
        var session: UInt32
        var start: UInt64
    }

    private struct Waiting {
        var pieces: Set<Int> = []
        var bornNanos: UInt64
        /// Place in the order of all that were begun.
        var order: Int
    }

    private let limits: FrameLimits
    private var waiting: [Key: Waiting] = [:]
    /// When the number of a link's frames changed last.
    private var changed: [UInt32: Int] = [:]
    private var clock = 0
    private var handed = 0
    private(set) var lost = 0
    private(set) var unknown = 0

    var count: Int { waiting.count }

    init(_ limits: FrameLimits) { self.limits = limits }

    mutating func feed(_ sent: TestSent, now: UInt64) -> [TestFrame] {
        for _ in 0..<3 {
            let oldest = waiting.min { $0.value.order < $1.value.order }
            guard let oldest, isOver(oldest.value, now) else { break }
            drop(oldest.key)
        }
        handed = 0
        var found: [TestFrame] = []
        for piece in sent.datagram.pieces {
            let frame = sent.frames[piece.frame]
            guard piece.count == 1 || complete(piece, sent, now) else { continue }
            if frame.isKnown { found.append(frame) } else { unknown += 1 }
        }
        return found
    }

    private mutating func complete(
        _ piece: TestDatagram.Piece,
        _ sent: TestSent,
        _ now: UInt64
    ) -> Bool {
        let start = sent.counter - UInt64(piece.index)
        let key = Key(link: sent.link, session: sent.session, start: start)
        if let entry = waiting[key], isOver(entry, now) { drop(key) }
        if waiting[key] == nil {
            makeRoom(sent.link)
            waiting[key] = Waiting(bornNanos: now, order: tick(sent.link))
        }
        waiting[key]?.pieces.insert(piece.index)
        guard waiting[key]?.pieces.count == piece.count else { return false }
        waiting[key] = nil
        _ = tick(sent.link)
        handed += 1
        return true
    }

    private mutating func makeRoom(_ link: UInt32) {
        let counts = Dictionary(grouping: waiting.keys, by: \.link).mapValues(\.count)
        let own = counts[link] ?? 0
        guard own == limits.perLink || waiting.count + handed == limits.assemblies else { return }
        let most = counts.values.max() ?? 0
        let links = counts.filter { $0.value == most }.keys
        let loser =
            links.contains(link)
            ? link : links.min { changed[$0] ?? 0 < changed[$1] ?? 0 }
        let oldest = waiting.filter { $0.key.link == loser }
            .min { $0.value.order < $1.value.order }
        if let oldest { drop(oldest.key) }
    }

    private mutating func drop(_ key: Key) {
        waiting[key] = nil
        _ = tick(key.link)
        lost += 1
    }

    private mutating func tick(_ link: UInt32) -> Int {
        clock += 1
        changed[link] = clock
        return clock
    }

    private func isOver(_ entry: Waiting, _ now: UInt64) -> Bool {
        now >= entry.bornNanos && now - entry.bornNanos >= limits.lifeNanos
    }
}
