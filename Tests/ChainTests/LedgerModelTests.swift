import Bytes
import Chain
import Crypto
import Exchange
import LedgerSupport
import TestSupport
import Testing
import Tickets

/// Random requests, sensible and not: money is never made nor lost, and a refusal changes nothing.
@Suite struct LedgerModelTests {
    private let players = (1...4).map { Player(UInt8($0)) }

    private struct Model {
        var balances: [Address: UInt128] = [:]
        var channels: [Bytes32: UInt128] = [:]
    }

    @Test(arguments: [false, true])
    func `money is conserved under any sequence of requests`(underVRF: Bool) {
        var random = SeededGenerator("ledger model")
        let parameters = testParameters(rule: underVRF ? .vrf : .commitment, notice: 100)
        let ledger = InProcessLedger(
            parameters,
            genesis: players.prefix(3).map { ($0.address, 2_000) }
        )
        var accepted = 0
        for _ in 0..<600 {
            ledger.advance(millis: random.next() % 60)
            let player = players[Int(random.next() % 4)]
            let before = ledger.ledger
            let receipt = ledger.ask(player.sign(action(player, before, &random), before.domain))
            let after = ledger.ledger
            #expect(after.total == parameters.supply)
            if receipt.refusal == nil { accepted += 1 }
            if receipt.refusal != nil, receipt.redeemed == 0 {
                #expect(after.channels == before.channels)
                #expect(after.treasury == before.treasury)
                #expect(after.sequence == before.sequence)
                #expect(
                    after.accounts.mapValues(\.balance) == before.accounts.mapValues(\.balance)
                )
            }
            for channel in after.channels.values where channel.status == .closed {
                #expect(channel.balance == 0)
            }
        }
        #expect(accepted > 100)
        replay(ledger, parameters)
    }

    /// The event log alone gives all balances.
    private func replay(_ ledger: InProcessLedger, _ parameters: LedgerParameters) {
        var model = Model()
        for player in players.prefix(3) { model.balances[player.address] = 2_000 }
        for event in (try? allEvents(ledger)) ?? [] {
            switch event.kind {
            case .node: break
            case .transferred(let from, let to, let amount):
                model.balances[from, default: 0] -= amount
                model.balances[to, default: 0] += amount
            case .funded(let channel, let amount):
                model.balances[channel.source, default: 0] -= amount
                model.channels[channel.id, default: 0] += amount
            case .redeemed(let channel, _, let amount):
                model.channels[channel.id, default: 0] -= amount
                model.balances[channel.destination, default: 0] += amount
            case .closed(let channel, let refund):
                model.channels[channel.id, default: 0] -= refund
                model.balances[channel.source, default: 0] += refund
            case .committed, .noticed: break
            }
        }
        for account in ledger.ledger.accounts.values {
            #expect(account.balance == model.balances[account.address])
        }
        for channel in ledger.ledger.channels.values {
            #expect(channel.balance == model.channels[channel.id])
        }
    }

    private func allEvents(_ ledger: InProcessLedger) throws -> [LedgerEvent] {
        var all: [LedgerEvent] = []
        while true {
            let page = try ledger.events(since: UInt64(all.count))
            if page.isEmpty { return all }
            all += page
        }
    }

    private func action(
        _ player: Player,
        _ ledger: Ledger,
        _ random: inout SeededGenerator
    ) -> LedgerAction {
        let other = players[Int(random.next() % 4)]
        switch random.next() % 10 {
        case 0: return .transfer(to: other.address, amount: UInt128(random.next() % 500))
        case 1, 2:
            return .fund(destination: other.address, amount: UInt128(random.next() % 500))
        case 3, 4:
            // A short chain is enough: the ledger knows only the present commitment.
            let start = Hash.keccak256(Hash.keccak256(other.address.array).array)
            return .commit(source: other.address, commitment: start)
        case 5: return .notice(destination: other.address)
        case 6: return .close(destination: other.address)
        default: return redeem(player, other, ledger, &random)
        }
    }

    private func redeem(
        _ player: Player,
        _ issuer: Player,
        _ ledger: Ledger,
        _ random: inout SeededGenerator
    ) -> LedgerAction {
        let channel = ledger.channel(from: issuer.address, to: player.address)
        let ticket = TestTicket(
            issuer: issuer.chain,
            channel: channel,
            parameters: ledger.parameters,
            index: channel.ticketIndex + random.next() % 3,
            amount: UInt128(random.next() % 300),
            probability: random.next() % 4 == 0 ? .never : .always
        )
        guard ledger.parameters.rule == .vrf else {
            let opening = Hash.keccak256(issuer.address.array)
            return .redeem(
                source: issuer.address,
                tickets: [ticket.redemption(opening.array)]
            )
        }
        let hash = TicketChecks.hash(
            ticket.ticket,
            channelID: channel.id,
            domain: ledger.domain,
            selector: ledger.parameters.selector
        )
        let proof = VRF.prove(key: player.chain, hash: hash, domain: ledger.domain)
        return .redeem(source: issuer.address, tickets: [ticket.redemption(proof.bytes)])
    }
}
