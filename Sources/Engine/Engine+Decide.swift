internal import Bytes
internal import Crypto
internal import Exchange
internal import Sphinx
internal import Tickets

extension Engine {
    /// Decides every lane in order, as if each had come alone after the one before, and does what
    /// the accepted ones entail. The only place where anything but scratch and counters changes.
    @_noLocks
    mutating func decide(
        _ batch: inout Batch,
        _ slab: Slab,
        _ snapshot: Snapshot,
        mixerRoom: Int
    ) {
        touchTable(batch.live & ~marks.final)
        var left = marks.given
        while let lane = left.popFirst() {
            var code = judgeAgain(lane, snapshot)
            if code.index == 0, lanes.step[lane] == Step.passed {
                code =
                    marks.final.contains(lane)
                    ? acceptFinal(batch, lane, slab, snapshot)
                    : acceptRelayed(batch, lane, snapshot, mixerRoom: mixerRoom)
            } else if code.index == 0 {
                code = Drop(index: lanes.code[lane])
            }
            if code.index != 0 { settleVerdict(&batch, lane, code) }
        }
    }

    @_noLocks
    private func settleVerdict(_ batch: inout Batch, _ lane: Int, _ code: Drop) {
        lanes.code[lane] = code.index
        batch.live |= 1 << LaneMask(lane)
        batch.drop(lane, code)
    }

    /// What earlier packets of the batch may have changed, up to the step that refused the lane.
    @_noLocks
    private func judgeAgain(_ lane: Int, _ snapshot: Snapshot) -> Drop {
        let step = lanes.step[lane]
        let slot = lanes.channel[lane]
        if marks.judged.contains(lane), step >= Step.index {
            let verdict = books.judge(slot, lanes.ticket[lane].index)
            if verdict.index != 0 { return verdict }
            let balance = snapshot.channels[Int(slot)].balance
            if step >= Step.funds,
                !books.covers(slot, lanes.ticket[lane].amount, balance: balance)
            {
                return .channelFunds
            }
        }
        if marks.opened.contains(lane), step > Step.replay, seen(lane) { return .replay }
        return .none
    }

    // MARK: relayed packets

    /// Brings near what the relayed lanes will need of the table.
    @_noLocks
    private func touchTable(_ relayed: LaneMask) {
        var left = relayed
        while let lane = left.popFirst() {
            lanes.entered.digest[lane] = table.digest(hint(lane))
        }
        table.touch(lanes.entered, relayed)
        table.touchFree(lanes.entered, count: relayed.nonzeroBitCount)
    }

    /// What the next hop's acknowledgement must open.
    @_noLocks
    private func hint(_ lane: Int) -> Region { scratch.proof.region(lane).slice(20, 33) }

    @_noLocks
    private mutating func acceptRelayed(
        _ batch: borrowing Batch,
        _ lane: Int,
        _ snapshot: Snapshot,
        mixerRoom: Int
    ) -> Drop {
        let nextKeyID = snapshot.nodes[Int(nextHop[lane])].keyID
        let previousKeyID = snapshot.nodes[Int(batch.source[lane])].keyID
        let (hint, digest) = (hint(lane), lanes.entered.digest[lane])
        let nextChannel = lanes.nextChannel[lane]
        if nextChannel != Snapshot.none, !books.hasIndex(nextChannel) { return .nextFunds }
        guard table.find(hint, digest) == UnackedTable.none else { return .replay }
        guard table.takes(counterparty: lanes.ticket[lane].counterparty) else { return .storeFull }
        guard hasRoom(next: nextKeyID, previous: previousKeyID, snapshot) else { return .storeFull }
        guard outcome.forwarded.nonzeroBitCount < mixerRoom else {
            return mixerRoom < 0 ? .stopping : .mixerFull
        }
        guard !replaySet(lane).full else { return .replayFull }

        let code = commit(lane, snapshot)
        guard code.index == 0 else { return code }
        table.insert(
            UnackedTable.Entry(
                nextKeyID: nextKeyID,
                previousKeyID: previousKeyID,
                channel: lanes.channel[lane]
            ),
            hint: hint,
            digest,
            ownHalfKey: scratch.ownHalfKey.region(lane),
            ticketOf: lanes.ticket[lane],
            nowNanos: batch.nowNanos
        )
        peers.change(next: nextKeyID, previous: previousKeyID, by: 1)
        let told = reports.locked(
            channel: lanes.channel[lane],
            index: lanes.ticket[lane].index,
            atNanos: batch.nowNanos
        )
        if !told { counters.count(.reportsLost) }
        tellSigner(lane, nowNanos: batch.nowNanos)
        counters.count(.ticketsLocked)
        outcome.forwarded |= 1 << LaneMask(lane)
        outcome.acknowledge |= 1 << LaneMask(lane)
        answers[lane] = scratch.ackHalfKey[lane]
        return .none
    }

