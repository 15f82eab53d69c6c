import Bytes
import CAllocations
import Datapath
import TestSupport
import Testing

@testable import Link

/// Datagrams opened and sealed together are what they are one by one.
@Suite struct LinkLanesTests {
    /// Opens datagrams together at `b`; verdict and plaintext of each.
    private func open(
        _ pair: inout LinkPair,
        _ datagrams: [Region]
    ) -> [(opened: LinkOpened, plain: [UInt8])] {
        var all: [(LinkOpened, [UInt8])] = []
        func finish(_ pair: inout LinkPair) {
            for lane in 0..<pair.b.worker.openWaiting() {
                let opened = pair.b.worker.opened(lane, nowNanos: 3_000)
                all.append((opened, pair.b.worker.plain(lane).array))
            }
        }
        for datagram in datagrams {
            let canWait = pair.b.worker.canWait(datagram)
            if !canWait { finish(&pair) }
            let verdict = pair.b.worker.wait(
                datagram,
                from: LinkPair.addressA,
                nowNanos: 3_000
            )
            if verdict != .none { all.append((LinkOpened(verdict), [])) }
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
