internal import Bytes
internal import Chain
internal import Exchange
internal import Store
internal import Tickets

// What the settlement layer says about our channels.
extension ChannelControl {
    mutating func follow(_ event: LedgerEvent) {
        view.apply(event)
        guard let channel = event.channel else {
            if case .node = event.kind { effects.append(.publish) }
            return
        }
        guard channel.source == address || channel.destination == address else { return }
        if case .redeemed(_, let index, _) = event.kind, channel.destination == address {
            paid(
                ClaimKey(
                    channelID: channel.id,
                    channelEpoch: channel.channelEpoch,
                    index: index
                )
            )
        }
        effects.append(.publish)
        apply(channel)
    }

    /// Brings a channel of ours up to date.
    mutating func apply(_ channel: Channel) {
        if channel.destination == address {
            awake.insert(channel.id)
            applyIncoming(channel)
        }
        if channel.source == address { applyOutgoing(channel) }
    }

    private mutating func paid(_ key: ClaimKey) {
        if orphans[key] != nil { return finishOrphan(key, isPaid: true) }
        guard let channel = incoming[key.channelID], let claim = channel.open[key.index],
            claim.key == key
        else { return }
        settle(claim, channel)
    }

    private mutating func applyIncoming(_ channel: Channel) {
        if let known = incoming[channel.id] {
            guard channel.channelEpoch >= known.state.channelEpoch else { return }
            if channel.channelEpoch > known.state.channelEpoch {
                voidAll(channel.id, .channelEpoch)
                begin(channel)
            }
        } else if channel.status != .closed {
            begin(channel)
        }
        switch channel.status {
        case .closed: voidAll(channel.id, .channelClosed)
        case .waitingForCommitment: prepareCommitment(channel)
        case .open, .pendingToClose:
            if let known = incoming[channel.id],
                channel.ticketEpoch > known.state.ticketEpoch
            {
                bump(channel)
            }
            raise(channel)
            locate(channel.id, channel.commitment)
        }
    }

    /// A new epoch of a channel that pays us.
    private mutating func begin(_ channel: Channel) {
        guard let slot = slots.take(channel.id) else {
            return effects.append(.alarm(channelID: channel.id, .slotsFull))
        }
        let state = IncomingState(
            channelID: channel.id,
            channelEpoch: channel.channelEpoch,
            source: channel.source,
            ticketEpoch: channel.ticketEpoch,
            floor: channel.ticketIndex,
            position: UInt32(CommitmentChain.iterations),
            commitment: Bytes32()
        )
        journal.incoming[channel.id] = state
        addIncoming(state, slot)
        effects.append(.publish)
    }

    /// A new commitment: what was not redeemed under the old one is worthless.
    private mutating func bump(_ channel: Channel) {
        voidAll(channel.id, .ticketEpoch)
        guard let known = incoming[channel.id] else { return }
        known.state.ticketEpoch = channel.ticketEpoch
        known.state.chainPosition = UInt32(CommitmentChain.iterations)
        known.state.nextPosition = UInt32(CommitmentChain.iterations)
        known.state.commitment = Bytes32()
        known.domain = domain(ticketEpoch: channel.ticketEpoch)
        known.chain =
            known.nextChain?.ticketEpoch == channel.ticketEpoch ? known.nextChain?.chain : nil
        known.nextChain = nil
        known.toLocate = nil
        known.staleBelow = known.pending.top
        resume(known)
        journal.incoming[channel.id] = known.state
    }

    /// Indices below the ledger's can never be paid any more.
    private mutating func raise(_ channel: Channel) {
        guard let known = incoming[channel.id] else { return }
        let held = Set((inFlight?.submission.claims ?? []).map(\.index))
        // With every event; there may be many claims, and few of them are late.
        let late = known.open.keys.filter { $0 < channel.ticketIndex && !held.contains($0) }
        for index in late.sorted() {
            guard let claim = known.open.removeValue(forKey: index) else { continue }
            known.won.removeAll { $0 == index }
            void(claim, .lateIndex, slot: known.slot)
        }
        if known.pending.count == 0, known.pending.floor < channel.ticketIndex {
            known.pending = PendingQueue(floor: channel.ticketIndex)
            known.state.floor = channel.ticketIndex
            journal.incoming[channel.id] = known.state
            effects.append(.raiseFloor(slot: known.slot, known.state.floor))
        }
    }

    /// All claims of a channel become void, but for those whose redemption is on its way: the
    /// answer decides about them.
    private mutating func voidAll(_ id: Bytes32, _ reason: Drop) {
        guard let known = incoming[id], !known.open.isEmpty else { return }
        let held = Set(inFlight?.submission.claims ?? [])
        for (index, claim) in known.open.sorted(by: { $0.key < $1.key })
        where !held.contains(claim.key) {
            known.open[index] = nil
            void(claim, reason, slot: known.slot)
        }
        known.won = []
    }

