import Bytes
import CAllocations
import Datapath
import TestSupport
import Testing

@testable import Link

@Suite struct LinkTableTests {
    @Test func `peers are found by key id as they come and go`() {
        var random = SeededGenerator("peers")
        var side = LinkSide(peers: 40)
        var rows: [UInt32: UInt32] = [:]
        for _ in 0..<4_000 {
            // Few ids, so that chains meet, break and close again.
            let keyID = UInt32.random(in: 0..<120, using: &random)
            if let row = rows[keyID] {
                side.keeper.removePeer(row)
                rows[keyID] = nil
            } else if let row = side.keeper.addPeer(keyID: keyID, address: nil) {
                #expect(side.table.keyID(row) == keyID)
                rows[keyID] = row
            }
            side.keeper.collect()
            side.worker.quiesce()
            side.keeper.collect()
            for keyID in UInt32(0)..<120 {
                let found = side.table.peer(keyID: keyID)
                #expect(found == rows[keyID] ?? LinkTable.none, "seed \(random.seed)")
            }
        }
        #expect(Set(rows.values).count == rows.count)
    }

    @Test func `a row is not given away before every worker at work has passed on`() {
        var side = LinkSide(peers: 1)
        var other = LinkWorker(side.table, worker: 1)
        other.enter()
        let row = side.keeper.addPeer(keyID: 5, address: nil)
        #expect(row == 0)
        side.keeper.removePeer(0)
        side.keeper.collect()
        #expect(side.table.peer(keyID: 5) == LinkTable.none)
        #expect(side.keeper.addPeer(keyID: 6, address: nil) == nil)
        side.worker.quiesce()
        side.keeper.collect()
        #expect(side.keeper.addPeer(keyID: 6, address: nil) == nil)
        other.leave()
        side.keeper.collect()
        #expect(side.keeper.addPeer(keyID: 6, address: nil) == 0)
    }

    @Test func `keys of an ended session stay until workers pass on, and are zeros then`() {
        var pair = LinkPair()
        let slot = pair.indices.here & pair.a.table.slotMask
        let keys = pair.a.table.keys.region(Int(slot))
        pair.a.keeper.end(pair.indices.here)
        pair.a.keeper.collect()
        pair.a.keeper.collect()
        #expect(keys.array[0] == 7)
        pair.a.worker.quiesce()
        pair.a.keeper.collect()
        #expect(keys.array == [UInt8](repeating: 0, count: 64))
    }

    @Test func `a peer has at most one session that was never proven and three that were`() {
        var pair = LinkPair()
        var indices = [pair.indices]
        for round in 1..<8 {
            pair.connect(keyByte: UInt8(10 * round), nowNanos: 1_000)
            indices.append(pair.indices)
            pair.a.worker.quiesce()
            pair.b.worker.quiesce()
            pair.a.keeper.collect()
            pair.b.keeper.collect()
            pair.a.keeper.collect()
            pair.b.keeper.collect()
        }
        let live = indices.filter { pair.a.table.slot(index: $0.here, opening: true) != .max }
        #expect(live.map(\.here) == indices.suffix(3).map(\.here))
        let unproven = indices.filter { pair.b.table.slot(index: $0.there, opening: true) != .max }
        #expect(unproven.map(\.there) == indices.suffix(1).map(\.there))
    }

    @Test func `an index never comes twice in a row and is never zero`() {
        var side = LinkSide()
        var seen: Set<UInt32> = []
        for _ in 0..<2_000 {
            guard let index = side.keeper.begin() else { break }
            #expect(index != 0)
            #expect(seen.insert(index).inserted)
            side.keeper.end(index)
            side.keeper.collect()
            side.worker.quiesce()
            side.keeper.collect()
        }
        #expect(seen.count == 2_000)
    }

    @Test func `a table that ran out of slots says so and recovers`() {
        var side = LinkSide(peers: 1)
        var indices: [UInt32] = []
        while let index = side.keeper.begin() { indices.append(index) }
        #expect(indices.count == side.table.size.sessions)
        for index in indices { side.keeper.end(index) }
        side.keeper.collect()
        #expect(side.keeper.begin() == nil)
        side.worker.quiesce()
        side.keeper.collect()
        #expect(side.keeper.begin() != nil)
    }

    @Test func `a keeper made over a table in use goes on with its sessions`() {
        var pair = LinkPair()
        let first = pair.sealFromA(count: 3)
        #expect(first == 0)
        #expect(pair.openAtB(pair.datagram(1)).verdict == .none)
        let size = pair.b.table.size
        var arena = Arena(pair.b.memory.region)
        let table = LinkTable(&arena, size, hash: KeyedHash(2, 2))
        pair.b.keeper = LinkSide.keeper(table, seed: 9)
        pair.b.worker = LinkWorker(table, worker: 0)
        pair.b.worker.enter()
        #expect(pair.openAtB(pair.datagram(1)).verdict == .linkReplay)
        #expect(pair.openAtB(pair.datagram(2)).verdict == .none)
        #expect(table.peer(keyID: LinkPair.idA) == pair.rowA)
        // The slot in use is not given out again.
        var indices: Set<UInt32> = []
        while let index = pair.b.keeper.begin() { indices.insert(index & table.slotMask) }
        #expect(!indices.contains(pair.indices.there & table.slotMask))
        #expect(indices.count == size.sessions - 1)
    }
}

