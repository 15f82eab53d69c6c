// swift-format-ignore-file: NeverForceUnwrap
import Bytes
import Chain
import LedgerSupport
import Store
import TestSupport
import Testing
import Tickets

@testable import Channels

/// The world stops between any two steps of the way from a ticket to money, and starts again from
/// what is on disk.
@Suite struct CrashTests {
    private func tickets(_ rig: Rig) -> [TestTicket] {
        (0..<12).map { rig.ticket(UInt64($0), WinProbability(0.6)!) }
    }

    /// Feeds tickets that are not stored yet until everything is settled; answers the steps it
    /// took.
    private func run(_ rig: Rig, crashAfter steps: Int) throws -> Bool {
        rig.stepsLeft = steps
        do {
            try rig.start()
            try rig.open()
            for ticket in tickets(rig) where try rig.state(ticket.ticket.index) == nil {
                try rig.turn([rig.locked(ticket), rig.unlocked(ticket)])
                try rig.network()
            }
            try rig.settle(60)
            return true
        } catch is Rig.Crash {
            return false
        }
    }

    private func expectPaid(_ rig: Rig) throws {
        let claims = try rig.claims()
        #expect(claims.count == 12)
        #expect(claims.allSatisfy { $0.state == .settled || $0.state == .lost })
        let paid = claims.filter { $0.state == .settled }.reduce(UInt128(0)) { $0 + $1.amount }
        #expect(rig.ledger.ledger.accounts[rig.node.address]?.balance == 1_000 + paid)
        #expect(rig.totals.received == 12)
        #expect(rig.totals.redeemedValue == paid)
        #expect(rig.totals.won == rig.totals.redeemed)
        #expect(rig.totals.won + rig.totals.lost == 12)
        #expect(rig.reserved == 0)
        #expect(rig.control?.inFlight == nil)
        let redeemed = rig.ledger.log(since: 0).count {
            if case .redeemed = $0.kind { true } else { false }
        }
        #expect(redeemed == Int(rig.totals.redeemed))
    }

    @Test func `a crash at any step loses nothing and pays nothing twice`() throws {
        var step = 0
        var finished = false
        while !finished {
            let rig = Rig()
            rig.pay(.fund(destination: rig.node.address, amount: 1 << 40))
            finished = try run(rig, crashAfter: step)
            if !finished {
                let again = try run(rig, crashAfter: .max)
                #expect(again)
            }
            try expectPaid(rig)
            step += finished ? 0 : 1
        }
        print("crashed at \(step) steps")
        #expect(step > 20)
    }

    @Test func `crash after crash loses nothing and pays nothing twice`() throws {
        var random = SeededGenerator("crashes")
        for _ in 0..<15 {
            let rig = Rig()
            rig.pay(.fund(destination: rig.node.address, amount: 1 << 40))
            var crashes = 0
            while try !run(rig, crashAfter: Int(random.next() % 9) + crashes / 20) {
                crashes += 1
            }
            try expectPaid(rig)
        }
    }

    @Test func `an answer that was lost is asked for again`() throws {
        let rig = Rig()
        try rig.open()
        let ticket = rig.ticket(0)
        rig.ledger.swallow(3)
        try rig.turn([rig.locked(ticket), rig.unlocked(ticket)])
        try rig.settle()
        #expect(try rig.state(0) == .settled)
        #expect(rig.ledger.ledger.accounts[rig.node.address]?.balance == 1_100)
    }

    @Test func `a store whose disk fails shows nothing that is not on it`() throws {
        let rig = Rig()
        try rig.open()
        let slot = try #require(rig.incoming?.slot)
        let ticket = rig.ticket(0)
        rig.store.fail(atCommit: rig.store.commits)
        #expect(throws: StoreError.self) {
            try rig.turn([rig.locked(ticket), rig.unlocked(ticket)])
        }
        #expect(rig.books.floor(slot) == 0)
        #expect(rig.wire == nil)
        #expect(try rig.claims().isEmpty)
    }

    @Test func `a nonce used behind our back is found out`() throws {
        let rig = Rig()
        try rig.open()
        let chain = try #require(rig.incoming?.chain ?? rig.incoming?.nextChain?.chain)
        let ticket = rig.ticket(0)
        let other = rig.ticket(1)
        try rig.turn([
            rig.locked(ticket), rig.unlocked(ticket), rig.locked(other), rig.unlocked(other),
        ])
        for _ in 0..<100 where rig.wire == nil { try rig.turn() }
        #expect(rig.wire != nil)
        // Somebody with our key redeems the first ticket, then uses a far higher nonce.
        let request = LedgerRequest(
            from: rig.node.address,
            nonce: 500,
            action: .redeem(
                source: rig.payer.address,
                tickets: [ticket.redemption(chain.value(at: 99_999).array)]
            )
        )
        let receipt = rig.ledger.ask(
            try SignedRequest(request, key: rig.node.chain, domain: rig.parameters.domain)
        )
        #expect(receipt.refusal == nil)
        try rig.settle()
        #expect(try rig.state(0) == .settled)
        #expect(try rig.state(1) == .settled)
        #expect(rig.totals.redeemedValue == 200)
        #expect(rig.ledger.ledger.accounts[rig.node.address]?.balance == 1_200)
        #expect(rig.reserved == 0)
    }

    @Test func `a store of another key or ledger is refused`() throws {
        let rig = Rig()
        try rig.open()
        let other = InProcessLedger(testParameters(supply: 5), genesis: [])
        var parameters = rig.parameters
        parameters.chainID += 1
        #expect(throws: ChannelError.otherLedger) {
            _ = try ChannelControl(
                identity: ChannelIdentity(key: rig.node.chain, parameters: parameters),
                policy: ChannelPolicy(),
                stored: try rig.store.load(),
                view: try LedgerView(of: other),
                accountNonce: 0,
                slotCount: 4,
                now: rig.now
            )
        }
    }

    @Test func `reservations are rebuilt from the claims that are open`() throws {
        let rig = Rig()
        try rig.open()
        rig.policy.redeemValue = 1 << 60
        try rig.start()
        let tickets = (0..<10).map { rig.ticket(UInt64($0), WinProbability(0.5)!) }
        // One index is missing, so those above it wait.
        for ticket in tickets where ticket.ticket.index != 6 {
            try rig.turn([rig.locked(ticket), rig.unlocked(ticket)])
        }
        for _ in 0..<50 { try rig.turn() }
        let open = try rig.claims().filter { !$0.state.isFinal }
        #expect(open.count { $0.state == .unlocked } == 3)
        #expect(rig.reserved == UInt128(open.count) * 100)
        try rig.start()
        #expect(rig.reserved == UInt128(open.count) * 100)
        let slot = try #require(rig.incoming?.slot)
        #expect(rig.books.floor(slot) == 6)
        #expect(rig.books.judge(slot, 6) == .none)
        #expect(rig.books.judge(slot, 7) == .indexReplay)
        // A second ticket with a stored index changes nothing but counters.
        let double = rig.ticket(7, amount: 55)
        try rig.turn([rig.locked(double), rig.unlocked(double)])
        #expect(try rig.claims().first { $0.key.index == 7 }?.amount == 100)
        #expect(rig.totals.void == [.indexReplay: 1])
        #expect(rig.reserved == UInt128(open.count) * 100)
    }
}
