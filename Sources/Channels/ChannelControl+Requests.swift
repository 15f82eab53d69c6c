internal import Bytes
internal import Chain
internal import Crypto
internal import Exchange
internal import Store
internal import Tickets

// One request at a time on its way to the settlement layer.
extension ChannelControl {
    /// Sends the next request if none is on its way: what operators ask for, then commitments, then
    /// redemptions.
    mutating func act(_ ids: [Bytes32]) {
        guard inFlight == nil, view.sequence >= actAfterSequence else { return }
        if !queue.isEmpty {
            let next = queue.removeFirst()
            _ = send(request(next.operation), operation: next.id)
            return
        }
        guard now.nanos >= retryAtNanos else { return }
        for id in ids where commit(id) { return }
        for id in ids where isUrgent(id) && redeem(id) { return }
        for id in ids where isWorthwhile(id) && redeem(id) { return }
        redeemAll = redeemAll && incoming.values.contains { !$0.won.isEmpty && $0.stopped == .none }
    }

    private func request(_ operation: Operation) -> LedgerAction {
        switch operation {
        case .announce(let key, let endpoint): announcement(key, endpoint)
        case .fund(let destination, let amount): .fund(destination: destination, amount: amount)
        case .notice(let destination): .notice(destination: destination)
        case .close(let destination): .close(destination: destination)
        case .renew(let source): renewal(source)
        case .transfer(let to, let amount): .transfer(to: to, amount: amount)
        }
    }

    private func announcement(_ key: PacketKey, _ endpoint: Endpoint) -> LedgerAction {
        .announcement(
            key: key,
            endpoint: endpoint,
            from: address,
            nonce: nonce + 1,
            domain: identity.domain
        )
    }

    /// A new commitment at an operator's wish; its chain is built at once, which takes a moment.
    private func renewal(_ source: Address) -> LedgerAction {
        let id = TicketDomain.channelID(source: source, destination: address)
        guard let known = incoming[id] else {
            return .commit(source: source, commitment: Bytes32())
        }
        let chain = newChain(known.state, ticketEpoch: known.state.ticketEpoch + 1)
        while !chain.advance(by: CommitmentChain.iterations) {}
        return .commit(source: source, commitment: chain.commitment)
    }

    private mutating func commit(_ id: Bytes32) -> Bool {
        guard let known = incoming[id], let channel = view.channels[id],
            channel.status == .waitingForCommitment, channel.destination == address,
            let next = known.nextChain, next.ticketEpoch == channel.ticketEpoch + 1,
            next.chain.isBuilt
        else { return false }
        _ = send(
            .commit(source: channel.source, commitment: next.chain.commitment),
            operation: nil
        )
        return true
    }

    /// Journals a request before it goes out: after a crash the same bytes are sent again. Returns
    /// false, and has changed nothing, if its signature does not verify.
    private mutating func send(
        _ action: LedgerAction,
        operation: UInt64?,
        claims: [ClaimKey] = []
    ) -> Bool {
        let request = LedgerRequest(from: address, nonce: nonce + 1, action: action)
        let signed: SignedRequest
        do throws(SigningFault) {
            signed = try sign(request)
        } catch {
            retryAtNanos = now.nanos + policy.retryNanos
            effects.append(.unsigned(id: operation, error))
            return false
        }
        nonce += 1
        var writer = RecordWriter()
        writer.integer(nonce)
        journal.values["nonce"] = writer.bytes
        let submission = Submission(
            nonce: nonce,
            request: signed.packed,
            claims: claims,
            sequence: view.sequence
        )
        journal.submissions.append(submission)
        inFlight = InFlight(submission: submission, operation: operation)
        effects.append(.submit(submission))
        return true
    }

    private func sign(_ request: LedgerRequest) throws(SigningFault) -> SignedRequest {
        try SignedRequest(
            request,
            signature: signer(identity.key, request.digest(domain: identity.domain)),
            key: identity.key,
            domain: identity.domain
        )
    }

    // MARK: Redemption

    private func isUrgent(_ id: Bytes32) -> Bool {
        view.channels[id]?.status == .pendingToClose
    }

    private func isWorthwhile(_ id: Bytes32) -> Bool {
        guard let known = incoming[id], !known.won.isEmpty else { return false }
        if redeemAll { return true }
        var value: UInt128 = 0
        for index in known.won { value += known.open[index]?.amount ?? 0 }
        return value >= policy.redeemValue
    }

    /// Signs a redemption of a channel's first winners; false if there is nothing to be done.
    private mutating func redeem(_ id: Bytes32) -> Bool {
        guard let known = incoming[id], !known.won.isEmpty, known.stopped == .none,
            known.toLocate == nil
        else { return false }
        if identity.parameters.rule == .commitment {
            guard let chain = known.chain, chain.isBuilt else {
                if known.chain == nil {
                    known.chain = newChain(known.state, ticketEpoch: known.state.ticketEpoch)
                }
                return false
            }
            if !isContiguous(known) {
                redraw(id)
                return redeem(id)
            }
        }
        // A VRF proof takes long to make, and the group commit waits for it.
        let most = identity.parameters.rule == .vrf ? 8 : LedgerRequest.ticketsMax
        let indices = Array(known.won.prefix(min(policy.redeemTickets, most)))
        var claims = indices.compactMap { known.open[$0] }
        let action = LedgerAction.redeem(
            source: known.state.source,
            tickets: claims.map { redemption($0, known) }
        )
        guard send(action, operation: nil, claims: claims.map(\.key)) else { return true }
        for place in claims.indices {
            claims[place].state = .submitted
            claims[place].nonce = nonce
            known.open[claims[place].key.index] = claims[place]
            journal.claims[claims[place].key] = claims[place]
        }
        known.won.removeFirst(indices.count)
        return true
    }

