// swift-format-ignore-file: NeverForceUnwrap
import Bytes
import Chain
import Crypto
import LedgerSupport
import Store
import TestSupport
import Testing
import Tickets

@testable import Channels

@Suite struct DrawTests {
    /// Winners of tickets drawn strictly in index order, computed from the rule alone.
    private func oracle(_ rig: Rig, _ tickets: [TestTicket]) -> [UInt64] {
        let channel = rig.channel
        let chain = openings(
            rig.node.chain,
            rig.parameters,
            channel.id,
            channelEpoch: channel.channelEpoch,
            ticketEpoch: channel.ticketEpoch
        )
        let domain = TicketDomain.separator(
            rig.parameters.domain,
            ticketEpoch: channel.ticketEpoch
        )
        var position = 100_000
        var winners: [UInt64] = []
        for ticket in tickets.sorted(by: { $0.ticket.index < $1.ticket.index }) {
            let hash = TicketChecks.hash(
                ticket.ticket,
                channelID: channel.id,
                domain: domain,
                selector: rig.parameters.selector
            )
            let opening = chain.value(at: position - 1)
            let text =
                hash.array + opening.array + ticket.response.array
                + ticket.ticket.signature.array
            let luck = Hash.keccak256(text).array.prefix(7).reduce(UInt64(0)) {
                $0 << 8 | UInt64($1)
            }
            guard luck <= ticket.ticket.winProbability.rawValue else { continue }
            winners.append(ticket.ticket.index)
            position -= 1
        }
        return winners
    }

    @Test(arguments: [1.0, 0.5, 0.1])
    func `luck under reordering and loss equals the oracle`(probability: Double) throws {
        var random = SeededGenerator("draw \(probability)")
        let rig = Rig()
        try rig.open()
        let tickets = (0..<200).map {
            rig.ticket(UInt64($0), WinProbability(probability)!)
        }
        // Acknowledgements: some never come, the others within a second, in any order.
        var schedule: [(at: UInt64, place: Int, comes: Bool)] = []
        for place in tickets.indices {
            let sent = rig.nanos + UInt64(place) * 1_000_000
            let comes = random.next() % 10 != 0
            let delay = comes ? random.next() % 1_000_000_000 : 10_000_000_000
            schedule.append((sent + delay, place, comes))
        }
        // Of the packets, too, some are lost: their indices are never seen.
        let seen = Set(tickets.indices.filter { _ in random.next() % 10 != 0 })
        schedule = schedule.filter { seen.contains($0.place) }.sorted { $0.at < $1.at }
        try rig.turn(seen.sorted().map { rig.locked(tickets[$0]) })
        for event in schedule {
            rig.nanos = max(rig.nanos, event.at)
            let ticket = tickets[event.place]
            try rig.turn([event.comes ? rig.unlocked(ticket) : rig.released(ticket)])
            if random.next() % 20 == 0 { try rig.network() }
        }
        rig.nanos += 12_000_000_000
        try rig.settle()
        let came = schedule.filter(\.comes).map { tickets[$0.place] }
        let winners = oracle(rig, came)
        let claims = try rig.claims()
        #expect(claims.count == came.count)
        #expect(claims.filter { $0.state == .settled }.map(\.key.index) == winners)
        #expect(claims.allSatisfy { $0.state == .settled || $0.state == .lost })
        #expect(rig.totals.redeemed == UInt64(winners.count))
        #expect(rig.totals.redeemedValue == UInt128(winners.count) * 100)
        #expect(
            rig.totals.void
                == (schedule.count > came.count
                    ? [.noAck: UInt64(schedule.count - came.count)] : [:])
        )
        #expect(rig.reserved == 0)
        #expect(
            rig.ledger.ledger.accounts[rig.node.address]?.balance
                == 1_000 + UInt128(winners.count) * 100
        )
    }

    @Test func `a ticket below the floor is void, counted and gives its reservation back`() throws {
        let rig = Rig()
        try rig.open()
        let (early, late) = (rig.ticket(5), rig.ticket(2))
        try rig.turn([rig.locked(early), rig.locked(late)])
        try rig.turn([rig.unlocked(early)])
        rig.nanos += 12_000_000_000
        try rig.settle()
        #expect(try rig.state(5) == .settled)
        try rig.turn([rig.unlocked(late)])
        let claim = try #require(try rig.claims().first { $0.key.index == 2 })
        #expect(claim.state == .void)
        #expect(claim.reason == .lateIndex)
        #expect(rig.totals.void == [.lateIndex: 1])
        #expect(rig.reserved == 0)
        let slot = try #require(rig.incoming?.slot)
        #expect(rig.books.floor(slot) == 6)
    }

    @Test func `the floor is on disk before a claim leaves unlocked`() throws {
        let rig = Rig()
        try rig.open()
        let tickets = (0..<10).map { rig.ticket(UInt64($0), WinProbability(0.3)!) }
        for ticket in tickets {
            try rig.turn([rig.locked(ticket), rig.unlocked(ticket)])
            let floor = try #require(try rig.store.load().incoming.first?.floor)
            for claim in try rig.claims() where claim.state != .unlocked {
                #expect(claim.key.index < floor)
            }
        }
    }

    @Test func `a bad signature never uses up an opening`() throws {
        let rig = Rig()
        try rig.open()
        var bad = rig.ticket(0)
        bad.ticket.amount = 200
        let good = rig.ticket(1)
        try rig.turn([rig.locked(bad), rig.unlocked(bad), rig.locked(good), rig.unlocked(good)])
        try rig.settle()
        #expect(try rig.claims().map(\.state) == [.void, .settled])
        #expect(rig.incoming?.state.chainPosition == 99_999)
    }

    @Test func `grinding the response gains nothing`() throws {
        // The issuer's signature is inside the draw: for one ticket there is one response, and a
        // new challenge means a new signature that its writer alone can make.
        let rig = Rig()
        try rig.open()
        let ticket = rig.ticket(0, WinProbability(0.5)!)
        var ground = ticket
        ground.response = rig.ticket(1).response
        try rig.turn([rig.locked(ground), rig.unlocked(ground)])
        try rig.settle()
        let claim = try #require(try rig.claims().first)
        #expect(claim.state == .lost || (claim.state == .void && claim.reason == .ackResponse))
    }

    @Test func `vrf tickets are drawn and redeemed in index order`() throws {
        let rig = Rig(rule: .vrf)
        try rig.open()
        let tickets = (0..<30).map { rig.ticket(UInt64($0), WinProbability(0.5)!) }
        try rig.turn(tickets.map { rig.locked($0) })
        for ticket in tickets.reversed() { try rig.turn([rig.unlocked(ticket)]) }
        try rig.settle()
        let claims = try rig.claims()
        #expect(claims.count == 30)
        #expect(claims.allSatisfy { $0.state == .settled || $0.state == .lost })
        let domain = rig.parameters.domain
        for (ticket, claim) in zip(tickets, claims) {
            let hash = TicketChecks.hash(
                ticket.ticket,
                channelID: rig.channel.id,
                domain: domain,
                selector: rig.parameters.selector
            )
            let luck = Luck.vrf(
                hash: hash,
                value: VRF.value(key: rig.node.chain, hash: hash, domain: domain),
                response: ticket.response,
                signature: ticket.ticket.signature
            )
            #expect((claim.state == .settled) == ticket.ticket.winProbability.wins(luck))
        }
        #expect(rig.reserved == 0)
    }
}
