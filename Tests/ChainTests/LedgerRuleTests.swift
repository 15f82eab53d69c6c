import Bytes
import Chain
import Crypto
import Exchange
import LedgerSupport
import Testing
import Tickets

@Suite struct LedgerRuleTests {
    let source = Player(1)
    let destination = Player(2)
    let stranger = Player(3)
    let ledger: InProcessLedger
    let parameters: LedgerParameters
    let chain: CommitmentChain

    init() {
        self.init(rule: .commitment)
    }

    init(rule: LuckRule) {
        parameters = testParameters(rule: rule)
        ledger = InProcessLedger(
            parameters,
            genesis: [(source.address, 10_000), (destination.address, 500)]
        )
        let id = TicketDomain.channelID(source: source.address, destination: destination.address)
        chain = openings(
            destination.chain,
            parameters,
            id,
            channelEpoch: 1,
            ticketEpoch: 1
        )
    }

    func ask(_ player: Player, _ action: LedgerAction) -> Refusal? {
        ledger.ask(player.sign(action, parameters.domain)).refusal
    }

    var channel: Channel {
        ledger.ledger.channel(from: source.address, to: destination.address)
    }

    func balance(_ player: Player) -> UInt128 {
        ledger.ledger.accounts[player.address]?.balance ?? 0
    }

