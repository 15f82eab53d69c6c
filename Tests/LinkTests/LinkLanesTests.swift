import Bytes
import CAllocations
import Datapath
import TestSupport
import Testing

@testable import Link

/// Datagrams opened and sealed together are what they are one by one.
@Suite struct LinkLanesTests {
    /// Opens datagrams together at `b`; verdict and plaintext of each, in the order they came.
    private func open(
        _ pair: inout LinkPair,
        _ datagrams: [Region]
    ) -> [(opened: LinkOpened, plain: [UInt8])] {
        var all = [(LinkOpened, [UInt8])](
            repeating: (LinkOpened(.none), []),
            count: datagrams.count
        )
        var places: [Int] = []
        func finish(_ pair: inout LinkPair) {
            let count = pair.b.worker.openWaiting()
            #expect(count == places.count)
            for lane in 0..<count {
                let opened = pair.b.worker.opened(lane, nowNanos: 3_000)
                let isOpen = opened.verdict == .none
                all[places[lane]] = (opened, isOpen ? pair.b.worker.plain(lane).array : [])
            }
            places = []
        }
        for (place, datagram) in datagrams.enumerated() {
            let canWait = pair.b.worker.canWait(datagram)
            if !canWait { finish(&pair) }
            let verdict = pair.b.worker.wait(
                datagram,
                from: LinkPair.addressA,
                nowNanos: 3_000
            )
            if verdict == .none { places.append(place) } else { all[place].0.verdict = verdict }
        }
        finish(&pair)
        return all
    }

    @Test(arguments: [1, 5, 9, 10, 15, 16, 17, 44])
    func `a train opened together is what was sealed, each datagram once`(count: Int) {
        var pair = LinkPair()
        guard let first = pair.sealFromA(count: count) else {
            Issue.record("no session")
            return
        }
        let datagrams = (0..<count).map { pair.datagram($0) }
        let all = open(&pair, datagrams)
        #expect(all.count == count)
        for (place, one) in all.enumerated() {
            #expect(one.opened.verdict == .none && !one.opened.isIdle)
            #expect(one.opened.counter == first + UInt64(place))
            #expect(one.opened.keyID == LinkPair.idA && one.opened.row == pair.rowA)
            #expect(one.opened.session == pair.indices.there)
            let want = Memory(LinkPair.bytes - 32)
            LinkPair.write(one.opened.counter, to: want.region)
            #expect(one.plain == want.region.array)
        }
        let again = open(&pair, datagrams).map(\.opened.verdict)
        #expect(again == Array(repeating: .linkReplay, count: count))
        let endpoint = pair.b.table.endpoint(pair.rowA)
        #expect(endpoint == LinkPair.addressA)
    }

    @Test func `bad datagrams spoil no others, and one that comes twice is taken once`() {
        var random = SeededGenerator("lanes bad")
        for _ in 0..<20 {
            var pair = LinkPair()
            _ = pair.sealFromA(count: 14)
            var datagrams = (0..<14).map { pair.datagram($0) }
            let forged = Int.random(in: 0..<14, using: &random)
            let place = Int.random(in: 16..<LinkPair.bytes, using: &random)
            datagrams[forged].store(~datagrams[forged].byte(place), place)
            let twice = Int.random(in: 0..<14, using: &random)
            datagrams.append(datagrams[twice])
            let verdicts = open(&pair, datagrams).map(\.opened.verdict)
            for index in 0..<14 {
                #expect(verdicts[index] == (index == forged ? .linkTag : .none))
            }
            #expect(verdicts[14] == (twice == forged ? .linkTag : .linkReplay))
        }
    }

    /// What may come in: datagrams of a train, some of them more than once, cut, or forged in any
    /// byte, out of order and far ahead of each other.
    private func hostile(_ pair: borrowing LinkPair, _ random: inout SeededGenerator) -> [Memory] {
        (0..<70).map { _ in
            let place = Int.random(in: 0..<LinkLimits.trainDatagramsMax, using: &random)
            let bytes = LinkPair.bytes
            let style = Int.random(in: 0..<12, using: &random)
            let cut = style == 0 ? Int.random(in: 0..<bytes, using: &random) : bytes
            let memory = Memory(cut)
            memory.region.copy(pair.datagram(place).slice(0, cut), to: 0)
            let byte = style < 4 ? Int.random(in: 0..<24, using: &random) : bytes - 1 - place
            if style == 11 || (1..<4).contains(style) {
                memory.region.store(memory.region.byte(byte) ^ (1 << UInt8(place & 7)), byte)
            }
            return memory
        }
    }

    private func isSame(_ one: LinkOpened, _ other: LinkOpened) -> Bool {
        one.verdict == other.verdict && one.isIdle == other.isIdle && one.session == other.session
            && one.row == other.row && one.keyID == other.keyID && one.counter == other.counter
    }

