import Bytes
import CAllocations
import Crypto
import Datapath
import TestSupport
import Testing

@testable import Link

@Suite struct LinkSealTests {
    @Test func `a train is opened datagram by datagram, in any order, each once`() {
        var random = SeededGenerator("train")
        var pair = LinkPair()
        for _ in 0..<20 {
            let count = Int.random(in: 1...LinkLimits.trainDatagramsMax, using: &random)
            guard let first = pair.sealFromA(count: count) else {
                Issue.record("no session")
                return
            }
            for place in (0..<count).shuffled(using: &random) {
                let opened = pair.openAtB(pair.datagram(place))
                #expect(opened.verdict == .none)
                #expect(opened.counter == first + UInt64(place))
                #expect(opened.keyID == LinkPair.idA && opened.row == pair.rowA)
                #expect(opened.session == pair.indices.there)
                #expect(!opened.isIdle)
                let want = Memory(LinkPair.bytes - 32)
                LinkPair.write(opened.counter, to: want.region)
                let isSame =
                    want.region.array == pair.plain.region.slice(0, want.region.byteCount).array
                #expect(isSame)
                #expect(pair.openAtB(pair.datagram(place)).verdict == .linkReplay)
            }
        }
    }

    @Test func `a datagram claims to be a neighbour's, whether or not it opens`() {
        var pair = LinkPair()
        _ = pair.sealFromA(count: 1)
        let datagram = pair.datagram(0)
        #expect(pair.b.worker.row(claimedBy: datagram) == pair.rowA)
        datagram.store(~datagram.byte(40), 40)
        #expect(pair.b.worker.row(claimedBy: datagram) == pair.rowA)
        #expect(pair.openAtB(datagram).verdict == .linkTag)
        let short = datagram.slice(0, LinkLimits.datagramBytesMin - 1)
        #expect(pair.b.worker.row(claimedBy: short) == LinkTable.none)
        datagram.store(~datagram.byte(6), 6)
        #expect(pair.b.worker.row(claimedBy: datagram) == LinkTable.none)
        datagram.store(~datagram.byte(6), 6)
        datagram.store(UInt8(1), 0)
        #expect(pair.b.worker.row(claimedBy: datagram) == LinkTable.none)
    }

    @Test func `only type, index and counter are in clear`() {
        var pair = LinkPair()
        _ = pair.sealFromA(count: 5)
        let datagram = pair.datagram(4).array
        #expect(Array(datagram[0..<4]) == [4, 0, 0, 0])
        let index = datagram[4..<8].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        #expect(index == pair.indices.there)
        #expect(Array(datagram[8..<16]) == [4, 0, 0, 0, 0, 0, 0, 0])
        var text = [UInt8](repeating: 0, count: LinkPair.bytes - 32)
        text.withRegion { LinkPair.write(4, to: $0) }
        let same = (0..<text.count).filter { text[$0] == datagram[16 + $0] }.count
        #expect(same < 40)
    }

    @Test func `the wire is rfc 8439 under the session's key, as libsodium has it`() {
        var pair = LinkPair()
        _ = pair.sealFromA(count: 3)
        var key = [UInt8](repeating: 7, count: 32)
        var out = [UInt8](repeating: 0, count: LinkPair.bytes - 32)
        let sealed = pair.datagram(2).slice(16, LinkPair.bytes - 16)
        let opened = key.withRegion { key in
            out.withRegion {
                ChaChaPoly.open(sealed, data: .nowhere, key: key, counter: 2, into: $0)
            }
        }
        #expect(opened)
        let want = Memory(out.count)
        LinkPair.write(2, to: want.region)
        #expect(out == want.region.array)
    }

    @Test func `a flipped bit anywhere is refused and leaves the counter to take`() {
        var pair = LinkPair()
        _ = pair.sealFromA(count: 1)
        let datagram = pair.datagram(0)
        for byte in 0..<LinkPair.bytes {
            let before = datagram.byte(byte)
            datagram.store(before ^ (1 << UInt8(byte & 7)), byte)
            let verdict = pair.openAtB(datagram).verdict
            switch byte {
            case 0..<4: #expect(verdict == .linkType)
            case 4..<8: #expect(verdict == .linkUnknown)
            case 8..<16: #expect(verdict == .linkTag || verdict == .linkExpired)
            default: #expect(verdict == .linkTag)
            }
            datagram.store(before, byte)
        }
        #expect(pair.openAtB(datagram).verdict == .none)
    }

