internal import Bytes
internal import Exchange
internal import Tickets

// Opening, funding, committing, closing.
extension Ledger {
    mutating func transfer(
        from source: Address,
        to destination: Address,
        _ amount: UInt128
    ) throws(Refusal) {
        guard amount > 0 else { throw .amountZero }
        try debit(source, amount)
        try credit(destination, amount)
        emit(.transferred(from: source, to: destination, amount: amount))
    }

    /// CLOSED becomes WAITING_FOR_COMMITMENT (or OPEN under VRF) in a new epoch; an open channel
    /// gets more money; a closing one refuses.
    mutating func fund(
        from source: Address,
        to destination: Address,
        _ amount: UInt128
    ) throws(Refusal) {
        guard source != destination else { throw .channelSelf }
        guard amount > 0 else { throw .amountZero }
        var channel = channel(from: source, to: destination)
        switch channel.status {
        case .closed:
            guard channel.channelEpoch + 1 < Ticket.channelEpochLimit else {
                throw .epochExhausted
            }
            if channels[channel.id] == nil, channels.count >= Self.recordsMax { throw .ledgerFull }
            channel.channelEpoch += 1
            channel.ticketEpoch = 0
            channel.ticketIndex = 0
            channel.commitment = Bytes32()
            channel.status = parameters.rule == .vrf ? .open : .waitingForCommitment
        case .waitingForCommitment, .open: break
        case .pendingToClose: throw .channelClosing
        }
        try debit(source, amount)
        channel.balance += amount
        setChannel(channel)
        emit(.funded(channel, amount: amount))
    }

    /// The destination's promise of openings: every bump starts a new ticket epoch.
    mutating func commit(
        source: Address,
        destination: Address,
        _ commitment: Bytes32
    ) throws(Refusal) {
        _ = try account(destination)
        guard parameters.rule == .commitment, !commitment.isZero else { throw .commitmentInvalid }
        var channel = try known(source, destination)
        switch channel.status {
        case .closed: throw .channelClosed
        case .pendingToClose: throw .channelClosing
        case .waitingForCommitment, .open: break
        }
        guard channel.ticketEpoch < UInt32.max else { throw .epochExhausted }
        channel.ticketEpoch += 1
        channel.commitment = commitment
        channel.status = .open
        setChannel(channel)
        emit(.committed(channel))
    }

    mutating func notice(from source: Address, to destination: Address) throws(Refusal) {
        _ = try account(source)
        var channel = try known(source, destination)
        switch channel.status {
        case .closed: throw .channelClosed
        case .pendingToClose: throw .channelClosing
        case .waitingForCommitment, .open: break
        }
        channel.status = .pendingToClose
        channel.closesMillis = lastMillis + parameters.noticeMillis
        setChannel(channel)
        emit(.noticed(channel))
    }

    mutating func close(from source: Address, to destination: Address) throws(Refusal) {
        _ = try account(source)
        var channel = try known(source, destination)
        switch channel.status {
        case .closed: throw .channelClosed
        case .waitingForCommitment, .open: throw .noNotice
        case .pendingToClose: break
        }
        guard lastMillis >= channel.closesMillis else { throw .noticeRunning }
        let refund = channel.balance
        channel.balance = 0
        channel.status = .closed
        channel.closesMillis = 0
        channel.commitment = Bytes32()
        setChannel(channel)
        try credit(source, refund)
        emit(.closed(channel, refund: refund))
    }

    func known(_ source: Address, _ destination: Address) throws(Refusal) -> Channel {
        let id = TicketDomain.channelID(source: source, destination: destination)
        guard let channel = channels[id] else { throw .channelUnknown }
        return channel
    }
}
