internal import Bytes
internal import Crypto
internal import Sphinx
internal import Tickets

/// What a ticket must say.
struct TicketTerms {
    var counterparty: Address
    var amount: UInt128
    var index: UInt64
    var channelEpoch: UInt32
    var winProbability: WinProbability
    var challenge: Address

    /// Worth nothing: for a next hop that relays to nobody.
    static func zeroHop(to counterparty: Address, challenge: Address) -> TicketTerms {
        TicketTerms(
            counterparty: counterparty,
            amount: 0,
            index: 0,
            channelEpoch: 0,
            winProbability: .never,
            challenge: challenge
        )
    }
}

/// Hashes, signs and checks one ticket at a time.
struct TicketDesk {
    let domain: Bytes32
    private let memory: Memory
    private let lanes: TicketLanes
    private let ticket: Column<Ticket>
    private let channelID: Column<Bytes32>
    private let domains: Column<Bytes32>
    private let hashes: Column<Bytes32>

    init(domain: Bytes32, selector: UInt32) {
        self.domain = domain
        var measure = Arena()
        _ = TicketDesk.layout(&measure, selector)
        memory = Memory(measure.used)
        var arena = Arena(memory.region)
        (lanes, ticket, channelID, domains, hashes) = TicketDesk.layout(&arena, selector)
        domains[0] = domain
    }

    private static func layout(_ arena: inout Arena, _ selector: UInt32) -> (
        TicketLanes, Column<Ticket>, Column<Bytes32>, Column<Bytes32>, Column<Bytes32>
    ) {
        (
            TicketLanes(&arena, curve: .shared, selector: selector),
            arena.column(Ticket.self, 1), arena.column(Bytes32.self, 1),
            arena.column(Bytes32.self, 1), arena.column(Bytes32.self, 1)
        )
    }

    /// The hash that is signed.
    func hash(_ ticket: Ticket, issuer: Address) -> Bytes32 {
        self.ticket[0] = ticket
        channelID[0] = TicketDomain.channelID(source: issuer, destination: ticket.counterparty)
        lanes.hash(
            self.ticket,
            channelIDs: channelID,
            domains: domains,
            lanes: 1,
            into: hashes
        )
        return hashes[0]
    }

    /// A ticket signed by `key`; nil if the terms are out of range.
    func sign(_ terms: TicketTerms, key: ChainKey) -> Ticket? {
        guard terms.amount < Ticket.amountLimit, terms.index < Ticket.indexLimit,
            terms.channelEpoch < Ticket.channelEpochLimit
        else { return nil }
        var ticket = Ticket(
            counterparty: terms.counterparty,
            amount: terms.amount,
            index: terms.index,
            channelEpoch: terms.channelEpoch,
            winProbability: terms.winProbability,
            challenge: terms.challenge
        )
        ticket.signature = key.sign(hash: hash(ticket, issuer: key.address))
        return ticket
    }

    /// Compares a published ticket with its terms, signed by us in its issuer's name.
    ///
    /// - Returns: the ticket as published, if it parses.
    func check(_ field: Field, terms: TicketTerms?, issuer: ChainKey) -> Ticket? {
        guard let raw = field["raw"].bytes(Geometry.ticketBytes), let ticket = Ticket(raw) else {
            field["raw"].fail("no ticket")
            return nil
        }
        if let terms {
            field["raw"].equals(sign(terms, key: issuer)?.bytes)
        } else {
            field["raw"].fail("its terms cannot be computed")
        }
        values(field, ticket)
        let signature = ticket.signature
        var plain = signature
        plain[32] &= 0x7f
        field["signature"].equals(signature)
        field["signature_rs"].equals(plain)
        field["signature_recovery_parity"].equals(Int(signature[32] >> 7))
        field["issuer"].equals(issuer.address)
        let channel = TicketDomain.channelID(
            source: issuer.address,
            destination: ticket.counterparty
        )
        field["channel_id"].equals(channel)
        field["signing_preimage"].equals(channel.array + raw[20..<68])
        let hash = hash(ticket, issuer: issuer.address)
        field["ticket_hash"].equals(hash)
        let signer = Secp256k1.signer(hash: hash, signature: signature)
        field["signature"].expect(signer == issuer.address, "is not the issuer's")
        return ticket
    }

    private func values(_ field: Field, _ ticket: Ticket) {
        field["counterparty"].equals(ticket.counterparty)
        field["amount"].equals(amount: ticket.amount)
        field["index"].equals(ticket.index)
        field["channel_epoch"].equals(ticket.channelEpoch)
        field["win_prob"].equals(bigEndian(ticket.winProbability.rawValue, 7))
        field["challenge"].equals(ticket.challenge)
    }
}

/// Prices of a published case.
struct Economics {
    let price: UInt128
    let winProbability: WinProbability
    let channelEpoch: UInt32
    let index: UInt64

    init?(_ field: Field) {
        guard let price = field["price_per_hop"].amount(),
            let probability = field["win_prob_f64"].double(),
            let winProbability = WinProbability(probability),
            let epoch = field["channel_epoch"].unsigned(), epoch < Ticket.channelEpochLimit,
            let index = field["ticket_index"].unsigned()
        else { return nil }
        self.price = price
        self.winProbability = winProbability
        channelEpoch = UInt32(epoch)
        self.index = index
        field["win_prob_encoded"].equals(bigEndian(winProbability.rawValue, 7))
    }

    /// Terms for a next node with so many relays behind it, itself included.
    func terms(to counterparty: Address, relays: Int, challenge: Address) -> TicketTerms? {
        guard relays > 0 else { return .zeroHop(to: counterparty, challenge: challenge) }
        guard
            let amount = Ticket.amount(
                price: price,
                relays: relays,
                winProbability: winProbability
            )
        else { return nil }
        return TicketTerms(
            counterparty: counterparty,
            amount: amount,
            index: index,
            channelEpoch: channelEpoch,
            winProbability: winProbability,
            challenge: challenge
        )
    }
}