    @Test func `a datagram of any other length is refused`() {
        var pair = LinkPair()
        _ = pair.sealFromA(count: 2)
        for count in 0..<LinkPair.bytes {
            let verdict = pair.openAtB(pair.train.region.slice(0, count)).verdict
            #expect(verdict == .linkSize)
        }
        let longer = pair.train.region.slice(0, LinkPair.bytes + 1)
        #expect(pair.openAtB(longer).verdict == .linkSize)
    }

    @Test func `a session is sent on by its other side only after a datagram of ours`() {
        var pair = LinkPair()
        #expect(pair.b.table.sendingSession(pair.rowA, nowNanos: 2_000) == LinkTable.none)
        _ = pair.sealFromA(count: 1)
        let datagram = pair.datagram(0)
        datagram.store(datagram.byte(99) ^ 1, 99)
        #expect(pair.openAtB(datagram).verdict == .linkTag)
        #expect(pair.b.table.sendingSession(pair.rowA, nowNanos: 2_000) == LinkTable.none)
        datagram.store(datagram.byte(99) ^ 1, 99)
        #expect(pair.openAtB(datagram).verdict == .none)
        let session = pair.b.table.sendingSession(pair.rowA, nowNanos: 2_000)
        #expect(session == pair.indices.there & pair.b.table.slotMask)
    }

    @Test func `the later session is sent on, and the one before still opens`() {
        var pair = LinkPair()
        _ = pair.sealFromA(count: 2)
        let old = pair.indices
        #expect(pair.openAtB(pair.datagram(0)).session == old.there)
        pair.connect(keyByte: 90, nowNanos: 1_500)
        #expect(pair.openAtB(pair.datagram(1)).session == old.there)
        let sending = pair.b.table.sendingSession(pair.rowA, nowNanos: 2_000)
        #expect(pair.b.table.index(session: sending) == old.there)
        _ = pair.sealFromA(count: 1)
        #expect(pair.openAtB(pair.datagram(0)).session == pair.indices.there)
        let later = pair.b.table.sendingSession(pair.rowA, nowNanos: 2_000)
        #expect(pair.b.table.index(session: later) == pair.indices.there)
    }

    @Test func `a session ends by time on both sides`() {
        var pair = LinkPair(nowNanos: 1_000)
        let last = 1_000 + LinkLimits.rejectNanos - 1
        #expect(pair.sealFromA(count: 2, nowNanos: last) == 0)
        #expect(pair.sealFromA(count: 2, nowNanos: last + 1) == nil)
        #expect(pair.openAtB(pair.datagram(0), nowNanos: last).verdict == .none)
        #expect(pair.openAtB(pair.datagram(1), nowNanos: last + 1).verdict == .linkExpired)
    }

    @Test func `a session ends by volume on both sides`() {
        var pair = LinkPair()
        let session = pair.a.table.sendingSession(pair.rowB, nowNanos: 2_000)
        let cell = pair.a.table.sessionCell(session, SessionCell.next)
        pair.a.table.sessions.store(LinkLimits.rejectDatagrams - 3, cell)
        #expect(pair.sealFromA(count: 2) == LinkLimits.rejectDatagrams - 3)
        #expect(pair.openAtB(pair.datagram(1)).verdict == .none)
        #expect(pair.sealFromA(count: 2) == nil)
        #expect(pair.sealFromA(count: 1) == nil)
        let datagram = pair.datagram(0)
        datagram.store(LinkLimits.rejectDatagrams.littleEndian, 8)
        #expect(pair.openAtB(datagram).verdict == .linkExpired)
    }

    @Test func `threads that reserve have no counter in common`() async {
        let pair = LinkPair()
        let table = pair.a.table
        let session = table.sendingSession(pair.rowB, nowNanos: 2_000)
        let counters = await withTaskGroup(of: [UInt64].self) { group in
            for thread in 1...3 {
                group.addTask {
                    var mine: [UInt64] = []
                    for _ in 0..<2_000 {
                        guard let first = table.reserve(session: session, count: thread) else {
                            break
                        }
                        mine += (0..<UInt64(thread)).map { first + $0 }
                    }
                    return mine
                }
            }
            return await group.reduce(into: [UInt64]()) { $0 += $1 }
        }
        #expect(counters.count == 12_000 && Set(counters).count == 12_000)
        withExtendedLifetime(pair.a.memory) {}
    }

