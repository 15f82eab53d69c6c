// swift-format-ignore-file: NeverForceUnwrap
import Bytes
import Foundation
import LedgerSupport
import Store
import TestSupport
import Testing

@Suite struct NodeStoreTests {
    let folder = TemporaryFolder("node-store")

    func claim(_ index: UInt64, _ state: ClaimState, _ random: inout SeededGenerator) -> Claim {
        let id = Bytes32(Array(repeating: UInt8(index % 3), count: 32))!
        var claim = Claim(
            key: ClaimKey(channelID: id, channelEpoch: 1, index: index),
            scheme: .commitmentTicket,
            ticketEpoch: 2,
            amount: 1 << 100,
            ticket: FixedBytes<132>(random.bytes(132))!,
            response: Bytes32(random.bytes(32))!,
            unlockedMillis: random.next()
        )
        claim.state = state
        claim.position = state == .won ? 77 : nil
        claim.reason = state == .void ? .lateIndex : .none
        return claim
    }

    @Test func `everything written is read again, bit for bit`() throws {
        var random = SeededGenerator("node store")
        let states: [ClaimState] = [.unlocked, .won, .submitted, .lost, .settled, .void]
        let claims = (0..<60).map { claim(UInt64($0), states[$0 % 6], &random) }
        let id = claims[0].key.channelID
        var incoming = IncomingState(
            channelID: id,
            channelEpoch: 4,
            source: Player(1).address,
            ticketEpoch: 5,
            floor: 6,
            position: 100_000,
            commitment: claims[1].response
        )
        incoming.nextPosition = 99_990
        let outgoing = OutgoingState(channelID: id, channelEpoch: 9, indexLimit: 1 << 47)
        var totals = Totals()
        totals.received = 10
        totals.redeemedValue = 1 << 120
        totals.void = [.noAck: 3, .lateIndex: 4]
        let submission = Submission(
            nonce: 12,
            request: random.bytes(400),
            claims: claims.map(\.key),
            sequence: 3
        )
        do {
            let store = try NodeStore(folder: folder.path, freeBytesMin: 0)
            try store.commit(
                claims.map { .claim($0) } + [
                    .incoming(incoming), .outgoing(outgoing), .totals(channelID: id, totals),
                    .submission(submission), .submission(submission),
                    .value(name: "nonce", [1, 2, 3]),
                ]
            )
        }
        let store = try NodeStore(folder: folder.path, freeBytesMin: 0)
        let state = try store.load()
        #expect(
            state.openClaims
                == claims.filter { !$0.state.isFinal }.sorted { $0.key < $1.key }
        )
        #expect(state.incoming == [incoming])
        #expect(state.outgoing == [outgoing])
        #expect(state.totals == [id: totals])
        #expect(state.submissions == [submission])
        #expect(state.values == ["nonce": [1, 2, 3]])
        var all: [Claim] = []
        while true {
            let page = try store.claims(after: all.last?.key, limit: 7)
            if page.isEmpty { break }
            all += page
        }
        #expect(all == claims.sorted { $0.key < $1.key })
        try store.commit([.answered(nonce: 12)])
        #expect(try store.load().submissions.isEmpty)
    }

    @Test func `pruning forgets final claims below an index and nothing else`() throws {
        var random = SeededGenerator("prune")
        let store = try NodeStore(folder: folder.path, freeBytesMin: 0)
        let claims = (0..<30).map {
            claim(UInt64($0) * 3, $0 % 2 == 0 ? .settled : .unlocked, &random)
        }
        try store.commit(claims.map { .claim($0) })
        let below = ClaimKey(channelID: claims[0].key.channelID, channelEpoch: 1, index: 45)
        try store.commit([.prune(below)])
        let left = try store.claims(after: nil, limit: 100)
        #expect(left == claims.filter { !$0.state.isFinal || $0.key.index >= 45 })
    }

    @Test func `a store that was given up is opened by another program, unread if nothing changed`()
        throws
    {
        var random = SeededGenerator("given up")
        let store = try NodeStore(folder: folder.path, freeBytesMin: 0)
        try store.commit((0..<50).map { .claim(claim(UInt64($0), .unlocked, &random)) })
        let last = store.lastTransaction
        #expect(last > 0)
        store.close()
        #expect(throws: StoreError.stopped(folder: folder.path)) { _ = try store.load() }
        #expect(throws: StoreError.stopped(folder: folder.path)) {
            try store.commit([.value(name: "a", [1])])
        }
        #expect(store.lastTransaction == 0)
        // It keeps its folder to itself, or another program would find it before the next does.
        #expect(throws: StoreError.self) {
            _ = try NodeStore(folder: folder.path, freeBytesMin: 0, checked: last)
        }
    }

    @Test func `a store is read through unless its last change is the one that was told`() throws {
        let mark = Array("a value to be found".utf8)
        func last() throws -> UInt64 {
            let store = try NodeStore(folder: folder.path, freeBytesMin: 0)
            try store.commit([.value(name: "mark", mark)])
            return store.lastTransaction
        }
        let told = try last()
        try damage(mark)
        // Nobody has read it.
        _ = try NodeStore(folder: folder.path, freeBytesMin: 0, checked: told)
        #expect(throws: StoreError.self) {
            _ = try NodeStore(folder: folder.path, freeBytesMin: 0, checked: told)
        }
    }

    /// Changes a byte of every copy: older versions of a page stay behind.
    private func damage(_ mark: [UInt8]) throws {
        let file = URL(filePath: "\(folder.path)/data.mdb")
        var bytes = try Data(contentsOf: file)
        var from = bytes.startIndex
        while let found = bytes.range(of: Data(mark), in: from..<bytes.endIndex) {
            bytes[found.lowerBound] ^= 1
            from = found.upperBound
        }
        try bytes.write(to: file)
    }
}