    @Test(arguments: 0..<24)
    func `whatever comes, the verdicts are those of one by one`(round: Int) {
        var random = SeededGenerator("lanes hostile \(round)")
        var pair = LinkPair()
        var judge = LinkPair()
        #expect(pair.indices == judge.indices)
        var come: [Memory] = []
        for session in 0..<3 {
            // A later session is sent on once it was heard of; those of earlier ones still come.
            let key = UInt8(90 + session)
            if session > 0 {
                pair.connect(keyByte: key, nowNanos: 1_500)
                judge.connect(keyByte: key, nowNanos: 1_500)
            }
            // Often beyond the window of the first.
            for _ in 0..<Int.random(in: 0...250, using: &random) {
                _ = pair.sealFromA(count: LinkLimits.trainDatagramsMax)
            }
            _ = pair.sealFromA(count: LinkLimits.trainDatagramsMax)
            come += hostile(pair, &random)
        }
        if round % 2 == 0 { come.shuffle(using: &random) }
        var verdicts: Set<Drop> = []
        for start in stride(from: 0, to: come.count, by: 70) {
            // As many at a time as there may be in a turn.
            let part = come[start..<min(start + 70, come.count)]
            let together = open(&pair, part.map(\.region))
            var want: [(opened: LinkOpened, plain: [UInt8])] = []
            for memory in part {
                let opened = judge.openAtB(memory.region)
                let isOpen = opened.verdict == .none
                let plain = isOpen ? judge.plain.region.slice(0, LinkPair.bytes - 32).array : []
                want.append((opened, plain))
                verdicts.insert(opened.verdict)
            }
            #expect(together.count == want.count)
            for (one, other) in zip(together, want) {
                let isSame = isSame(one.opened, other.opened) && one.plain == other.plain
                #expect(isSame, "\(one.opened) is not \(other.opened)")
            }
            let sending = pair.b.table.sendingSession(pair.rowA, nowNanos: 3_000)
            #expect(sending == judge.b.table.sendingSession(judge.rowA, nowNanos: 3_000))
        }
        #expect(verdicts.isSuperset(of: [.none, .linkTag, .linkReplay, .linkSize, .linkType]))
    }

    @Test func `a forged copy in the group of the true one is a replay, as it is later`() {
        var pair = LinkPair()
        _ = pair.sealFromA(count: 12)
        var datagrams = (0..<12).map { pair.datagram($0) }
        let forged = Memory(LinkPair.bytes)
        forged.region.copy(datagrams[3], to: 0)
        forged.region.store(~forged.region.byte(700), 700)
        datagrams.insert(forged.region, at: 2)
        datagrams.append(forged.region)
        let all = open(&pair, datagrams)
        #expect(all[2].opened.verdict == .linkTag && all[4].opened.verdict == .none)
        #expect(all[13].opened.verdict == .linkReplay)
        // Nothing of it is handed over.
        #expect(all[2].plain.isEmpty)
        for lane in [2, 13] {
            let isErased = pair.b.worker.plain(lane).array.allSatisfy { $0 == 0 }
            #expect(isErased)
        }
    }

    @Test(arguments: [1, 9, 10, 16, 40])
    func `what is queued is sealed when it is asked for, and opens`(count: Int) {
        var pair = LinkPair()
        let session = pair.a.table.sendingSession(pair.rowB, nowNanos: 2_000)
        let first = pair.a.table.reserve(session: session, count: count) ?? 0
        for place in 0..<count {
            LinkPair.write(first + UInt64(place), to: pair.text(place))
        }
        // In two trains, of which the second lies behind the first.
        let head = count / 2
        for (start, part) in [(0, head), (head, count - head)] where part > 0 {
            pair.a.worker.queue(
                session: session,
                train: pair.train.region.slice(start * LinkPair.bytes, part * LinkPair.bytes),
                count: part,
                firstCounter: first + UInt64(start),
                nowNanos: 2_000
            )
        }
        pair.a.worker.sealQueued()
        for place in 0..<count {
            let opened = pair.openAtB(pair.datagram(place))
            #expect(opened.verdict == .none && opened.counter == first + UInt64(place))
            let want = Memory(LinkPair.bytes - 32)
            LinkPair.write(opened.counter, to: want.region)
            #expect(pair.plain.region.slice(0, LinkPair.bytes - 32).array == want.region.array)
        }
        // Nothing is left to be sealed again.
        let before = pair.train.region.array
        pair.a.worker.sealQueued()
        #expect(pair.train.region.array == before)
    }

    @Test func `a worker that leaves has sealed what was queued`() {
        var pair = LinkPair()
        let session = pair.a.table.sendingSession(pair.rowB, nowNanos: 2_000)
        let first = pair.a.table.reserve(session: session, count: 2) ?? 0
        for place in 0..<2 { LinkPair.write(first + UInt64(place), to: pair.text(place)) }
        pair.a.worker.queue(
            session: session,
            train: pair.train.region,
            count: 2,
            firstCounter: first,
            nowNanos: 2_000
        )
        pair.a.worker.leave()
        for place in 0..<2 { #expect(pair.openAtB(pair.datagram(place)).verdict == .none) }
        pair.a.worker.enter()
    }

    @Test func `nothing of it allocates`() {
        guard allocations_counted() == 1 else { return }
        var pair = LinkPair()
        let session = pair.a.table.sendingSession(pair.rowB, nowNanos: 2_000)
        var before: UInt64 = 0
        for round in 0..<6 {
            if round == 2 { before = allocations_of_thread() }
            let first = pair.a.table.reserve(session: session, count: 20) ?? 0
            pair.a.worker.queue(
                session: session,
                train: pair.train.region,
                count: 20,
                firstCounter: first,
                nowNanos: 2_000
            )
            pair.a.worker.sealQueued()
            for place in 0..<20 {
                let datagram = pair.datagram(place)
                let canWait = pair.b.worker.canWait(datagram)
                if !canWait { _ = pair.b.worker.openWaiting() }
                _ = pair.b.worker.wait(datagram, from: LinkPair.addressA, nowNanos: 3_000)
            }
            let count = pair.b.worker.openWaiting()
            for lane in 0..<count { _ = pair.b.worker.opened(lane, nowNanos: 3_000) }
        }
        #expect(allocations_of_thread() == before)
    }
}
