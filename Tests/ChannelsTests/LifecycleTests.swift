// swift-format-ignore-file: NeverForceUnwrap
import Bytes
import Chain
import Crypto
import Exchange
import LedgerSupport
import Store
import TestSupport
import Testing
import Tickets

@testable import Channels

@Suite struct LifecycleTests {
    private func feed(_ rig: Rig, _ indices: Range<UInt64>) throws {
        for index in indices {
            let ticket = rig.ticket(index)
            try rig.turn([rig.locked(ticket), rig.unlocked(ticket)])
        }
    }

    @Test func `winners wait until they are worth a redemption, or asked for`() throws {
        let rig = Rig()
        rig.policy.redeemValue = 500
        try rig.open()
        try feed(rig, 0..<4)
        try rig.settle(60)
        #expect(try rig.claims().allSatisfy { $0.state == .won })
        #expect(rig.wire == nil)
        try feed(rig, 4..<5)
        try rig.settle(60)
        #expect(try rig.claims().allSatisfy { $0.state == .settled })
        try feed(rig, 5..<6)
        try rig.settle(60)
        #expect(try rig.state(5) == .won)
        try rig.turn([.redeemAll])
        try rig.settle(60)
        #expect(try rig.state(5) == .settled)
    }

    @Test func `notice makes the node redeem at once`() throws {
        let rig = Rig()
        rig.policy.redeemValue = 1 << 60
        try rig.open()
        try feed(rig, 0..<3)
        try rig.settle(60)
        #expect(try rig.state(0) == .won)
        rig.pay(.notice(destination: rig.node.address))
        try rig.settle(20)
        #expect(try rig.claims().allSatisfy { $0.state == .settled })
        #expect(rig.reserved == 0)
    }

    @Test func `before a channel closes nothing is waited for, and no tickets are taken`() throws {
        let rig = Rig()
        try rig.open()
        // Index 0 is held and its acknowledgement does not come.
        let (held, ready) = (rig.ticket(0), rig.ticket(1))
        try rig.turn([rig.locked(held), rig.locked(ready), rig.unlocked(ready)])
        rig.pay(.notice(destination: rig.node.address))
        for _ in 0..<40 { try rig.turn() }
        #expect(try rig.state(1) == .unlocked)
        let slot = try #require(rig.incoming?.slot)
        #expect(rig.control?.world.channels[slot]?.redeemable == true)
        rig.ledger.advance(millis: 46_000)
        try rig.turn()
        #expect(rig.control?.world.channels[slot]?.redeemable == false)
        rig.ledger.advance(millis: 10_000)
        for _ in 0..<40 {
            try rig.turn()
            try rig.network()
        }
        #expect(try rig.state(1) == .settled)
    }

    @Test func `closing voids what was not redeemed, with the reason`() throws {
        let rig = Rig()
        rig.policy.redeemValue = 1 << 60
        try rig.open()
        try feed(rig, 0..<3)
        rig.pay(.notice(destination: rig.node.address))
        rig.ledger.advance(millis: 60_000)
        rig.pay(.close(destination: rig.node.address))
        try rig.settle(30)
        let claims = try rig.claims()
        #expect(claims.allSatisfy { $0.state == .void && $0.reason == .channelClosed })
        #expect(rig.totals.void == [.channelClosed: 3])
        #expect(rig.totals.won == 0)
        #expect(rig.reserved == 0)
    }

