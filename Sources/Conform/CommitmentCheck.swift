internal import Bytes
internal import Crypto
internal import JSON
internal import Sphinx
internal import Tickets

/// One published channel under the commitment rule: its chain of openings, and tickets drawn in the
/// order of their indices.
struct CommitmentCheck {
    private let field: Field

    init(_ field: Field) { self.field = field }

    /// The channel, once its constants are checked.
    private struct Channel {
        let issuer: ChainKey
        let redeemer: ChainKey
        let epoch: UInt32
        let probability: WinProbability
        let desk: TicketDesk
        let chain: CommitmentChain
    }

    func check() {
        guard let channel = channel() else { return }
        guard let values = field["chain"].value?.members else {
            return field["chain"].fail("no object")
        }
        for member in values {
            let place = field["chain"][member.name]
            guard let position = Int(member.name),
                0...CommitmentChain.iterations ~= position
            else {
                place.fail("no position")
                continue
            }
            place.equals(channel.chain.value(at: position))
        }
        draw(channel)
    }

    private func channel() -> Channel? {
        guard let chainID = field["chain_id"].unsigned(),
            let contract = field["contract"].address(),
            let selector = field["selector"].bytes(4),
            let issuer = Curves.chainKey(field["issuer_chain_key"]),
            let redeemer = Curves.chainKey(field["redeemer_chain_key"]),
            let epoch = field["channel_epoch"].unsigned(), epoch < Ticket.channelEpochLimit,
            let wideTicketEpoch = field["ticket_epoch"].unsigned(),
            let ticketEpoch = UInt32(exactly: wideTicketEpoch),
            let probability = field["win_prob"].bytes(7)
        else {
            field.fail("constants of the channel are out of range")
            return nil
        }
        field["issuer"].equals(issuer.address)
        field["redeemer"].equals(redeemer.address)
        let domain = TicketDomain.separator(chainID: chainID, contract: contract)
        field["domain_separator"].equals(domain)
        let channelID = TicketDomain.channelID(
            source: issuer.address,
            destination: redeemer.address
        )
        field["channel_id"].equals(channelID)
        let ticketDomain = TicketDomain.separator(domain, ticketEpoch: ticketEpoch)
        field["domain_separator_with_ticket_epoch"].equals(ticketDomain)
        let seed = CommitmentChain.seed(
            key: redeemer,
            chainID: chainID,
            contract: contract,
            channelID: channelID,
            channelEpoch: UInt32(epoch),
            ticketEpoch: ticketEpoch
        )
        field["commitment_seed"].equals(seed.bytes)
        field["iterations"].equals(CommitmentChain.iterations)
        return Channel(
            issuer: issuer,
            redeemer: redeemer,
            epoch: UInt32(epoch),
            probability: WinProbability(
                rawValue: probability.reduce(0) { $0 << 8 | UInt64($1) }
            ),
            desk: TicketDesk(
                domain: ticketDomain,
                selector: selector.reduce(0) { $0 << 8 | UInt32($1) }
            ),
            chain: CommitmentChain.build(seed: seed)
        )
    }

    private func draw(_ channel: Channel) {
        var position = CommitmentChain.iterations
        var nextIndex: UInt64 = 0
        var paid: UInt128 = 0
        var lowest: UInt64 = 0
        for item in field["tickets_in_index_order"].items {
            guard let ticket = ticket(item, channel),
                let opening = channel.chain.opening(nextPosition: position),
                let response = item["response"].bytes32()
            else { continue }
            item["index"].expect(ticket.index >= lowest, "is not in order")
            lowest = ticket.index + 1
            item["opening_position"].equals(position - 1)
            item["opening"].equals(opening)
            let luck = Luck.commitment(
                hash: channel.desk.hash(ticket, issuer: channel.issuer.address),
                opening: opening,
                response: response,
                signature: ticket.signature
            )
            item["luck"].equals(bigEndian(luck, 7))
            let wins = ticket.winProbability.wins(luck)
            item["wins"].equals(wins)
            guard wins else { continue }
            position -= 1
            nextIndex = ticket.index + 1
            paid += ticket.amount
        }
        let after = field["after_redeeming_all_winners"]
        after["ticket_index"].equals(nextIndex)
        after["commitment"].equals(channel.chain.value(at: position))
        after["paid"].equals(amount: paid)
    }

    private func ticket(_ item: Field, _ channel: Channel) -> Ticket? {
        guard let own = item["own_half_key"].bytes32(), let ack = item["ack_half_key"].bytes32(),
            let index = item["index"].unsigned(),
            let raw = item["ticket"].bytes(Geometry.ticketBytes)
        else { return nil }
        guard let published = Ticket(raw), let response = Curves.add(own, ack),
            let challenge = Curves.generate(response)?.address
        else {
            item["ticket"].fail("no ticket")
            return nil
        }
        item["response"].equals(response)
        let terms = TicketTerms(
            counterparty: channel.redeemer.address,
            amount: published.amount,
            index: index,
            channelEpoch: channel.epoch,
            winProbability: channel.probability,
            challenge: challenge
        )
        item["ticket"].equals(channel.desk.sign(terms, key: channel.issuer)?.bytes)
        let hash = channel.desk.hash(published, issuer: channel.issuer.address)
        item["ticket_hash"].equals(hash)
        let signer = Secp256k1.signer(hash: hash, signature: published.signature)
        item["ticket"].expect(signer == channel.issuer.address, "is not the issuer's")
        return published
    }
}