@Suite struct LinkEndpointTests {
    @Test func `an endpoint is what the register says until a datagram comes from elsewhere`() {
        var pair = LinkPair()
        let elsewhere = DatagramAddress.six(3, port: 65_535)
        #expect(pair.b.table.endpoint(pair.rowA) == LinkPair.addressA)
        _ = pair.sealFromA(count: 9)
        func open(_ place: Int, _ source: DatagramAddress) -> DatagramAddress? {
            #expect(pair.openAtB(pair.datagram(place), from: source).verdict == .none)
            return pair.b.table.endpoint(pair.rowA)
        }
        #expect(open(2, LinkPair.addressA) == LinkPair.addressA)
        #expect(open(4, elsewhere) == elsewhere)
        #expect(open(7, elsewhere) == elsewhere)
        // Older datagrams, delayed on the old path, move nothing back: neither one from before the
        // move nor one from after it.
        #expect(open(3, LinkPair.addressA) == elsewhere)
        #expect(open(6, LinkPair.addressA) == elsewhere)
        #expect(open(8, LinkPair.addressA) == LinkPair.addressA)
    }

    @Test func `datagrams of an older session move nothing`() {
        var pair = LinkPair()
        let elsewhere = DatagramAddress.six(3, port: 7)
        _ = pair.sealFromA(count: 5)
        #expect(pair.openAtB(pair.datagram(0)).verdict == .none)
        let late = [pair.datagram(3).array, pair.datagram(4).array]
        pair.connect(keyByte: 50, nowNanos: 1_500)
        _ = pair.sealFromA(count: 2)
        #expect(pair.openAtB(pair.datagram(0)).verdict == .none)
        for (bytes, isMoved) in zip(late, [false, true]) {
            if isMoved { _ = pair.openAtB(pair.datagram(1), from: elsewhere) }
            var bytes = bytes
            let source = isMoved ? LinkPair.addressA : elsewhere
            let verdict = bytes.withRegion { pair.openAtB($0, from: source).verdict }
            #expect(verdict == .none)
            let want = isMoved ? elsewhere : LinkPair.addressA
            #expect(pair.b.table.endpoint(pair.rowA) == want)
        }
    }

    @Test func `of writers at once the one with the newest datagram has the last word`() {
        let pair = LinkPair()
        let table = pair.b.table
        let (older, newer) = (DatagramAddress.six(1, port: 1), DatagramAddress.six(2, port: 2))
        table.roam(pair.rowA, to: newer, sequence: 3, counter: 9)
        table.roam(pair.rowA, to: older, sequence: 3, counter: 8)
        #expect(table.endpoint(pair.rowA) == newer)
        table.roam(pair.rowA, to: older, sequence: 2, counter: 10)
        #expect(table.endpoint(pair.rowA) == newer)
        table.roam(pair.rowA, to: older, sequence: 4, counter: 0)
        #expect(table.endpoint(pair.rowA) == older)
    }

    @Test func `a datagram that is not authentic moves nothing`() {
        var pair = LinkPair()
        let elsewhere = DatagramAddress.six(9, port: 1)
        _ = pair.sealFromA(count: 2)
        let last = pair.datagram(1)
        last.store(last.byte(40) ^ 1, 40)
        #expect(pair.openAtB(last, from: elsewhere).verdict == .linkTag)
        #expect(pair.b.table.endpoint(pair.rowA) == LinkPair.addressA)
    }

    @Test func `a writer that stops half-way keeps no reader waiting`() {
        let pair = LinkPair()
        let table = pair.b.table
        // Locked, and the other place half written.
        let lock = table.cell(pair.rowA, RowCell.endpointLock)
        let locked = table.rows.exchange(lock, expected: 0, desired: 1)
        #expect(locked)
        table.rows.store(0x1234, table.cell(pair.rowA, RowCell.endpoints) + 4)
        table.rows.store(0x1234, table.cell(pair.rowA, RowCell.endpoints))
        #expect(table.endpoint(pair.rowA)?.family == 4)
        let set = pair.b.keeper.setEndpoint(pair.rowA, .loopback(port: 9))
        #expect(!set)
    }

    @Test func `readers never see half an endpoint`() async {
        var side = LinkSide()
        let row = side.keeper.addPeer(keyID: 1, address: .six(0, port: 0)) ?? LinkTable.none
        let table = side.table
        let rounds = 20_000
        let torn = await withTaskGroup(of: Int.self) { group in
            for writer in 0..<2 {
                group.addTask {
                    for round in 0..<rounds {
                        let number = UInt8(truncatingIfNeeded: 2 * round + writer)
                        table.roam(
                            row,
                            to: .six(number, port: UInt16(number)),
                            sequence: 1,
                            counter: UInt64(round)
                        )
                    }
                    return 0
                }
            }
            for _ in 0..<2 {
                group.addTask {
                    var torn = 0
                    for _ in 0..<rounds {
                        guard let address = table.endpoint(row) else { continue }
                        let number = UInt8(truncatingIfNeeded: address.port)
                        if address != .six(number, port: UInt16(number)) { torn += 1 }
                    }
                    return torn
                }
            }
            return await group.reduce(0, +)
        }
        #expect(torn == 0)
        withExtendedLifetime(side.memory) {}
    }
}
