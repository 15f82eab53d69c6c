public import Bytes
public import Exchange
internal import Sphinx
internal import Tickets

extension Engine {
    /// Proof of relay, signatures, room; then the decision, lane by lane, and what follows from it:
    /// tickets for the next hops, packets in their slots, reports.
    @_noLocks
    public mutating func settle(
        _ batch: inout Batch,
        slab: Slab,
        snapshot: Snapshot,
        mixerRoom: Int = .max
    ) {
        judgeFinal(&batch, slab)
        checkAcks(batch, slab, snapshot)
        judgeProofs(&batch)
        judgeSignatures(&batch, snapshot)
        judgeNext(&batch, snapshot)
        decide(&batch, slab, snapshot, mixerRoom: mixerRoom)
        issue(&batch, slab, snapshot)
        answer(batch, snapshot)
        finish(batch)
    }

    /// Decrypts the payload of packets that end here and looks at what every receiver looks at.
    @_noLocks
    private mutating func judgeFinal(_ batch: inout Batch, _ slab: Slab) {
        let final = batch.live & marks.final
        guard final != 0 else { return }
        Peel.apply(batch, lanes: final, slab: slab, geometry: config.geometry, scratch: scratch)
        var left = final
        while let lane = left.popFirst() {
            let code = judgePayload(lane, payload(batch, lane, slab))
            if code.index != 0 { refuse(&batch, lane, code, Step.content) }
        }
        marks.decodable |= batch.live & final
        let acknowledged = batch.live & final & ~marks.acks
        Peel.halfKeys(lanes: acknowledged, scratch: scratch)
    }

    @_noLocks
    func payload(_ batch: borrowing Batch, _ lane: Int, _ slab: Slab) -> Region {
        slab.packet(batch.slot[lane], config.geometry.packetBytes)
            .slice(Geometry.payloadOffset, config.geometry.payloadBytes)
    }

    @_noLocks
    private mutating func judgePayload(_ lane: Int, _ payload: Region) -> Drop {
        let isAcks = marks.acks.contains(lane)
        if marks.reply.contains(lane) { return isAcks ? .messageInvalid : .none }
        let padding = Padding.find(payload)
        guard padding.marked else { return .paddingInvalid }
        guard let text = plainText(payload, padding.dataOffset) else { return .messageInvalid }
        if isAcks { return Acknowledgements.parse(text) == nil ? .ackSize : .none }
        if !padding.clean { marks.tagged |= 1 << LaneMask(lane) }
        return .none
    }

    /// What follows a message's flags and reply blocks; nil if they do not parse.
    @_noLocks
    func plainText(_ payload: Region, _ offset: Int) -> Region? {
        let data = payload.slice(offset, payload.byteCount - offset)
        guard let message = Message.parse(data, geometry: config.geometry) else { return nil }
        return data.slice(message.textOffset, data.byteCount - message.textOffset)
    }

    /// The ticket's challenge must follow from our half-key and the hint, or it could never be
    /// redeemed.
    @_noLocks
    private mutating func judgeProofs(_ batch: inout Batch) {
        let relayed = batch.live & ~marks.final
        guard relayed != 0 else { return }
        Peel.halfKeys(lanes: relayed, scratch: scratch)
        let check = tickets.checkChallenges(
            lanes.ticket,
            ownHalfKeys: scratch.ownHalfKey,
            proofs: scratch.proof,
            lanes: relayed
        )
        refuse(&batch, mask: check.hintInvalid, .hintInvalid, Step.content)
        refuse(
            &batch,
            mask: relayed & ~check.hintInvalid & ~check.passed,
            .challengeMismatch,
            Step.content
        )
        marks.decodable |= check.passed
    }

    @_noLocks
    private mutating func judgeSignatures(_ batch: inout Batch, _ snapshot: Snapshot) {
        let relayed = batch.live & ~marks.final & ~marks.deferred
        guard relayed != 0 else { return }
        let signers = snapshot.headerColumn[0].signers
        var tables = LaneTables(signers.slab)
        var left = relayed
        while let lane = left.popFirst() {
            let channel = snapshot.channels[Int(lanes.channel[lane])]
            lanes.channelID[lane] = channel.channelID
            lanes.domain[lane] = channel.domain
            lanes.address[lane] = channel.peer
            guard Int(channel.signer) < signers.count else { continue }
            tables.set(lane, place: channel.signer)
            signers.mark(channel.signer)
        }
        tickets.hash(
            lanes.ticket,
            channelIDs: lanes.channelID,
            domains: lanes.domain,
            lanes: relayed,
            into: lanes.hash
        )
        let signed = tickets.verifyVariableTime(
            lanes.ticket,
            hashes: lanes.hash,
            issuers: lanes.address,
            tables: tables,
            lanes: relayed
        )
        noteRecovered(relayed & ~tables.lanes, signed)
        counters.count(.ticketsByTable, by: UInt64(tables.lanes.nonzeroBitCount))
        refuse(&batch, mask: relayed & ~signed, .ticketSignature, Step.signature)
    }

    /// The next hop's channel and the ticket we would write, but for its index.
    @_noLocks
    private mutating func judgeNext(_ batch: inout Batch, _ snapshot: Snapshot) {
        var left = batch.live & ~marks.final & ~marks.deferred
        while let lane = left.popFirst() {
            let code = draft(lane, snapshot)
            if code.index != 0 { refuse(&batch, lane, code, Step.next) }
        }
    }

    @_noLocks
    private mutating func draft(_ lane: Int, _ snapshot: Snapshot) -> Drop {
        let node = snapshot.nodes[Int(nextHop[lane])]
        let challenge: Address = scratch.proof.region(lane).load(0)
        let position = scratch.prefix[lane].pathPosition
        guard position > 1 else {
            lanes.issued[lane] = Ticket.zeroHop(to: node.chainAddress, challenge: challenge)
            return .none
        }
        let slot = node.outgoing
        guard Int(slot) < snapshot.channels.count, Int(slot) < books.slotCount,
            snapshot.channels[Int(slot)].open
        else { return .nextChannel }
        let channel = snapshot.channels[Int(slot)]
        let policy = snapshot.headerColumn[0].policy
        let winProbability = lanes.ticket[lane].winProbability.raised(to: policy.winProbability)
        guard
            let amount = Ticket.amount(
                price: policy.price,
                relays: position - 1,
                winProbability: winProbability
            ),
            amount <= channel.balance
        else { return .nextFunds }
        lanes.nextChannel[lane] = slot
        lanes.issued[lane] = Ticket(
            counterparty: node.chainAddress,
            amount: amount,
            index: 0,
            channelEpoch: channel.channelEpoch,
            winProbability: winProbability,
            challenge: challenge
        )
        return .none
    }

    /// Counts what was refused and wipes what the batch left behind, the answer's keys apart.
    @_noLocks
    private mutating func finish(_ batch: borrowing Batch) {
        var left = marks.given
        while let lane = left.popFirst() {
            let verdict = batch.verdict(lane)
            if verdict.index != 0 { counters.count(verdict) }
        }
        // Packets that were refused before the peel left nothing secret.
        if marks.peeled != 0 { zeroize(wiped) }
    }
}