    /// Room in the table, in the shares of both neighbours, and in the report ring: half of that is
    /// kept for the acknowledgements of what was accepted before.
    @_noLocks
    private mutating func hasRoom(next: UInt32, previous: UInt32, _ snapshot: Snapshot) -> Bool {
        let share = share(snapshot)
        return !table.isFull && peers.awaited(next) < share && peers.given(previous) < share
            && reports.room() >= reports.capacity / 2
    }

    /// Entries that one neighbour may take up: an eighth, or a fair share among few.
    @_noLocks
    func share(_ snapshot: Snapshot) -> Int {
        let others = snapshot.nodes.count - 1
        return table.capacity / max(1, min(8, others))
    }

    /// Takes reservation, index, our own next index and replay tag, or none of them. Each may have
    /// been overtaken by another worker since it was judged.
    @_noLocks
    private func commit(_ lane: Int, _ snapshot: Snapshot) -> Drop {
        let slot = lanes.channel[lane]
        let ticket = lanes.ticket[lane]
        let balance = snapshot.channels[Int(slot)].balance
        guard books.reserve(slot, ticket.amount, balance: balance) else { return .channelFunds }
        let marked = books.mark(slot, ticket.index)
        guard marked.index == 0 else {
            books.release(slot, ticket.amount)
            return marked
        }
        var code = Drop.none
        if lanes.nextChannel[lane] != Snapshot.none {
            var issued = lanes.issued[lane]
            if let index = books.takeIndex(lanes.nextChannel[lane]) {
                issued.index = index
                lanes.issued[lane] = issued
            } else {
                code = .nextFunds
            }
        }
        if code.index == 0 { code = replaySet(lane).insert(scratch.tag.region(lane)) }
        if code.index != 0 {
            books.unmark(slot, ticket.index)
            books.release(slot, ticket.amount)
        }
        return code
    }

    // MARK: final packets

    @_noLocks
    private mutating func acceptFinal(
        _ batch: borrowing Batch,
        _ lane: Int,
        _ slab: Slab,
        _ snapshot: Snapshot
    ) -> Drop {
        let bit: LaneMask = 1 << LaneMask(lane)
        let payload = payload(batch, lane, slab)
        let isAcks = marks.acks & bit != 0
        let isTagged = marks.tagged & bit != 0
        if !isAcks, !isTagged, !reports.fits(delivery: payload.byteCount) { return .deliveryFull }
        let code = replaySet(lane).insert(scratch.tag.region(lane))
        guard code.index == 0 else { return code }
        if isAcks {
            takePacket(
                lane,
                payload,
                from: batch.source[lane],
                snapshot,
                nowNanos: batch.nowNanos
            )
            counters.count(.ackPacketsIn)
            outcome.acknowledgements |= bit
            return .none
        }
        let ackKey = scratch.ackHalfKey[lane]
        let isReply = marks.reply & bit != 0
        if !isReply {
            outcome.acknowledge |= bit
            answers[lane] = ackKey
        }
        if isTagged { return .payloadTagged }
        _ = reports.delivery(
            previousKeyID: snapshot.nodes[Int(batch.source[lane])].keyID,
            senderID: scratch.senderID.region(lane),
            isReply: isReply,
            ackKey: ackKey,
            payload: payload,
            atNanos: batch.nowNanos
        )
        counters.count(.delivered)
        outcome.delivered |= bit
        return .none
    }

    // MARK: answers to refused packets

    /// Random half-keys for refused packets that decode, where that is configured.
    @_noLocks
    mutating func answer(_ batch: borrowing Batch, _ snapshot: Snapshot) {
        guard config.answersRefused else { return }
        var left = marks.given & marks.decodable & ~batch.live
        while let lane = left.popFirst() {
            guard isAnswered(batch.verdict(lane)),
                peers.takeAnswer(
                    snapshot.nodes[Int(batch.source[lane])].keyID,
                    nowNanos: batch.nowNanos,
                    limit: config.rejectAnswersPerSecond
                )
            else { continue }
            random.fill(answers.region(lane))
            outcome.acknowledge |= 1 << LaneMask(lane)
        }
    }
}