    // MARK: Commitments

    /// Finds out where the ledger's commitment stands on our chain.
    mutating func locate(_ id: Bytes32, _ commitment: Bytes32) {
        guard identity.parameters.rule == .commitment, let known = incoming[id],
            commitment != known.state.commitment
        else { return }
        guard let chain = known.chain, chain.isBuilt else {
            known.toLocate = commitment
            if known.chain == nil {
                known.chain = newChain(known.state, ticketEpoch: known.state.ticketEpoch)
            }
            return
        }
        known.toLocate = nil
        guard let position = chain.locate(commitment) else {
            stop(known, .commitmentUnknown)
            return
        }
        let found = UInt32(position)
        known.state.chainPosition = found
        known.state.nextPosition = min(known.state.nextPosition, found)
        known.state.commitment = commitment
        if known.stopped == .commitmentUnknown { resume(known) }
        journal.incoming[id] = known.state
    }

    func newChain(_ state: IncomingState, ticketEpoch: UInt32) -> CommitmentChain {
        CommitmentChain(
            seed: CommitmentChain.seed(
                key: identity.key,
                chainID: identity.parameters.chainID,
                contract: identity.parameters.contract,
                channelID: state.channelID,
                channelEpoch: state.channelEpoch,
                ticketEpoch: ticketEpoch
            )
        )
    }

    mutating func prepareCommitment(_ channel: Channel) {
        guard policy.acceptChannels, let known = incoming[channel.id],
            known.nextChain?.ticketEpoch != channel.ticketEpoch + 1
        else { return }
        let epoch = channel.ticketEpoch + 1
        known.nextChain = (epoch, newChain(known.state, ticketEpoch: epoch))
    }

    /// Goes on with chains in building, a bounded number of hashes at a time.
    mutating func buildChains(_ ids: [Bytes32]) {
        for id in ids {
            guard let known = incoming[id] else { continue }
            for chain in [known.chain, known.nextChain?.chain] {
                guard let chain, !chain.isBuilt else { continue }
                if !chain.advance(by: Self.hashesMax) { return }
            }
            if let commitment = known.toLocate, known.chain?.isBuilt == true {
                locate(id, commitment)
            }
        }
    }

    mutating func stop(_ channel: Incoming, _ reason: Drop) {
        guard channel.stopped != reason else { return }
        channel.stopped = reason
        effects.append(.stop(slot: channel.slot, true))
        effects.append(.alarm(channelID: channel.state.channelID, reason))
    }

    private mutating func resume(_ channel: Incoming) {
        guard channel.stopped != .none else { return }
        channel.stopped = .none
        effects.append(.stop(slot: channel.slot, false))
    }

    /// True in the last moments before a channel may be closed: then nothing is waited for.
    func isClosingSoon(_ id: Bytes32) -> Bool {
        guard let channel = view.channels[id], channel.status == .pendingToClose else {
            return false
        }
        return now.millis + policy.closingMarginMillis >= channel.closesMillis
    }

    // MARK: Channels through which we pay

    private mutating func applyOutgoing(_ channel: Channel) {
        var known = outgoing[channel.id]
        if known == nil || known?.state.channelEpoch != channel.channelEpoch {
            guard channel.status != .closed,
                channel.channelEpoch > known?.state.channelEpoch ?? 0
            else { return }
            guard let slot = slots.take(channel.id) else {
                return effects.append(.alarm(channelID: channel.id, .slotsFull))
            }
            let state = OutgoingState(
                channelID: channel.id,
                channelEpoch: channel.channelEpoch,
                indexLimit: 0
            )
            known = Outgoing(state: state, slot: slot)
            effects.append(.clear(slot: slot))
        }
        guard var known, !known.isStarted else { return }
        let first = max(known.state.indexLimit, channel.ticketIndex)
        known.isStarted = true
        known.state.indexLimit = first + policy.indexBlock
        outgoing[channel.id] = known
        journal.outgoing[channel.id] = known.state
        effects.append(.setNextIndex(slot: known.slot, first))
        effects.append(.raiseIndexLimit(slot: known.slot, known.state.indexLimit))
    }

    /// Reserves the next block of indices when half of the present one is used.
    mutating func reserveIndices(_ slot: UInt32, _ next: UInt64) {
        guard let id = slots.channel(slot), var known = outgoing[id], known.slot == slot,
            next + policy.indexBlock / 2 > known.state.indexLimit
        else { return }
        known.state.indexLimit += policy.indexBlock
        outgoing[id] = known
        journal.outgoing[id] = known.state
        effects.append(.raiseIndexLimit(slot: slot, known.state.indexLimit))
    }
}