    /// True if the winners hold the openings that follow the ledger's commitment, one after
    /// another.
    private func isContiguous(_ known: Incoming) -> Bool {
        var due = known.state.chainPosition
        for index in known.won {
            guard due > 0, known.open[index]?.position == due - 1 else { return false }
            due -= 1
        }
        return true
    }

    private func redemption(_ claim: Claim, _ known: Incoming) -> Redemption {
        Redemption(
            ticket: claim.ticket,
            response: claim.response,
            proof: proof(claim, known)
        )
    }

    private func proof(_ claim: Claim, _ known: Incoming) -> [UInt8] {
        switch identity.parameters.rule {
        case .commitment:
            guard let position = claim.position, let chain = known.chain else { return [] }
            return chain.value(at: Int(position)).array
        case .vrf:
            guard let ticket = Ticket(claim.ticket.array) else { return [] }
            let hash = TicketChecks.hash(
                ticket,
                channelID: claim.key.channelID,
                domain: known.domain,
                selector: identity.parameters.selector
            )
            return VRF.prove(key: identity.key, hash: hash, domain: known.domain).bytes
        }
    }

    // MARK: Answers

    mutating func answer(_ receipt: Receipt) {
        guard let flight = inFlight, flight.submission.nonce == receipt.nonce else { return }
        if receipt.refusal == .nonceUsed {
            return effects.append(.resynchronise(flight.submission))
        }
        inFlight = nil
        actAfterSequence = receipt.sequence
        journal.answered.append(receipt.nonce)
        if let operation = flight.operation {
            effects.append(.finished(id: operation, receipt))
        }
        guard !flight.submission.claims.isEmpty else {
            if receipt.refusal != nil { retryAtNanos = now.nanos + policy.retryNanos }
            return
        }
        for (place, key) in flight.submission.claims.enumerated() {
            if orphans[key] != nil {
                finishOrphan(key, isPaid: place < receipt.redeemed)
                continue
            }
            guard let known = incoming[key.channelID], let claim = known.open[key.index],
                claim.key == key
            else { continue }
            if place < receipt.redeemed {
                settle(claim, known)
            } else {
                refused(claim, place == receipt.redeemed ? receipt.refusal : nil)
            }
        }
        if receipt.refusal != nil { retryAtNanos = now.nanos + policy.retryNanos }
    }

    /// After somebody else used our nonces: what was paid is settled, the rest is tried again.
    mutating func resynchronise(_ nonce: UInt64, _ paid: [ClaimKey]) {
        self.nonce = max(self.nonce, nonce)
        guard let flight = inFlight else { return }
        inFlight = nil
        journal.answered.append(flight.submission.nonce)
        if let operation = flight.operation {
            let receipt = Receipt(
                nonce: flight.submission.nonce,
                refusal: .nonceUsed,
                sequence: view.sequence
            )
            effects.append(.finished(id: operation, receipt))
        }
        for key in flight.submission.claims {
            if orphans[key] != nil {
                finishOrphan(key, isPaid: paid.contains(key))
                continue
            }
            guard let known = incoming[key.channelID], let claim = known.open[key.index],
                claim.key == key
            else { continue }
            if paid.contains(key) {
                settle(claim, known)
            } else {
                refused(claim, nil)
            }
        }
    }

    /// A claim of a past channel epoch: the answer about it has come.
    mutating func finishOrphan(_ key: ClaimKey, isPaid: Bool) {
        guard var claim = orphans.removeValue(forKey: key) else { return }
        guard isPaid else { return void(claim, .channelEpoch, slot: nil) }
        claim.state = .settled
        journal.claims[key] = claim
        count(key.channelID) {
            $0.redeemed += 1
            $0.redeemedValue += claim.amount
        }
    }

    /// Classifies a ticket that was not paid: void for good, or a winner again. Never dropped.
    private mutating func refused(_ claim: Claim, _ refusal: Refusal?) {
        guard let known = incoming[claim.key.channelID] else { return }
        if let reason = reason(claim, refusal) {
            known.open[claim.key.index] = nil
            return void(claim, reason, slot: known.slot)
        }
        var claim = claim
        claim.state = .won
        claim.nonce = 0
        known.open[claim.key.index] = claim
        let place = known.won.firstIndex { $0 > claim.key.index } ?? known.won.count
        known.won.insert(claim.key.index, at: place)
        awake.insert(claim.key.channelID)
        journal.claims[claim.key] = claim
    }

    /// Why a refused ticket is worthless; nil if it can be tried again.
    private func reason(_ claim: Claim, _ refusal: Refusal?) -> Drop? {
        if let channel = view.channels[claim.key.channelID] {
            if channel.channelEpoch > claim.key.channelEpoch { return .channelEpoch }
            if channel.status == .closed { return .channelClosed }
            if channel.ticketEpoch > claim.ticketEpoch { return .ticketEpoch }
            if claim.key.index < channel.ticketIndex { return .lateIndex }
        }
        switch refusal {
        case .channelClosed, .channelUnknown: return .channelClosed
        case .channelEpoch: return .channelEpoch
        case .ticketIndex: return .lateIndex
        case .ticketFormat, .ticketRecipient, .amountZero: return .ticketRecipient
        case .ticketHighS, .ticketSignature: return .ticketSignature
        case .ticketResponse: return .ackResponse
        default: return nil
        }
    }
}