    func open(_ amount: UInt128 = 1_000) {
        #expect(ask(source, .fund(destination: destination.address, amount: amount)) == nil)
        if parameters.rule == .commitment {
            #expect(
                ask(
                    destination,
                    .commit(source: source.address, commitment: chain.commitment)
                ) == nil
            )
        }
        #expect(channel.status == .open)
    }

    func ticket(
        _ index: UInt64,
        amount: UInt128 = 10,
        probability: WinProbability = .always
    ) -> TestTicket {
        TestTicket(
            issuer: source.chain,
            channel: channel,
            parameters: parameters,
            index: index,
            amount: amount,
            probability: probability
        )
    }

    func redeem(_ tickets: [Redemption]) -> Receipt {
        ledger.ask(
            destination.sign(
                .redeem(source: source.address, tickets: tickets),
                parameters.domain
            )
        )
    }

    func opening(_ number: Int) -> [UInt8] { chain.value(at: 99_999 - number).array }

    // MARK: Channels

    @Test func `a channel goes from closed to open, closing and closed`() {
        open()
        #expect(channel.channelEpoch == 1)
        #expect(channel.ticketEpoch == 1)
        #expect(balance(source) == 9_000)
        #expect(ask(source, .fund(destination: destination.address, amount: 5)) == nil)
        #expect(channel.balance == 1_005)
        #expect(channel.channelEpoch == 1)
        #expect(ask(source, .notice(destination: destination.address)) == nil)
        #expect(channel.status == .pendingToClose)
        #expect(ask(source, .close(destination: destination.address)) == .noticeRunning)
        ledger.advance(millis: 60_000)
        #expect(ask(source, .close(destination: destination.address)) == nil)
        #expect(channel.status == .closed)
        #expect(channel.commitment.isZero)
        #expect(balance(source) == 10_000)
        #expect(ask(source, .fund(destination: destination.address, amount: 7)) == nil)
        #expect(channel.status == .waitingForCommitment)
        #expect(channel.channelEpoch == 2)
        #expect(channel.ticketEpoch == 0)
        #expect(channel.ticketIndex == 0)
    }

    @Test func `funding is refused without money, sense or an open channel`() {
        #expect(ask(source, .fund(destination: destination.address, amount: 0)) == .amountZero)
        #expect(
            ask(source, .fund(destination: destination.address, amount: 10_001)) == .balance
        )
        #expect(ask(source, .fund(destination: source.address, amount: 1)) == .channelSelf)
        #expect(
            ask(stranger, .fund(destination: source.address, amount: 1)) == .accountUnknown
        )
        open()
        #expect(ask(source, .notice(destination: destination.address)) == nil)
        #expect(
            ask(source, .fund(destination: destination.address, amount: 1)) == .channelClosing
        )
        #expect(channel.balance == 1_000)
    }

    @Test func `notice and closing are for the source, in order`() {
        #expect(
            ask(source, .notice(destination: destination.address)) == .channelUnknown
        )
        open()
        #expect(ask(destination, .notice(destination: source.address)) == .channelUnknown)
        #expect(ask(source, .close(destination: destination.address)) == .noNotice)
        #expect(ask(source, .notice(destination: destination.address)) == nil)
        #expect(ask(source, .notice(destination: destination.address)) == .channelClosing)
        ledger.advance(millis: 60_000)
        #expect(ask(source, .close(destination: destination.address)) == nil)
        #expect(ask(source, .close(destination: destination.address)) == .channelClosed)
        #expect(ask(source, .notice(destination: destination.address)) == .channelClosed)
    }

    @Test func `only the destination commits, and not to zero`() {
        let commitment = chain.commitment
        #expect(
            ask(destination, .commit(source: source.address, commitment: commitment))
                == .channelUnknown
        )
        #expect(ask(source, .fund(destination: destination.address, amount: 100)) == nil)
        #expect(
            ask(destination, .commit(source: source.address, commitment: Bytes32()))
                == .commitmentInvalid
        )
        #expect(
            ask(source, .commit(source: destination.address, commitment: commitment))
                == .channelUnknown
        )
        #expect(
            ask(destination, .commit(source: source.address, commitment: commitment)) == nil
        )
        #expect(
            ask(destination, .commit(source: source.address, commitment: commitment)) == nil
        )
        #expect(channel.ticketEpoch == 2)
        #expect(ask(source, .notice(destination: destination.address)) == nil)
        #expect(
            ask(destination, .commit(source: source.address, commitment: commitment))
                == .channelClosing
        )
    }

    @Test func `money moves between accounts that have it`() {
        #expect(ask(source, .transfer(to: stranger.address, amount: 100)) == nil)
        #expect(balance(stranger) == 100)
        #expect(ask(source, .transfer(to: stranger.address, amount: 0)) == .amountZero)
        #expect(ask(source, .transfer(to: stranger.address, amount: 9_901)) == .balance)
        #expect(ask(source, .transfer(to: source.address, amount: 9_900)) == nil)
        #expect(balance(source) == 9_900)
    }

    // MARK: Redemption

    @Test func `a winner is paid to the redeemer's account`() {
        open()
        let receipt = redeem([ticket(4).redemption(opening(0))])
        #expect(receipt.refusal == nil)
        #expect(receipt.redeemed == 1)
        #expect(balance(destination) == 510)
        #expect(channel.balance == 990)
        #expect(channel.ticketIndex == 5)
        #expect(channel.commitment.array == opening(0))
    }

    @Test func `each check of a ticket refuses with its code`() {
        open()
        func refusal(_ redemption: Redemption) -> Refusal? { redeem([redemption]).refusal }
        let good = ticket(4)
        #expect(refusal(good.redemption(opening(1))) == .opening)
        #expect(refusal(good.redemption([])) == .opening)
        var other = good
        other.response[31] ^= 1
        #expect(refusal(other.redemption(opening(0))) == .ticketResponse)
        other.response = Bytes32()
        #expect(refusal(other.redemption(opening(0))) == .ticketResponse)
        other = good
        other.ticket.amount += 1
        #expect(refusal(other.redemption(opening(0))) == .ticketSignature)
        other = good
        other.ticket.index += 1
        #expect(refusal(other.redemption(opening(0))) == .ticketSignature)
        other = good
        other.ticket.counterparty = stranger.address
        #expect(refusal(other.redemption(opening(0))) == .ticketRecipient)
        other = good
        other.ticket.channelEpoch = 2
        #expect(refusal(other.redemption(opening(0))) == .channelEpoch)
        #expect(refusal(ticket(4, amount: 1_001).redemption(opening(0))) == .channelFunds)
        #expect(refusal(ticket(4, amount: 0).redemption(opening(0))) == .amountZero)
        #expect(
            refusal(ticket(4, probability: .never).redemption(opening(0))) == .ticketLoses
        )
        var bytes = good.ticket.bytes
        for place in 20..<32 { bytes[place] = 0xff }
        #expect(
            refusal(Redemption(ticket: bytes, response: good.response, proof: opening(0)))
                == .ticketFormat
        )
        #expect(channel.ticketIndex == 0)
        #expect(refusal(good.redemption(opening(0))) == nil)
        #expect(refusal(good.redemption(opening(1))) == .ticketIndex)
        #expect(refusal(ticket(3).redemption(opening(1))) == .ticketIndex)
        #expect(balance(destination) == 510)
    }

    @Test func `a signature in its higher form is refused`() {
        open()
        var other = ticket(4)
        // Just above half the group order; the top bit is the parity.
        let half = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0"
        var s = Hex.decode(half) ?? []
        for place in 0..<32 { other.ticket.signature[32 + place] = s[place] }
        #expect(redeem([other.redemption(opening(0))]).refusal == .ticketSignature)
        s[31] += 1
        for parity in [UInt8(0), 0x80] {
            for place in 0..<32 { other.ticket.signature[32 + place] = s[place] }
            other.ticket.signature[32] |= parity
            #expect(redeem([other.redemption(opening(0))]).refusal == .ticketHighS)
        }
    }

    @Test func `a channel that is not open pays nothing, a closing one does`() {
        #expect(
            redeem([ticket(0).redemption(opening(0))]).refusal == .channelUnknown
        )
        #expect(ask(source, .fund(destination: destination.address, amount: 100)) == nil)
        #expect(
            redeem([ticket(0).redemption(opening(0))]).refusal == .commitmentMissing
        )
        #expect(
            ask(destination, .commit(source: source.address, commitment: chain.commitment))
                == nil
        )
        let early = ticket(0)
        let late = ticket(1)
        #expect(ask(source, .notice(destination: destination.address)) == nil)
        #expect(redeem([early.redemption(opening(0))]).refusal == nil)
        ledger.advance(millis: 60_000)
        #expect(ask(source, .close(destination: destination.address)) == nil)
        #expect(redeem([late.redemption(opening(1))]).refusal == .channelClosed)
    }

    @Test func `a commitment made anew voids older tickets`() {
        open()
        let old = ticket(0)
        let next = openings(
            destination.chain,
            parameters,
            channel.id,
            channelEpoch: 1,
            ticketEpoch: 2
        )
        #expect(
            ask(destination, .commit(source: source.address, commitment: next.commitment))
                == nil
        )
        #expect(
            redeem([old.redemption(next.value(at: 99_999).array)]).refusal == .ticketSignature
        )
        #expect(
            redeem([ticket(0).redemption(next.value(at: 99_999).array)]).refusal == nil
        )
    }

    @Test func `a batch is paid up to the first bad ticket`() {
        open()
        let tickets = (0..<6).map { ticket(UInt64($0)) }
        var batch = tickets.enumerated().map { $1.redemption(opening($0)) }
        batch[3].response[0] ^= 1
        let receipt = redeem(batch)
        #expect(receipt.redeemed == 3)
        #expect(receipt.refusal == .ticketResponse)
        #expect(balance(destination) == 530)
        #expect(channel.ticketIndex == 3)
        #expect(redeem([]).refusal == .malformed)
        let many = Array(repeating: batch[4], count: 65)
        #expect(redeem(many).refusal == .tooMany)
    }

    @Test func `vrf channels need no commitment and check the proof`() throws {
        let test = LedgerRuleTests(rule: .vrf)
        test.open()
        let domain = test.parameters.domain
        let good = test.ticket(9)
        let hash = TicketChecks.hash(
            good.ticket,
            channelID: test.channel.id,
            domain: domain,
            selector: test.parameters.selector
        )
        let proof = VRF.prove(key: test.destination.chain, hash: hash, domain: domain)
        let foreign = VRF.prove(key: test.stranger.chain, hash: hash, domain: domain)
        #expect(test.redeem([good.redemption(foreign.bytes)]).refusal == .vrfProof)
        #expect(test.redeem([good.redemption([1, 2, 3])]).refusal == .vrfProof)
        #expect(
            test.ask(
                test.destination,
                .commit(source: test.source.address, commitment: hash)
            )
                == .commitmentInvalid
        )
        #expect(test.redeem([good.redemption(proof.bytes)]).refusal == nil)
        #expect(test.channel.ticketIndex == 10)
        #expect(test.redeem([good.redemption(proof.bytes)]).refusal == .ticketIndex)
        #expect(test.balance(test.destination) == 510)
    }
}