    @Test func `a channel that was closed and funded again starts anew`() throws {
        let rig = Rig()
        try rig.open()
        try feed(rig, 0..<3)
        try rig.settle(30)
        let late = rig.ticket(7)
        rig.pay(.notice(destination: rig.node.address))
        rig.ledger.advance(millis: 60_000)
        rig.pay(.close(destination: rig.node.address))
        let first = try #require(rig.incoming?.slot)
        try rig.open()
        #expect(rig.incoming?.slot != first)
        #expect(rig.channel.channelEpoch == 2)
        try rig.turn([
            .unlocked(
                slot: first,
                ticket: late.bytes,
                response: late.response,
                atNanos: rig.nanos
            )
        ])
        #expect(
            try rig.claims().contains { $0.state == .void && $0.reason == .channelEpoch }
        )
        try feed(rig, 0..<2)
        try rig.settle(60)
        #expect(rig.totals.redeemed == 5)
        try rig.start()
        try feed(rig, 2..<3)
        try rig.settle(60)
        #expect(rig.totals.redeemed == 6)
    }

    @Test func `a new commitment voids open tickets as ticketEpoch`() throws {
        let rig = Rig()
        rig.policy.redeemValue = 1 << 60
        try rig.open()
        try feed(rig, 0..<3)
        try rig.settle(30)
        let old = rig.ticket(3)
        try rig.turn([rig.locked(old)])
        try rig.turn([.operation(id: 9, .renew(source: rig.payer.address))])
        try rig.settle(60)
        #expect(rig.receipts[9]?.refusal == nil)
        #expect(rig.channel.ticketEpoch == 2)
        #expect(rig.totals.void == [.ticketEpoch: 3])
        // A ticket of the old epoch whose acknowledgement comes now.
        try rig.turn([rig.unlocked(old)])
        rig.policy.redeemValue = 0
        try rig.settle(60)
        #expect(try rig.state(3) == .void)
        #expect(rig.totals.void == [.ticketEpoch: 4])
        try rig.start()
        try feed(rig, 4..<8)
        try rig.settle(60)
        #expect(rig.totals.redeemed == 4)
        #expect(rig.reserved == 0)
    }

    @Test func `a commitment that is not ours stops the channel`() throws {
        let rig = Rig()
        rig.policy.acceptChannels = false
        rig.pay(.fund(destination: rig.node.address, amount: 1_000))
        let foreign = Hash.keccak256([1, 2, 3])
        rig.ledger.ask(
            rig.node.sign(
                .commit(source: rig.payer.address, commitment: foreign),
                rig.parameters.domain
            )
        )
        try rig.start()
        for _ in 0..<100 { try rig.turn() }
        #expect(rig.alarms == [.commitmentUnknown])
        let slot = try #require(rig.incoming?.slot)
        #expect(rig.books.stopped(slot))
        #expect(rig.control?.infos.first?.stopped == .commitmentUnknown)
        try rig.turn([.operation(id: 1, .renew(source: rig.payer.address))])
        try rig.settle(60)
        #expect(!rig.books.stopped(slot))
        try feed(rig, 0..<2)
        try rig.settle(60)
        #expect(rig.totals.redeemed == 2)
    }

    @Test func `positions follow the ledger when the store is behind`() throws {
        let rig = Rig()
        try rig.open()
        let old = try rig.store.load()
        try feed(rig, 0..<5)
        try rig.settle(30)
        #expect(rig.incoming?.state.chainPosition == 99_995)
        // A store restored from an old copy.
        let behind = MemoryStore()
        try behind.commit(
            old.incoming.map { .incoming($0) }
                + old.values.map { .value(name: $0.key, $0.value) }
        )
        rig.control = try ChannelControl(
            identity: ChannelIdentity(key: rig.node.chain, parameters: rig.parameters),
            policy: rig.policy,
            stored: try behind.load(),
            view: try LedgerView(of: rig.ledger),
            accountNonce: try rig.ledger.account(rig.node.address)?.nonce ?? 0,
            slotCount: 16,
            now: rig.now
        )
        for _ in 0..<60 { try rig.turn() }
        #expect(rig.incoming?.state.chainPosition == 99_995)
        #expect(rig.incoming?.state.nextPosition == 99_995)
        let slot = try #require(rig.incoming?.slot)
        #expect(rig.books.floor(slot) == 5)
        try feed(rig, 5..<7)
        try rig.settle(30)
        #expect(rig.totals.redeemed == 2)
        #expect(rig.ledger.ledger.accounts[rig.node.address]?.balance == 1_700)
    }

    @Test func `used up openings stop the channel`() throws {
        let rig = Rig()
        try rig.open()
        try feed(rig, 0..<1)
        try rig.settle(30)
        rig.control?.incoming[rig.channel.id]?.state.nextPosition = 0
        try feed(rig, 1..<2)
        try rig.turn()
        #expect(rig.alarms == [.commitmentExhausted])
        #expect(try rig.state(1) == .unlocked)
    }

    // MARK: Requests whose signature a fault has spoilt

    @Test func `a spoilt signature is not sent, and the redemption comes later`() throws {
        let rig = Rig()
        try rig.open()
        rig.control?.signer = { key, hash in
            var signature = key.sign(hash: hash)
            signature[5] ^= 1
            return signature
        }
        let nonce = try #require(rig.control?.nonce)
        try feed(rig, 0..<3)
        try rig.settle(20)
        #expect(rig.wire == nil)
        #expect(rig.control?.inFlight == nil)
        #expect(rig.control?.nonce == nonce)
        #expect(try rig.store.load().submissions.isEmpty)
        #expect(Set(rig.faults.map(\.action)) == ["redeem"])
        #expect(try rig.claims().allSatisfy { $0.state == .won })
        rig.control?.signer = { $0.sign(hash: $1) }
        try rig.settle(60)
        #expect(try rig.claims().allSatisfy { $0.state == .settled })
        #expect(rig.totals.redeemed == 3)
    }

    @Test func `an operation with a spoilt signature ends with the reason`() throws {
        let rig = Rig()
        try rig.open()
        rig.control?.signer = { _, _ in Bytes64() }
        try rig.turn([.operation(id: 7, .transfer(to: rig.payer.address, amount: 1))])
        #expect(rig.faults == [SigningFault(action: "transfer")])
        #expect(rig.failed == [7])
        #expect(rig.receipts[7] == nil && rig.wire == nil)
        rig.control?.signer = { $0.sign(hash: $1) }
        try rig.turn([.operation(id: 8, .transfer(to: rig.payer.address, amount: 1))])
        try rig.settle(5)
        #expect(rig.receipts[8]?.refusal == nil && rig.receipts[8] != nil)
    }

    // MARK: Channels through which we pay

    @Test func `a restart skips outgoing indices and never repeats one`() throws {
        let rig = Rig()
        let domain = rig.parameters.domain
        rig.ledger.ask(
            rig.node.sign(.fund(destination: rig.payer.address, amount: 100), domain)
        )
        var used = Set<UInt64>()
        for _ in 0..<5 {
            try rig.start()
            let slot = try #require(rig.control?.outgoing.values.first?.slot)
            for _ in 0..<100 {
                let index = try #require(rig.books.takeIndex(slot))
                #expect(used.insert(index).inserted)
                let stored = try #require(try rig.store.load().outgoing.first)
                #expect(index < stored.indexLimit)
            }
        }
    }

    @Test func `the next block of indices is reserved before the present one ends`() throws {
        let rig = Rig()
        rig.policy.indexBlock = 64
        rig.ledger.ask(
            rig.node.sign(
                .fund(destination: rig.payer.address, amount: 100),
                rig.parameters.domain
            )
        )
        try rig.start()
        let slot = try #require(rig.control?.outgoing.values.first?.slot)
        for number in 0..<1_000 {
            #expect(rig.books.takeIndex(slot) == UInt64(number))
            let next = rig.books.nextIndex(slot)
            try rig.turn([.used(slot: slot, nextIndex: next)])
            let stored = try #require(try rig.store.load().outgoing.first)
            #expect(rig.books.indexLimit(slot) <= stored.indexLimit)
        }
    }

    @Test func `operations are answered with the ledger's receipt`() throws {
        let rig = Rig()
        try rig.start()
        try rig.turn([
            .operation(id: 1, .announce(rig.node.packet, Endpoint(text: "127.0.0.1:5")!)),
            .operation(id: 2, .fund(destination: rig.payer.address, amount: 400)),
            .operation(id: 3, .fund(destination: rig.payer.address, amount: 10_000)),
            .operation(id: 4, .notice(destination: rig.payer.address)),
            .operation(id: 5, .close(destination: rig.payer.address)),
            .operation(id: 6, .transfer(to: rig.payer.address, amount: 1)),
        ])
        try rig.settle(60)
        #expect(rig.receipts[1]?.keyID == 1)
        #expect(
            (2...6).map { rig.receipts[$0]?.refusal } == [nil, .balance, nil, .noticeRunning, nil]
        )
        let world = try #require(rig.control?.world)
        #expect(world.own.map(\.keyID) == [1])
        #expect(world.channels.values.map(\.balance) == [400])
    }
}
