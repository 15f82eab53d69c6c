internal import Bytes
internal import Chain
internal import Store
internal import Tickets

// Reports of the packet path, and the draw.
extension ChannelControl {
    /// The channel of a slot, if the slot is its present one.
    private mutating func channelID(_ slot: UInt32) -> Bytes32? {
        guard let id = slots.channel(slot), incoming[id]?.slot == slot else { return nil }
        awake.insert(id)
        return id
    }

    private var deadline: UInt64 { now.nanos + policy.ackTTLNanos + policy.slackNanos }

    mutating func lock(_ slot: UInt32, _ index: UInt64, _ atNanos: UInt64) {
        guard let id = channelID(slot) else { return }
        let deadline = max(atNanos, now.nanos) + policy.ackTTLNanos + policy.slackNanos
        let nanos = now.nanos
        incoming[id]?.pending.lock(index, now: nanos, deadline: deadline)
    }

    /// A ticket was void before it could be drawn; the packet path has given its reservation back.
    mutating func release(_ slot: UInt32, _ index: UInt64, _ reason: Drop) {
        guard let id = channelID(slot) else { return }
        let (nanos, deadline) = (now.nanos, deadline)
        incoming[id]?.pending.skip(index, now: nanos, deadline: deadline)
        count(id) {
            $0.received += 1
            $0.void[reason, default: 0] += 1
        }
    }

    /// A ticket can be drawn: from the commit of this turn on it is never forgotten.
    mutating func unlock(
        _ slot: UInt32,
        _ bytes: [UInt8],
        _ response: Bytes32,
        _ atNanos: UInt64
    ) {
        guard let id = slots.channel(slot), let ticket = Ticket(bytes),
            let record = FixedBytes<132>(bytes)
        else { return }
        let state = incoming[id]?.state
        var claim = Claim(
            key: ClaimKey(
                channelID: id,
                channelEpoch: ticket.channelEpoch,
                index: ticket.index
            ),
            scheme: identity.parameters.rule == .vrf ? .vrfTicket : .commitmentTicket,
            ticketEpoch: state?.ticketEpoch ?? 0,
            amount: ticket.amount,
            ticket: record,
            response: response,
            unlockedMillis: now.millis
        )
        count(id) { $0.received += 1 }
        guard let channel = incoming[id], channel.slot == slot,
            channel.state.channelEpoch == ticket.channelEpoch
        else { return void(claim, .channelEpoch, slot: slot) }
        guard channel.open[ticket.index] == nil else {
            // Another ticket with this index is stored, and stays.
            count(id) { $0.void[.indexReplay, default: 0] += 1 }
            return effects.append(.release(slot: slot, amount: claim.amount))
        }
        claim.state = .unlocked
        guard channel.pending.unlock(ticket.index, now: now.nanos, deadline: deadline) else {
            return void(claim, .lateIndex, slot: slot)
        }
        channel.open[ticket.index] = claim
        awake.insert(id)
        journal.claims[claim.key] = claim
    }

    // MARK: The draw

    /// Decides the tickets of a channel whose turn has come, in index order.
    mutating func draw(_ id: Bytes32, _ budget: inout Int) {
        guard let channel = incoming[id], channel.stopped == .none else { return }
        let before = channel.pending.floor
        let force = isClosingSoon(id)
        while budget > 0, let index = channel.pending.ready(now: now.nanos, force: force) {
            guard let claim = channel.open[index] else {
                // It became void while it waited.
                channel.pending.decided()
                continue
            }
            guard isReadyToDraw(channel) else { break }
            if desk.luck(index) == nil { drawAhead(channel, budget, force: force) }
            channel.pending.decided()
            let winners = channel.won.count
            decide(claim, channel)
            budget -= channel.won.count > winners ? Self.winnerCost : drawCost
        }
        desk.forget()
        if channel.pending.floor > before {
            channel.state.floor = channel.pending.floor
            journal.incoming[id] = channel.state
            effects.append(.raiseFloor(slot: channel.slot, channel.state.floor))
            if before >> 12 != channel.state.floor >> 12 { prune(channel.state) }
        }
    }

    private var drawCost: Int {
        switch identity.parameters.rule {
        case .commitment: 1
        case .vrf: Self.vrfCost
        }
    }

    /// Draws the tickets whose turn is next, as many as this turn may decide.
    private func drawAhead(_ channel: Incoming, _ budget: Int, force: Bool) {
        let rule = identity.parameters.rule
        let most = min(desk.most(rule), max(1, budget / drawCost))
        let indices = channel.pending.upcoming(most, now: now.nanos, force: force)
        let entries = indices.compactMap { index -> LuckDesk.Entry? in
            guard let claim = channel.open[index], let ticket = Ticket(claim.ticket.array) else {
                return nil
            }
            return LuckDesk.Entry(
                index: index,
                hash: hash(ticket, claim, channel),
                response: claim.response,
                signature: ticket.signature
            )
        }
        switch rule {
        case .commitment:
            guard let opening = channel.opening else { return }
            desk.draw(entries, opening: opening)
        case .vrf: desk.draw(entries, key: identity.key, domain: channel.domain)
        }
    }

    private func hash(_ ticket: Ticket, _ claim: Claim, _ channel: Incoming) -> Bytes32 {
        TicketChecks.hash(
            ticket,
            channelID: claim.key.channelID,
            domain: channel.domain,
            selector: identity.parameters.selector
        )
    }