    @Test func `a datagram of padding is idle`() {
        var pair = LinkPair()
        let session = pair.a.table.sendingSession(pair.rowB, nowNanos: 2_000)
        guard let first = pair.a.table.reserve(session: session, count: 1) else {
            Issue.record("no counter")
            return
        }
        pair.train.region.fill(0)
        let train = pair.train.region
        pair.a.worker.seal(
            session: session,
            train: train,
            count: 1,
            firstCounter: first,
            nowNanos: 2_000
        )
        let opened = pair.openAtB(pair.datagram(0), nowNanos: 1 << 40)
        #expect(opened.verdict == .linkExpired)
        let again = pair.openAtB(pair.datagram(0), nowNanos: 1 << 30)
        #expect(again.verdict == .none && again.isIdle)
        let rows = pair.b.table.rows
        #expect(rows.load(pair.b.table.cell(pair.rowA, RowCell.heardNanos)) == 1 << 30)
        #expect(rows.load(pair.b.table.cell(pair.rowA, RowCell.receivedNanos)) == 0)
    }

    @Test func `sealing and opening allocate nothing`() {
        guard allocations_counted() == 1 else { return }
        var pair = LinkPair()
        _ = pair.sealFromA(count: 1)
        _ = pair.openAtB(pair.datagram(0))
        let session = pair.a.table.sendingSession(pair.rowB, nowNanos: 2_000)
        let train = pair.train.region
        let before = allocations_of_thread()
        for round in 0..<10 {
            let first = pair.a.table.reserve(session: session, count: 44) ?? 0
            pair.a.worker.seal(
                session: session,
                train: train,
                count: 44,
                firstCounter: first,
                nowNanos: 2_000
            )
            for place in 0..<44 { _ = pair.openAtB(pair.datagram(place)) }
            // Another key on every other round.
            if round % 2 == 0 { pair.a.worker.quiesce() }
            pair.b.worker.quiesce()
        }
        #expect(allocations_of_thread() == before)
        #expect(pair.openAtB(pair.datagram(43)).verdict == .linkReplay)
    }

    @Test func `threads that open the same datagrams open each once between them`() async {
        var pair = LinkPair()
        let (trains, count) = (50, LinkLimits.trainDatagramsMax)
        let all = Memory(trains * pair.train.region.byteCount)
        for train in 0..<trains {
            _ = pair.sealFromA(count: count)
            all.region.copy(pair.train.region, to: train * pair.train.region.byteCount)
        }
        let (table, datagrams) = (pair.b.table, all.region)
        // Whoever is behind passes quickly over what was taken, and so they meet.
        let opened = await withTaskGroup(of: Int.self) { group in
            for worker in 0..<2 {
                group.addTask {
                    var worker = LinkWorker(table, worker: worker)
                    let plain = Memory(LinkPair.bytes)
                    worker.enter()
                    defer { worker.leave() }
                    return (0..<trains * count).filter { place in
                        worker.open(
                            datagrams.slice(place * LinkPair.bytes, LinkPair.bytes),
                            into: plain.region,
                            from: LinkPair.addressA,
                            nowNanos: 3_000
                        ).verdict == .none
                    }.count
                }
            }
            return await group.reduce(0, +)
        }
        #expect(opened == trains * count)
        withExtendedLifetime((all, pair.b.memory)) {}
    }

    @Test func `a worker keeps no key of a session that has ended`() {
        var pair = LinkPair()
        _ = pair.sealFromA(count: 1)
        _ = pair.openAtB(pair.datagram(0))
        pair.a.worker.quiesce()
        pair.b.worker.quiesce()
        #expect(pair.a.worker.sealingKey == pair.indices.here)
        #expect(pair.b.worker.openingKey == pair.indices.there)
        pair.a.keeper.end(pair.indices.here)
        pair.b.keeper.end(pair.indices.there)
        pair.a.worker.quiesce()
        pair.b.worker.leave()
        #expect(pair.a.worker.sealingKey == 0)
        #expect(pair.b.worker.openingKey == 0)
    }
}
