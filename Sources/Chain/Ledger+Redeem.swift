internal import Bytes
internal import Crypto
internal import Exchange
internal import Tickets

// Paying tickets, with all the checks of the contract.
extension Ledger {
    /// Pays tickets in the order given and stops at the first that cannot be paid.
    ///
    /// The money goes to the redeemer's account, never into the channel the other way round.
    mutating func redeem(
        source: Address,
        destination: Address,
        _ tickets: [Redemption],
        _ receipt: inout Receipt
    ) throws(Refusal) {
        guard !tickets.isEmpty else { throw .malformed }
        guard tickets.count <= LedgerRequest.ticketsMax else { throw .tooMany }
        for redemption in tickets {
            do throws(Refusal) {
                try redeem(source: source, destination: destination, redemption)
                receipt.redeemed += 1
            } catch {
                guard receipt.redeemed > 0 else { throw error }
                receipt.refusal = error
                return
            }
        }
    }

    private mutating func redeem(
        source: Address,
        destination: Address,
        _ redemption: Redemption
    ) throws(Refusal) {
        var channel = try known(source, destination)
        switch channel.status {
        case .closed: throw .channelClosed
        case .waitingForCommitment: throw .commitmentMissing
        case .open, .pendingToClose: break
        }
        guard let ticket = Ticket(redemption.ticket.array) else { throw .ticketFormat }
        guard ticket.counterparty == destination else { throw .ticketRecipient }
        guard ticket.amount > 0 else { throw .amountZero }
        guard ticket.channelEpoch == channel.channelEpoch else { throw .channelEpoch }
        guard ticket.index >= channel.ticketIndex else { throw .ticketIndex }
        guard ticket.amount <= channel.balance else { throw .channelFunds }
        guard TicketChecks.isLowS(ticket.signature) else { throw .ticketHighS }
        try checkProofOfRelay(redemption, ticket)
        let hash = try checkSignature(ticket, channel)
        try draw(redemption, ticket, hash, &channel)
        channel.ticketIndex = ticket.index + 1
        channel.balance -= ticket.amount
        setChannel(channel)
        try credit(destination, ticket.amount)
        emit(.redeemed(channel, index: ticket.index, amount: ticket.amount))
    }

    private func checkProofOfRelay(
        _ redemption: Redemption,
        _ ticket: Ticket
    ) throws(Refusal) {
        guard TicketChecks.opens(redemption.response, challenge: ticket.challenge) else {
            throw .ticketResponse
        }
    }

    /// The ticket's hash, once its signature is known to be the source's.
    private func checkSignature(
        _ ticket: Ticket,
        _ channel: Channel
    ) throws(Refusal) -> Bytes32 {
        let domain = TicketDomain.separator(
            domain,
            rule: parameters.rule,
            ticketEpoch: channel.ticketEpoch
        )
        let hash = TicketChecks.hash(
            ticket,
            channelID: channel.id,
            domain: domain,
            selector: parameters.selector
        )
        guard Secp256k1.signer(hash: hash, signature: ticket.signature) == channel.source else {
            throw .ticketSignature
        }
        return hash
    }

    /// Checks the opening or the VRF proof and whether the ticket wins; moves the commitment on.
    private func draw(
        _ redemption: Redemption,
        _ ticket: Ticket,
        _ hash: Bytes32,
        _ channel: inout Channel
    ) throws(Refusal) {
        let luck: UInt64
        switch parameters.rule {
        case .commitment:
            guard let opening = Bytes32(redemption.proof),
                Hash.keccak256(redemption.proof) == channel.commitment
            else { throw .opening }
            luck = Luck.commitment(
                hash: hash,
                opening: opening,
                response: redemption.response,
                signature: ticket.signature
            )
            channel.commitment = opening
        case .vrf:
            guard let proof = VRFProof(redemption.proof),
                proof.verify(redeemer: channel.destination, hash: hash, domain: domain)
            else { throw .vrfProof }
            luck = Luck.vrf(
                hash: hash,
                value: proof.value,
                response: redemption.response,
                signature: ticket.signature
            )
        }
        guard ticket.winProbability.wins(luck) else { throw .ticketLoses }
    }
}