    /// True if an opening is at hand; starts building the chain if it is not.
    private mutating func isReadyToDraw(_ channel: Incoming) -> Bool {
        guard identity.parameters.rule == .commitment else { return true }
        guard let chain = channel.chain else {
            channel.chain = newChain(channel.state, ticketEpoch: channel.state.ticketEpoch)
            return false
        }
        guard chain.isBuilt, channel.toLocate == nil else { return false }
        guard channel.state.nextPosition > 0 else {
            stop(channel, .commitmentExhausted)
            return false
        }
        return true
    }

    /// Draws one ticket. The claim, the floor and the position go to disk together.
    private mutating func decide(_ claim: Claim, _ channel: Incoming) {
        guard let ticket = Ticket(claim.ticket.array) else {
            return drop(claim, .amountRange, channel)
        }
        let hash = hash(ticket, claim, channel)
        let isStale = claim.key.index < channel.staleBelow
        if isStale, !TicketChecks.isSigned(ticket, hash: hash, by: channel.state.source) {
            return drop(claim, .ticketEpoch, channel)
        }
        guard wins(ticket, hash, claim.response, channel) else {
            return lose(claim, channel)
        }
        // A winner uses up an opening: it must be one that the ledger will pay.
        guard TicketChecks.isSigned(ticket, hash: hash, by: channel.state.source) else {
            return drop(claim, .ticketSignature, channel)
        }
        guard TicketChecks.opens(claim.response, challenge: ticket.challenge) else {
            return drop(claim, .ackResponse, channel)
        }
        win(claim, channel)
    }

    private func wins(
        _ ticket: Ticket,
        _ hash: Bytes32,
        _ response: Bytes32,
        _ channel: Incoming
    ) -> Bool {
        if let luck = desk.luck(ticket.index) { return ticket.winProbability.wins(luck) }
        let luck: UInt64
        switch identity.parameters.rule {
        case .commitment:
            guard let opening = channel.opening else { return false }
            luck = Luck.commitment(
                hash: hash,
                opening: opening,
                response: response,
                signature: ticket.signature
            )
        case .vrf:
            let value = VRF.value(key: identity.key, hash: hash, domain: channel.domain)
            luck = Luck.vrf(
                hash: hash,
                value: value,
                response: response,
                signature: ticket.signature
            )
        }
        return ticket.winProbability.wins(luck)
    }

    private mutating func win(_ claim: Claim, _ channel: Incoming) {
        var claim = claim
        claim.state = .won
        if identity.parameters.rule == .commitment {
            channel.state.nextPosition -= 1
            desk.forgetOpening()
            claim.position = channel.state.nextPosition
        }
        channel.open[claim.key.index] = claim
        channel.won.append(claim.key.index)
        journal.claims[claim.key] = claim
        count(claim.key.channelID) {
            $0.won += 1
            $0.wonValue += claim.amount
        }
    }

    private mutating func lose(_ claim: Claim, _ channel: Incoming) {
        var claim = claim
        claim.state = .lost
        claim.position = nil
        channel.open[claim.key.index] = nil
        journal.claims[claim.key] = claim
        effects.append(.release(slot: channel.slot, amount: claim.amount))
        count(claim.key.channelID) { $0.lost += 1 }
    }

    /// The claim leaves the channel as void.
    private mutating func drop(_ claim: Claim, _ reason: Drop, _ channel: Incoming) {
        channel.open[claim.key.index] = nil
        void(claim, reason, slot: channel.slot)
    }

    /// Winners whose openings changed are drawn again: one before them can never be paid.
    mutating func redraw(_ id: Bytes32) {
        guard let channel = incoming[id] else { return }
        desk.forget()
        let again = channel.won
        channel.won = []
        channel.state.nextPosition = channel.state.chainPosition
        for index in again {
            guard let claim = channel.open[index] else { continue }
            uncount(claim)
            decide(claim, channel)
        }
        journal.incoming[id] = channel.state
    }

    // MARK: Ends

    /// A claim becomes worthless, with a reason.
    mutating func void(_ claim: Claim, _ reason: Drop, slot: UInt32?) {
        uncount(claim)
        var claim = claim
        claim.state = .void
        claim.reason = reason
        journal.claims[claim.key] = claim
        count(claim.key.channelID) { $0.void[reason, default: 0] += 1 }
        if let slot { effects.append(.release(slot: slot, amount: claim.amount)) }
    }

    /// The settlement layer has paid.
    mutating func settle(_ claim: Claim, _ channel: Incoming) {
        var claim = claim
        channel.open[claim.key.index] = nil
        if claim.state == .won { channel.won.removeAll { $0 == claim.key.index } }
        claim.state = .settled
        if let position = claim.position, position < channel.state.chainPosition {
            channel.state.chainPosition = position
            journal.incoming[claim.key.channelID] = channel.state
        }
        journal.claims[claim.key] = claim
        effects.append(.release(slot: channel.slot, amount: claim.amount))
        count(claim.key.channelID) {
            $0.redeemed += 1
            $0.redeemedValue += claim.amount
        }
    }

    /// A winner is no winner any more.
    private mutating func uncount(_ claim: Claim) {
        guard claim.state == .won || claim.state == .submitted else { return }
        count(claim.key.channelID) {
            $0.won -= 1
            $0.wonValue -= claim.amount
        }
    }

    mutating func count(_ id: Bytes32, _ change: (inout Totals) -> Void) {
        change(&totals[id, default: Totals()])
        journal.counted.insert(id)
    }

    private mutating func prune(_ state: IncomingState) {
        guard state.floor > policy.historyIndices else { return }
        journal.prunes.append(
            ClaimKey(
                channelID: state.channelID,
                channelEpoch: state.channelEpoch,
                index: state.floor - policy.historyIndices
            )
        )
    }
}
